// What recvmsg tells of a datagram beside its octets (RFC 1122 §4.1.3.5, RFC 3542 §6).
import type { UdpDetails } from "@netstrata/transport";
import type { ControlMessage } from "./control-message.ts";
import type { DatagramFile } from "./datagram-file.ts";
import * as c from "./linux-numbers.ts";
import { timestampMessages } from "./receive-timestamps.ts";

export function datagramControl(file: DatagramFile, { destination, timeToLive, trafficClass }: UdpDetails): readonly ControlMessage[] {
  const messages = timestampMessages(file, file.owner.now());
  const tell = (level: number, option: number, type: number, value: ControlMessage["value"]): void => {
    if (file.setting(level, option) === 1) messages.push({ level, type, value });
  };
  if (file.domain === c.AF_INET) {
    tell(c.SOL_IP, c.IP_PKTINFO, c.IP_PKTINFO, { destination });
    tell(c.SOL_IP, c.IP_RECVTTL, c.IP_TTL, timeToLive);
    tell(c.SOL_IP, c.IP_RECVTOS, c.IP_TOS, trafficClass);
  } else {
    tell(c.SOL_IPV6, c.IPV6_RECVPKTINFO, c.IPV6_PKTINFO, { destination });
    tell(c.SOL_IPV6, c.IPV6_RECVHOPLIMIT, c.IPV6_HOPLIMIT, timeToLive);
    tell(c.SOL_IPV6, c.IPV6_RECVTCLASS, c.IPV6_TCLASS, trafficClass);
  }
  return messages;
}
