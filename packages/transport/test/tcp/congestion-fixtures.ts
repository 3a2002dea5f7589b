// What the tests of congestion controls have in common: settings, a beginning, and acknowledgments.
import { SeededRandom } from "@netstrata/core";
import type { AcknowledgmentSample, CongestionSettings, CongestionStart } from "../../src/index.ts";

export function congestionSettings(changes: Partial<CongestionSettings> = {}): CongestionSettings {
  return { accounting: "octets", hystart: true, slowStartLimit: undefined, paced: false, random: new SeededRandom(1), ...changes };
}

export function start(segmentSize: number, window: number = 10 * segmentSize): CongestionStart {
  return { segmentSize, window, threshold: Number.POSITIVE_INFINITY, roundTrip: undefined, now: 0 };
}

/** Of a window that was full; the rest as in a connection that has just begun. */
export function acknowledgment(changes: Partial<AcknowledgmentSample>): AcknowledgmentSample {
  return {
    now: 0,
    octets: 0,
    limited: true,
    roundTrip: undefined,
    smoothedRoundTrip: undefined,
    una: 0,
    nxt: 0,
    inFlight: 0,
    lost: 0,
    recovering: false,
    rate: undefined,
    ...changes,
  };
}
