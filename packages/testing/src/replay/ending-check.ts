// What must be true when a connection under replay is over: both streams, and both ends' farewell (RFC 9293 §3.6).
import type { OwnOutput } from "./own-output.ts";
import type { Unexpected } from "./own-segment-check.ts";
import type { StreamUser } from "./stream-user.ts";
import type { TcpPlan } from "./tcp-plan.ts";

/** What our stack has still to send; undefined when that is nothing, or when a RST came between. */
export function unsentOf({ own, peer }: TcpPlan, output: OwnOutput): Unexpected | undefined {
  if (own.sendsReset || peer.sendsReset) return undefined;
  const end = own.syn === undefined ? 0 : own.stream.length + 1 + (own.fin === undefined ? 0 : 1);
  if (output.end >= end) return undefined;
  return { expected: `our stream up to octet ${own.stream.length} and its end`, found: `octets up to ${output.end - 1}` };
}

/** What the application at our end should have seen by now. */
export function missingAtEnd({ own, peer, ends }: TcpPlan, user: StreamUser): Unexpected | undefined {
  if (user.firstWrong !== undefined) {
    return { expected: `the recorded octet ${user.firstWrong + 1} of the peer`, found: "another one was delivered" };
  }
  const received = own.acknowledges - 1 - (peer.fin !== undefined && own.acknowledges > peer.fin ? 1 : 0);
  if (user.received < received) return { expected: `${received} octets of the peer's stream`, found: `${user.received} were delivered` };
  if (!ends || user.connection === undefined) return undefined;
  if (!user.isOver) return { expected: "the end of the connection", found: `state ${user.connection.state}` };
  if (user.error !== undefined && !own.sendsReset && !peer.sendsReset) return { expected: "an end without an error", found: user.error };
  return undefined;
}
