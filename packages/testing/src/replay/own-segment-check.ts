// What our stack must not send: octets that were not recorded, a SYN, FIN or RST where the recording has none (RFC 9293 §3.1, §3.2).
import { FIN, RST, SYN, type TcpOptions } from "@netstrata/transport";
import type { OwnSegment } from "./own-output.ts";
import { has } from "./recorded-segment.ts";
import type { TcpPlan } from "./tcp-plan.ts";

/** What fits into the largest IP datagram behind both headers; whoever announces more cannot mean it (RFC 9293 §3.7.1). */
const LARGEST_TEXT = 65495;

export interface Unexpected {
  readonly expected: string;
  readonly found: string;
}

/**
 * @param injected the place behind everything that the peer has sent so far
 * @returns what is wrong with a segment that our stack sent; undefined when nothing is
 */
export function unexpectedIn(own: OwnSegment, plan: TcpPlan, injected: number): Unexpected | undefined {
  const { segment, place, end } = own;
  if (own.acknowledges > injected)
    return { expected: `nothing acknowledged behind place ${injected}`, found: `an acknowledgment of ${own.acknowledges}` };
  if (has(segment, RST)) return plan.own.sendsReset ? undefined : { expected: "no reset", found: "a reset" };
  if (has(segment, SYN)) return unexpectedInSyn(segment.options, plan);
  const start = place - 1;
  const recorded = plan.own.stream.bytes;
  const wrong = segment.payload.findIndex((octet, at) => octet !== recorded[start + at]);
  if (wrong >= 0)
    return {
      expected: `the recorded octet ${start + wrong + 1}`,
      found: start + wrong < recorded.length ? "another octet" : "an octet behind the end",
    };
  if (has(segment, FIN) && end - 1 !== plan.own.fin) {
    return {
      expected: plan.own.fin === undefined ? "no FIN" : `the FIN behind octet ${plan.own.fin - 1}`,
      found: `a FIN behind octet ${end - 2}`,
    };
  }
  return undefined;
}

/** The options of a SYN, of those that our stack has: the others' absence only makes the connection simpler. */
function unexpectedInSyn(offered: TcpOptions, { own, peer, role }: TcpPlan): Unexpected | undefined {
  const recorded = own.syn?.options;
  if (recorded === undefined) return { expected: "no SYN", found: "a SYN" };
  const maximumSegmentSize = recorded.maximumSegmentSize && Math.min(recorded.maximumSegmentSize, LARGEST_TEXT);
  if (maximumSegmentSize !== undefined && offered.maximumSegmentSize !== maximumSegmentSize) {
    return { expected: `MSS ${maximumSegmentSize} in the SYN`, found: `MSS ${offered.maximumSegmentSize ?? "absent"}` };
  }
  if (recorded.windowScale !== undefined && offered.windowScale === undefined) {
    return { expected: "window scaling in the SYN", found: "none" };
  }
  if (role !== "passive") return undefined;
  // RFC 7323 §2.2, §3.2, RFC 2018 §2: the SYN,ACK takes up what the SYN offered, and offers nothing by itself.
  const uninvited = (["windowScale", "sackPermitted", "timestamps"] as const).find(
    (option) => offered[option] !== undefined && peer.syn?.options[option] === undefined,
  );
  return uninvited === undefined ? undefined : { expected: `no ${uninvited} option in the SYN,ACK`, found: "one" };
}
