// The options of IPPROTO_IP (RFC 1122 §4.1.4, §4.2.4.2), with Linux's ranges and errors.
import { DatagramFile } from "../datagram-file.ts";
import * as c from "../linux-numbers.ts";
import type { SocketFile } from "../open-file.ts";
import type { OptionValue } from "../option-value.ts";
import { StreamFile } from "../stream-file.ts";
import { bytes, flag, int, kept, type OptionTable, type SocketOption, toInteger } from "./option.ts";

const { SOL_IP } = c;
const NOTHING = new Uint8Array(0);
const IPV4_HEADER_LENGTH = 20;
/** The octet's two lowest bits are TCP's own (RFC 3168 §5). */
export const ECN_MASK = 3;

const FLAGS: readonly number[] = [
  c.IP_RECVOPTS,
  c.IP_RETOPTS,
  c.IP_PKTINFO,
  c.IP_RECVERR,
  c.IP_RECVTTL,
  c.IP_RECVTOS,
  c.IP_FREEBIND,
  c.IP_TRANSPARENT,
  c.IP_RECVORIGDSTADDR,
  c.IP_BIND_ADDRESS_NO_PORT,
  c.IP_RECVFRAGSIZE,
];

export const IP_LEVEL: OptionTable = new Map<number, SocketOption>([
  ...FLAGS.map((name): [number, SocketOption] => [name, flag(SOL_IP, name)]),
  [c.IP_TOS, { get: (file) => int(file.setting(SOL_IP, c.IP_TOS) ?? 0), set: setTrafficClass }],
  [c.IP_TTL, { get: (file) => int(file.setting(SOL_IP, c.IP_TTL) ?? file.owner.defaults.timeToLive), set: setTimeToLive }],
  [c.IP_HDRINCL, { get: () => int(0) }],
  [c.IP_OPTIONS, { get: () => bytes(NOTHING) }],
  [c.IP_MTU_DISCOVER, kept(SOL_IP, c.IP_MTU_DISCOVER, { low: 0, high: 5, initial: 1, apply: setMtuDiscover })],
  [c.IP_MTU, { get: (file) => pathMtu(file, IPV4_HEADER_LENGTH) }],
  [c.IP_MINTTL, kept(SOL_IP, c.IP_MINTTL, { low: 0, high: 255 })],
  [c.IP_CHECKSUM, flag(SOL_IP, c.IP_CHECKSUM)],
  [c.IP_RECVERR_RFC4884, kept(SOL_IP, c.IP_RECVERR_RFC4884, { low: 0, high: 1 })],
  [c.IP_MULTICAST_TTL, kept(SOL_IP, c.IP_MULTICAST_TTL, { low: -1, high: 255, initial: 1, instead: defaultHops, refuse: notForStreams })],
  [c.IP_MULTICAST_LOOP, { ...flag(SOL_IP, c.IP_MULTICAST_LOOP), get: (file) => int(file.setting(SOL_IP, c.IP_MULTICAST_LOOP) ?? 1) }],
  [c.IP_MULTICAST_ALL, kept(SOL_IP, c.IP_MULTICAST_ALL, { low: 0, high: 1, initial: 1 })],
]);

/** -1 is the default: datagrams to groups stay on the local network (RFC 1112 §6.1). */
export function defaultHops(_: SocketFile, hops: number): number {
  return hops === -1 ? 1 : hops;
}

/** Of a connected socket, in octets. */
export function pathMtu(file: SocketFile, headerLength: number): ReturnType<SocketOption["get"]> {
  const { remote } = file;
  return remote === undefined ? "ENOTCONN" : int(file.owner.maxSendSize(remote.address) + headerLength);
}

/** IP_MTU_DISCOVER and IPV6_MTU_DISCOVER: datagrams that must not be fragmented. */
export function setMtuDiscover(file: SocketFile, value: number): void {
  const dontFragment = value === c.IP_PMTUDISC_DO || value === c.IP_PMTUDISC_PROBE;
  if (file instanceof DatagramFile) file.configure({ dontFragment });
}

export function notForStreams(file: SocketFile): "EINVAL" | undefined {
  return file instanceof StreamFile ? "EINVAL" : undefined;
}

function setTrafficClass(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  if (value === undefined) return "EINVAL";
  const trafficClass = file instanceof StreamFile ? value & 0xff & ~ECN_MASK : value & 0xff;
  file.keepSetting(SOL_IP, c.IP_TOS, trafficClass);
  if (file.domain === c.AF_INET) file.configureIp({ trafficClass });
  return 0;
}

function setTimeToLive(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  if (value === undefined || (value !== -1 && (value < 1 || value > 255))) return "EINVAL";
  const timeToLive = value === -1 ? file.owner.defaults.timeToLive : value;
  file.keepSetting(SOL_IP, c.IP_TTL, timeToLive);
  if (file.domain === c.AF_INET) file.configureIp({ timeToLive });
  return 0;
}
