// What an ICMP error means to a user of UDP or TCP, as Linux translates it (RFC 1122 §4.1.3.3, §4.2.3.9).
import type { ErrorCode } from "@netstrata/core";
import type { IcmpErrorKind } from "@netstrata/internet";

export const ICMP_ERROR_CODE: Readonly<Record<IcmpErrorKind, ErrorCode>> = {
  "network-unreachable": "ENETUNREACH",
  "host-unreachable": "EHOSTUNREACH",
  "protocol-unreachable": "ENOPROTOOPT",
  "port-unreachable": "ECONNREFUSED",
  "packet-too-big": "EMSGSIZE",
  "source-route-failed": "EOPNOTSUPP",
  prohibited: "EHOSTUNREACH",
  "time-exceeded": "EHOSTUNREACH",
  // Linux says EPROTO, which POSIX does not know for datagrams; a message that was malformed in our sending it is our misuse.
  "parameter-problem": "EINVAL",
  unknown: "EHOSTUNREACH",
};
