// The options of hop-by-hop and destination headers (RFC 8200 §4.2): what an option that nobody knows asks to be done.
import type { PacketBuffer } from "@netstrata/core";
import type { Ipv6DropReason } from "./ipv6-counters.ts";

export const OPTION_PAD1 = 0;
export const OPTION_PADN = 1;
/** RFC 2711; known, and nothing to do: whoever wants to hear of it has joined the group it is sent to. */
export const OPTION_ROUTER_ALERT_V6 = 5;

/** More options in a row of padding say nothing and cost time (RFC 8504 §5.3). */
const MAX_PADDING = 7;

/** What is to become of a datagram that cannot be used: drop it, and say so where there is a message for it. */
export interface Ipv6Fault {
  readonly reason: Ipv6DropReason;
  /** The code of the Parameter Problem (RFC 4443 §3.4); undefined for silence. */
  readonly code?: number;
  /** Octets from the start of the IPv6 header to what is wrong. */
  readonly pointer: number;
  /** The error may be about a datagram to a group (RFC 4443 §2.4 e.3). */
  readonly evenForGroups?: boolean;
}

export const PROBLEM_ERRONEOUS_FIELD = 0;
export const PROBLEM_UNKNOWN_NEXT_HEADER = 1;
export const PROBLEM_UNKNOWN_OPTION = 2;
/** RFC 7112 §5. */
export const PROBLEM_INCOMPLETE_CHAIN = 3;

/**
 * Goes through the options between `at` and `end`, both in octets from the IPv6 header.
 * @param datagram its window starts at the IPv6 header
 * @param limit how many options beside padding (RFC 8504 §5.3)
 * @returns what is wrong; undefined when nothing is
 */
export function checkOptions(datagram: PacketBuffer, at: number, end: number, limit: number): Ipv6Fault | undefined {
  let options = 0;
  let padding = 0;
  while (at < end) {
    const type = datagram.u8(at);
    if (type === OPTION_PAD1) {
      padding += 1;
      if (padding > MAX_PADDING) return { reason: "too-much-padding", pointer: at };
      at += 1;
      continue;
    }
    if (at + 1 >= end) return { reason: "bad-option", code: PROBLEM_ERRONEOUS_FIELD, pointer: at };
    const length = datagram.u8(at + 1);
    if (at + 2 + length > end) return { reason: "bad-option", code: PROBLEM_ERRONEOUS_FIELD, pointer: at + 1 };
    if (type === OPTION_PADN) {
      padding += 2 + length;
      if (padding > MAX_PADDING) return { reason: "too-much-padding", pointer: at };
    } else {
      padding = 0;
      options += 1;
      if (options > limit) return { reason: "too-many-options", pointer: at };
      if (type !== OPTION_ROUTER_ALERT_V6) {
        const fault = faultOfUnknown(type, at);
        if (fault !== undefined) return fault;
      }
    }
    at += 2 + length;
  }
  return undefined;
}

/** RFC 8200 §4.2: the two highest bits of its type say what to do with an option that is not known. */
function faultOfUnknown(type: number, pointer: number): Ipv6Fault | undefined {
  switch (type >>> 6) {
    case 0b00:
      return undefined;
    case 0b01:
      return { reason: "unknown-option", pointer };
    case 0b10:
      return { reason: "unknown-option", code: PROBLEM_UNKNOWN_OPTION, pointer, evenForGroups: true };
    default:
      return { reason: "unknown-option", code: PROBLEM_UNKNOWN_OPTION, pointer };
  }
}
