// What the recorded host's packets ask of ours: not the same packets, but everything that the peer could rely on.
import type { Milliseconds } from "@netstrata/core";
import { RST } from "@netstrata/transport";
import type { OwnOutput } from "./own-output.ts";
import { has, type RecordedSegment } from "./recorded-segment.ts";

/** RFC 9293 §3.8.6.3 (MUST-40): an acknowledgment is delayed by less than this, whoever sends it. */
export const ANSWER_TIME: Milliseconds = 500;

/** One recorded packet of the end we play, as a demand on our stack. */
export interface ExpectedAnswer {
  readonly recorded: RecordedSegment;
  /** The place up to which it acknowledges. */
  readonly acknowledges: number;
  /** It answers something that our stack received when it had sent so many segments: ours must be a later one. */
  readonly after: number;
  readonly deadline: Milliseconds;
}

/** What is missing of it, as two sentences; undefined when it has been met. */
export function missingOf(answer: ExpectedAnswer, output: OwnOutput): { expected: string; found: string } | undefined {
  const sentSince = output.count - answer.after;
  const inTime = `within ${ANSWER_TIME} ms`;
  if (has(answer.recorded, RST)) {
    if (output.lastReset >= answer.after) return undefined;
    return { expected: `a reset ${inTime}`, found: sentSince > 0 ? "an answer without RST" : "no answer" };
  }
  if (sentSince > 0 && output.acknowledges >= answer.acknowledges) return undefined;
  const upTo = (place: number): string => (place <= 1 ? (place === 1 ? "the SYN" : "nothing") : `octet ${place - 1}`);
  if (output.acknowledges >= answer.acknowledges) return { expected: `one more acknowledgment ${inTime}`, found: "no answer" };
  return {
    expected: `an acknowledgment up to ${upTo(answer.acknowledges)} ${inTime}`,
    found: `an acknowledgment up to ${upTo(output.acknowledges)}`,
  };
}
