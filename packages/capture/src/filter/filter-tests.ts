// The tests that a filter's primitives stand for: protocols, addresses, ports.
import { type IpAddress, type IpPrefix, isGroupMac, type MacAddress, prefixContains } from "@netstrata/core";
import { PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_IGMP, PROTOCOL_TCP, PROTOCOL_UDP } from "@netstrata/internet";
import type { Dissection } from "../dissect/dissection.ts";
import type { ArpLayer, EthernetLayer } from "../dissect/layer.ts";
import type { Test } from "./filter-node.ts";

/** Which end of a packet is meant. */
export type Direction = "src" | "dst" | "src or dst" | "src and dst";

function arpOf({ layers }: Dissection): ArpLayer | undefined {
  return layers.find((layer) => layer.protocol === "arp");
}

function ethernetOf({ layers }: Dissection): EthernetLayer | undefined {
  return layers[0]?.protocol === "eth" ? layers[0] : undefined;
}

const isIpv4: Test = ({ ip }) => ip?.protocol === "ipv4";
const isIpv6: Test = ({ ip }) => ip?.protocol === "ipv6";

/** Protocols by name: of the outermost IP header, whatever link header, VLAN tag or tunnel is around it. */
export const PROTOCOLS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["ether", (dissection) => ethernetOf(dissection) !== undefined],
  ["ip", isIpv4],
  ["ip6", isIpv6],
  ["arp", (dissection) => arpOf(dissection) !== undefined],
  ["tcp", ({ ipProtocol }) => ipProtocol === PROTOCOL_TCP],
  ["udp", ({ ipProtocol }) => ipProtocol === PROTOCOL_UDP],
  ["icmp", (dissection) => isIpv4(dissection) && dissection.ipProtocol === PROTOCOL_ICMP],
  ["icmp6", (dissection) => isIpv6(dissection) && dissection.ipProtocol === PROTOCOL_ICMPV6],
  ["igmp", ({ ipProtocol }) => ipProtocol === PROTOCOL_IGMP],
]);

/** Names that `proto` takes besides numbers. */
export const IP_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["icmp", PROTOCOL_ICMP],
  ["igmp", PROTOCOL_IGMP],
  ["tcp", PROTOCOL_TCP],
  ["udp", PROTOCOL_UDP],
  ["icmp6", PROTOCOL_ICMPV6],
]);

export function ipProtocolTest(number: number): Test {
  return ({ ipProtocol }) => ipProtocol === number;
}

export function vlanTest(id: number | undefined): Test {
  return ({ layers }) => layers.some((layer) => layer.protocol === "vlan" && (id === undefined || layer.id === id));
}

function either<Value>(direction: Direction, matches: (value: Value) => boolean): (source: Value, destination: Value) => boolean {
  switch (direction) {
    case "src":
      return (source) => matches(source);
    case "dst":
      return (_source, destination) => matches(destination);
    case "src or dst":
      return (source, destination) => matches(source) || matches(destination);
    case "src and dst":
      return (source, destination) => matches(source) && matches(destination);
  }
}

/** Addresses of the outermost IP header, or those that an ARP message is about. */
export function netTest(direction: Direction, prefix: IpPrefix): Test {
  const matches = either<IpAddress>(direction, (address) => prefixContains(prefix, address));
  return (dissection) => {
    const { ip } = dissection;
    if (ip !== undefined) return matches(ip.source, ip.destination);
    const arp = arpOf(dissection);
    return arp !== undefined && matches(arp.senderProtocol, arp.targetProtocol);
  };
}

export function macTest(direction: Direction, address: MacAddress): Test {
  const matches = either<MacAddress>(direction, (candidate) => candidate === address);
  return (dissection) => {
    const ethernet = ethernetOf(dissection);
    return ethernet !== undefined && matches(ethernet.source, ethernet.destination);
  };
}

/** Ports from `first` to `last` of TCP and UDP. */
export function portTest(direction: Direction, first: number, last: number): Test {
  const matches = either<number>(direction, (port) => port >= first && port <= last);
  return ({ transport }) =>
    (transport?.protocol === "tcp" || transport?.protocol === "udp") && matches(transport.sourcePort, transport.destinationPort);
}

export const isMulticastFrame: Test = (dissection) => {
  const ethernet = ethernetOf(dissection);
  return ethernet !== undefined && isGroupMac(ethernet.destination);
};

export const isBroadcastFrame: Test = (dissection) => ethernetOf(dissection)?.destination === 0xffffffffffff;
