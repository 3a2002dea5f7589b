// Judges what a host puts on a link: whatever it was sent before, its own frames are right in every field.
import {
  BROADCAST_MAC,
  foldChecksum,
  formatIp,
  IPV4_ANY,
  type IpAddress,
  type Ipv4Address,
  isGroupMac,
  isLoopback,
  isMulticast,
  isReservedIpv4,
  PacketBuffer,
  sumBytes,
} from "@netstrata/core";
import {
  type ArpMessage,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  EthernetInterface,
  type NetworkInterface,
  readArp,
  readEthernet,
} from "@netstrata/link";
import { readTcp, readUdp } from "@netstrata/transport";
import {
  type InternetLayer,
  isIcmpError,
  isSourceRoute,
  readIcmp,
  readIpv4Header,
  readIpv4Options,
  readUncheckedIpv4Header,
} from "../src/index.ts";

/**
 * @param own every address that the host has or had: what it has just given up may still be on its way
 * @returns the IPv4 datagram or the ARP message in the frame; throws what is wrong with the frame
 */
export function judgeFrame(
  bytes: Uint8Array,
  from: NetworkInterface,
  layer: InternetLayer,
  own: ReadonlySet<IpAddress>,
): Uint8Array | ArpMessage {
  const packet = PacketBuffer.wrap(bytes.slice());
  if (!(from instanceof EthernetInterface)) return judgeDatagram(packet, from, layer, false);
  if (packet.length < 60) throw new Error(`a frame of ${packet.length} octets`);
  const frame = readEthernet(packet);
  if (typeof frame === "string") throw new Error(`a frame that is ${frame}`);
  if (frame.source !== from.macAddress) throw new Error("a frame with another's source");
  if (frame.etherType === ETHERTYPE_ARP) {
    const message = readArp(packet);
    if (typeof message === "string") throw new Error(`an ARP message that is ${message}`);
    if (!own.has(message.senderProtocol) || message.senderHardware !== from.macAddress)
      throw new Error("an ARP message that lies about its sender");
    return message;
  }
  if (frame.etherType !== ETHERTYPE_IPV4) throw new Error(`a frame of type ${frame.etherType}`);
  const isGroup = isGroupMac(frame.destination);
  const datagram = judgeDatagram(packet, from, layer, isGroup);
  if (isGroup && frame.destination !== BROADCAST_MAC && !isMulticast(destinationOf(datagram)))
    throw new Error("a unicast in a group's frame");
  return datagram;
}

function destinationOf(datagram: Uint8Array): IpAddress {
  return PacketBuffer.wrap(datagram).u32(16) as IpAddress;
}

function judgeDatagram(packet: PacketBuffer, from: NetworkInterface, layer: InternetLayer, isGroup: boolean): Uint8Array {
  const whole = packet.slice();
  const header = readIpv4Header(packet);
  if (typeof header === "string") throw new Error(`a datagram that is ${header}`);
  const { source, destination, protocol } = header;
  const name = `a datagram of protocol ${protocol} from ${formatIp(source)} to ${formatIp(destination)}`;
  if (header.totalLength > from.mtu) throw new Error(`${name} with ${header.totalLength} octets at an MTU of ${from.mtu}`);
  if (whole.subarray(header.totalLength).some((octet) => octet !== 0)) throw new Error(`${name} with something in its padding`);
  if (header.timeToLive === 0) throw new Error(`${name} with a TTL of 0`);
  if (destination >>> 24 === 0 || isLoopback(destination) || isReservedIpv4(destination)) throw new Error(`${name}: to nobody`);
  if (isLoopback(source) || isMulticast(source) || isReservedIpv4(source) || layer.isBroadcast(source))
    throw new Error(`${name}: from nobody`);
  const isForMany = isMulticast(destination) || layer.isBroadcast(destination);
  if (isGroup && !isForMany) throw new Error(`${name} in a frame for many`);
  if (header.fragmentOffset + header.totalLength - header.headerLength > 65515) throw new Error(`${name}: a fragment beyond the end`);
  const datagram = whole.subarray(0, header.totalLength);
  if (!layer.isLocal(source) || header.moreFragments || header.fragmentOffset > 0) return datagram;
  if (isForMany) throw new Error(`${name}: an answer to many`);
  if (protocol === 1) judgeIcmp(packet, destination, layer, name);
  const last = finalDestination(datagram.subarray(20, header.headerLength)) ?? destination;
  if (protocol === 6 && typeof readTcp(packet, source, last) === "string") throw new Error(`${name}: ${readTcp(packet, source, last)}`);
  if (protocol === 17 && typeof readUdp(packet, source, last) === "string") throw new Error(`${name}: bad UDP`);
  return datagram;
}

/** RFC 1122 §4.2.3.8, §4.1.3.2: a pseudo-header names the end of a source route. */
function finalDestination(options: Uint8Array): Ipv4Address | undefined {
  const read = readIpv4Options(options);
  if (typeof read === "number") throw new Error("a datagram with bad options");
  const route = read.find(isSourceRoute);
  return route && (PacketBuffer.wrap(options).u32(route.offset + route.length - 4) as Ipv4Address);
}

function judgeIcmp(packet: PacketBuffer, destination: Ipv4Address, layer: InternetLayer, name: string): void {
  if (foldChecksum(sumBytes(packet.bytes, packet.start, packet.end)) !== 0) throw new Error(`${name} with a bad checksum`);
  const message = readIcmp(packet);
  if (typeof message === "string" || !isIcmpError(message.type)) return;
  const quoted = readUncheckedIpv4Header(packet);
  if (typeof quoted === "string") throw new Error(`${name} that quotes what is ${quoted}`);
  if (quoted.source !== destination) throw new Error(`${name} to somebody who did not cause it`);
  const isForMany = isMulticast(quoted.destination) || layer.isBroadcast(quoted.destination) || quoted.destination === IPV4_ANY;
  if (isForMany) throw new Error(`${name} about what was sent to many`);
  if (quoted.fragmentOffset > 0) throw new Error(`${name} about a fragment`);
  if (quoted.protocol === 1 && isIcmpError(packet.u8(quoted.headerLength))) throw new Error(`${name} about an error`);
}
