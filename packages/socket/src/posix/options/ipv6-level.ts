// The options of IPPROTO_IPV6 (RFC 3493 §5, RFC 3542), with Linux's ranges and errors.
import * as c from "../linux-numbers.ts";
import type { SocketFile } from "../open-file.ts";
import type { OptionValue } from "../option-value.ts";
import { defaultHops, ECN_MASK, notForStreams, pathMtu, setMtuDiscover } from "./ip-level.ts";
import { flag, int, kept, type OptionTable, property, type SocketOption, toInteger } from "./option.ts";

const { SOL_IPV6 } = c;
const IPV6_HEADER_LENGTH = 40;

const FLAGS: readonly number[] = [
  c.IPV6_2292PKTINFO,
  c.IPV6_2292HOPLIMIT,
  c.IPV6_FLOWINFO,
  c.IPV6_RECVERR,
  c.IPV6_FLOWINFO_SEND,
  c.IPV6_RECVPKTINFO,
  c.IPV6_RECVHOPLIMIT,
  c.IPV6_RECVTCLASS,
  c.IPV6_DONTFRAG,
  c.IPV6_TRANSPARENT,
  c.IPV6_RECVFRAGSIZE,
  c.IPV6_FREEBIND,
];

export const IPV6_LEVEL: OptionTable = new Map<number, SocketOption>([
  ...FLAGS.map((name): [number, SocketOption] => [name, flag(SOL_IPV6, name)]),
  [
    c.IPV6_V6ONLY,
    {
      ...property(
        (file) => file.onlyIpv6,
        () => {},
      ),
      set: setOnlyIpv6,
    },
  ],
  [
    c.IPV6_UNICAST_HOPS,
    { get: (file) => int(file.setting(SOL_IPV6, c.IPV6_UNICAST_HOPS) ?? file.owner.defaults.timeToLive), set: setHops },
  ],
  [
    c.IPV6_MULTICAST_HOPS,
    kept(SOL_IPV6, c.IPV6_MULTICAST_HOPS, { low: -1, high: 255, initial: 1, instead: defaultHops, refuse: notForStreams }),
  ],
  [c.IPV6_MULTICAST_LOOP, kept(SOL_IPV6, c.IPV6_MULTICAST_LOOP, { low: 0, high: 1, initial: 1 })],
  [
    c.IPV6_MULTICAST_ALL,
    { ...flag(SOL_IPV6, c.IPV6_MULTICAST_ALL), get: (file) => int(file.setting(SOL_IPV6, c.IPV6_MULTICAST_ALL) ?? 1) },
  ],
  [c.IPV6_MTU_DISCOVER, kept(SOL_IPV6, c.IPV6_MTU_DISCOVER, { low: 0, high: 5, initial: 1, apply: setMtuDiscover })],
  [c.IPV6_MTU, { get: (file) => pathMtu(file, IPV6_HEADER_LENGTH) }],
  [c.IPV6_RECVERR_RFC4884, kept(SOL_IPV6, c.IPV6_RECVERR_RFC4884, { low: 0, high: 1 })],
  [c.IPV6_TCLASS, { get: (file) => int(file.setting(SOL_IPV6, c.IPV6_TCLASS) ?? 0), set: setTrafficClass }],
  [
    c.IPV6_AUTOFLOWLABEL,
    { ...flag(SOL_IPV6, c.IPV6_AUTOFLOWLABEL), get: (file) => int(file.setting(SOL_IPV6, c.IPV6_AUTOFLOWLABEL) ?? 1) },
  ],
  [c.IPV6_MINHOPCOUNT, kept(SOL_IPV6, c.IPV6_MINHOPCOUNT, { low: 0, high: 255 })],
]);

function setOnlyIpv6(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  // Once bound, it has been decided who comes.
  if (value === undefined || file.local !== undefined) return "EINVAL";
  file.onlyIpv6 = value !== 0;
  return 0;
}

function setHops(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  if (value === undefined || value < -1 || value > 255) return "EINVAL";
  const timeToLive = value === -1 ? file.owner.defaults.timeToLive : value;
  file.keepSetting(SOL_IPV6, c.IPV6_UNICAST_HOPS, timeToLive);
  file.configureIp({ timeToLive });
  return 0;
}

function setTrafficClass(file: SocketFile, given: OptionValue): 0 | "EINVAL" {
  const value = toInteger(given);
  if (value === undefined || value < -1 || value > 255) return "EINVAL";
  const trafficClass = file.type === c.SOCK_STREAM ? Math.max(0, value) & ~ECN_MASK : Math.max(0, value);
  file.keepSetting(SOL_IPV6, c.IPV6_TCLASS, trafficClass);
  file.configureIp({ trafficClass });
  return 0;
}
