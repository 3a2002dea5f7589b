// An internet layer of one network, 192.0.2.0/24, for tests of UDP alone: it keeps what is sent, and hands up what the test says.
import {
  broadcastOf,
  IPV4_BROADCAST,
  type IpAddress,
  ip,
  isIpv4,
  isMulticast,
  PacketBuffer,
  prefix,
  prefixContains,
  VirtualClock,
} from "@netstrata/core";
import type { Delivery, IpHeader, IpProtocolHandler, IpSendOptions, IpSendResult, IpService } from "@netstrata/internet";
import { LoopbackDevice, type NetworkInterface } from "@netstrata/link";

export const OWN = ip("192.0.2.1");
export const SECOND = ip("192.0.2.2");
export const PEER = ip("192.0.2.9");
export const ELSEWHERE = ip("198.51.100.1");
const NETWORK = prefix("192.0.2.1/24");
const OWN_V6 = ip("2001:db8::1");

export interface Sent {
  readonly packet: PacketBuffer;
  readonly options: IpSendOptions;
}

const clock = new VirtualClock();
const device = new LoopbackDevice(clock);

/** An interface that has the second address; UDP only ever looks at it. */
const SECOND_INTERFACE: NetworkInterface = {
  name: "second",
  device,
  mtu: device.mtu,
  offload: device.offload,
  headroom: 0,
  addresses: [{ address: SECOND, length: 24 }],
  resolvesNeighbours: false,
  addAddress: () => {},
  removeAddress: () => {},
  send: (datagram) => device.transmit(datagram),
  attach: () => {},
  confirm: () => {},
  close: () => device.close(),
};

export class RecordingIp implements IpService {
  readonly headroom = 34;
  readonly sent: Sent[] = [];
  readonly reduced: [IpAddress, number][] = [];
  readonly interface: NetworkInterface = SECOND_INTERFACE;
  private handler: IpProtocolHandler | undefined;

  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    if (this.sourceFor(options.destination) === undefined) return "network-unreachable";
    if (!this.isLocal(options.source)) return "address-not-available";
    if (packet.length > 65515 || (options.dontFragment === true && packet.length > 1480)) return "message-too-long";
    this.sent.push({ packet, options });
    return "sent";
  }

  sourceFor(destination: IpAddress): IpAddress | undefined {
    if (!isIpv4(destination)) return OWN_V6;
    const near = prefixContains(NETWORK, destination) || isMulticast(destination) || destination === IPV4_BROADCAST;
    return near ? OWN : undefined;
  }

  maxSendSize(): number {
    return 1480;
  }

  linkSendSize(): number {
    return this.maxSendSize();
  }

  maxReceiveSize(): number {
    return 65515;
  }

  maxSuperSegment(): number {
    return 0;
  }

  isLocal(address: IpAddress): boolean {
    return address === OWN || address === SECOND || address === OWN_V6;
  }

  isBroadcast(address: IpAddress): boolean {
    return address === IPV4_BROADCAST || address === broadcastOf(NETWORK);
  }

  confirmReachability(): void {}

  adviseUnreachable(): void {}

  pathMtuReduced(destination: IpAddress, mtu: number): void {
    this.reduced.push([destination, mtu]);
  }

  register(handler: IpProtocolHandler): void {
    this.handler = handler;
  }

  /** Hands a transport message up as if it had arrived behind `ipOptions`. */
  arrive(segment: Uint8Array, source: IpAddress, destination: IpAddress = OWN, ipOptions: Uint8Array = new Uint8Array(0)): Delivery {
    const headerLength = 20 + ipOptions.length;
    const packet = PacketBuffer.allocate(headerLength, segment.length);
    packet.set(segment);
    packet.bytes.set(ipOptions, packet.start - ipOptions.length);
    const cast = this.isBroadcast(destination) ? "broadcast" : isMulticast(destination) ? "multicast" : "unicast";
    const header: IpHeader = {
      version: isIpv4(source) ? 4 : 6,
      source,
      destination,
      protocol: 17,
      timeToLive: 61,
      trafficClass: 0xb8,
      headerLength,
    };
    return (this.handler as IpProtocolHandler).receive(packet, header, { interface: this.interface, cast });
  }

  /** Reports an ICMP error about something that was sent. */
  complain(kind: Parameters<IpProtocolHandler["receiveError"]>[0]["kind"], about: Sent, mtu = 0): void {
    const quoted = about.packet.copy();
    quoted.truncate(8);
    const { source, destination } = about.options;
    const header: IpHeader = { version: 4, source, destination, protocol: 17, timeToLive: 60, trafficClass: 0, headerLength: 20 };
    (this.handler as IpProtocolHandler).receiveError({ kind, from: ELSEWHERE, mtu }, quoted, header);
  }
}
