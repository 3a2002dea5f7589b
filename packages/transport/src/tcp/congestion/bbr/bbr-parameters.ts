// The numbers of BBRv3 (draft-ietf-ccwg-bbr), each with its name there.
import type { Milliseconds } from "@netstrata/core";

export type BbrState = "startup" | "drain" | "probe-down" | "probe-cruise" | "probe-refill" | "probe-up" | "probe-rtt";

interface Gains {
  /** Of the sending rate over the estimated bandwidth. */
  readonly pacing: number;
  /** Of the window over the estimated bandwidth-delay product. */
  readonly window: number;
}

/** §5.1, §5.3.1, §5.3.2, §5.3.3, §5.3.4. */
export const GAINS: Readonly<Record<BbrState, Gains>> = {
  // StartupPacingGain, 4 ln 2: doubles the rate each round trip.
  startup: { pacing: 2.77, window: 2 },
  drain: { pacing: 0.5, window: 2 },
  "probe-down": { pacing: 0.9, window: 2 },
  "probe-cruise": { pacing: 1, window: 2 },
  "probe-refill": { pacing: 1, window: 2 },
  "probe-up": { pacing: 1.25, window: 2.25 },
  "probe-rtt": { pacing: 1, window: 0.5 },
};

/** PacingMarginPercent: a little slower than the path, so that the queue drains. */
export const PACING_MARGIN = 0.01;
/** LossThresh: more loss in a round trip than this is too much. */
export const LOSS_THRESHOLD = 0.02;
/** StartupFullLossCnt: and it must have come at so many times. */
export const STARTUP_LOSS_EVENTS = 6;
/** Beta */
export const BETA = 0.7;
/** Headroom: left to others when cruising. */
export const HEADROOM = 0.15;
/** MinPipeCwnd, in segments. */
export const SMALLEST_PIPE_SEGMENTS = 4;
/** MaxBwFilterLen: cycles of probing that a bandwidth is remembered for. */
export const BANDWIDTH_CYCLES = 2;
/** MinRTTFilterLen */
export const ROUND_TRIP_LIFETIME: Milliseconds = 10_000;
/** ProbeRTTInterval, ProbeRTTDuration */
export const PROBE_RTT_INTERVAL: Milliseconds = 5000;
export const PROBE_RTT_DURATION: Milliseconds = 200;
/** §5.3.1.2: the pipe is full when the rate has not grown by a quarter in three rounds. */
export const FULL_GROWTH = 1.25;
export const FULL_ROUNDS = 3;
/** ExtraAckedFilterLen, in rounds. */
export const AGGREGATION_ROUNDS = 10;
/** §5.3.3.5: at least so often, as a Reno flow would see a loss. */
export const LONGEST_PROBE_ROUNDS = 63;
/** §5.3.3.5: 2 to 3 seconds between probes for bandwidth. */
export const PROBE_WAIT: Milliseconds = 2000;
export const PROBE_WAIT_SPREAD: Milliseconds = 1000;
