// What holds for every congestion control, whatever happens to it: a window of at least a segment, and a number.
import fc from "fast-check";
import { describe, test } from "vitest";
import { CONGESTION_CONTROLS, type CongestionControl, type CongestionControlName } from "../../src/index.ts";
import { acknowledgment, congestionSettings, start } from "./congestion-fixtures.ts";

const SMSS = 1000;

interface Event {
  readonly kind: "acknowledged" | "loss" | "repaired" | "timeout" | "mark" | "undo" | "restrict" | "pause" | "segment-size";
  readonly elapsed: number;
  readonly octets: number;
  readonly roundTrip: number | undefined;
  readonly flightSize: number;
  readonly flag: boolean;
}

const events: fc.Arbitrary<Event[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Event["kind"][]>(
      "acknowledged",
      "acknowledged",
      "acknowledged",
      "acknowledged",
      "loss",
      "repaired",
      "timeout",
      "mark",
      "undo",
      "restrict",
      "pause",
      "segment-size",
    ),
    elapsed: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100_000, noNaN: true })),
    octets: fc.integer({ min: 0, max: 1_000_000 }),
    roundTrip: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true }), { nil: undefined }),
    flightSize: fc.integer({ min: 0, max: 1_000_000 }),
    flag: fc.boolean(),
  }),
  { maxLength: 200 },
);

/** What the connection would have told `control`. */
function tell(control: CongestionControl, list: readonly Event[], check: () => void): void {
  let now = 0;
  let una = 0;
  let segmentSize = SMSS;
  let delivered = 0;
  for (const { kind, elapsed, octets, roundTrip, flightSize, flag } of list) {
    now += elapsed;
    if (kind === "acknowledged") {
      una = (una + octets) >>> 0;
      delivered += octets;
      const rate = {
        totalDelivered: delivered,
        priorDelivered: Math.max(0, delivered - flightSize),
        deliveryRate: elapsed === 0 ? 0 : (octets * 1000) / elapsed,
        applicationLimited: !flag,
        inFlightWhenSent: flightSize,
        lost: flag ? 0 : Math.floor(flightSize / 3),
      };
      const sample = acknowledgment({
        now,
        octets,
        limited: flag,
        roundTrip,
        smoothedRoundTrip: roundTrip,
        una,
        nxt: (una + flightSize) >>> 0,
        inFlight: flightSize,
        rate,
      });
      control.delivered?.(sample);
      control.acknowledged(sample);
    } else if (kind === "loss") control.enterRecovery(flightSize, now);
    else if (kind === "repaired") control.leaveRecovery(flightSize);
    else if (kind === "timeout") control.timedOut(flightSize, flag, now);
    else if (kind === "mark") control.congestionExperienced?.(flightSize, now);
    else if (kind === "undo") control.undo?.();
    else if (kind === "restrict") control.restrict?.(octets, Math.max(2 * segmentSize, flightSize));
    else if (kind === "pause") control.restarted?.(elapsed, now);
    else {
      segmentSize = 1 + Math.floor(octets / 20);
      control.segmentSizeChanged(segmentSize);
    }
    check();
  }
}

describe.each(Object.keys(CONGESTION_CONTROLS) as CongestionControlName[])("%s", (name) => {
  test.each(["octets", "segments"] as const)(
    "never has a window below a segment, nor one that is not a number, reckoning in %s",
    (accounting) => {
      fc.assert(
        fc.property(events, fc.boolean(), (list, hystart) => {
          const control = CONGESTION_CONTROLS[name](congestionSettings({ accounting, hystart }));
          control.established(start(SMSS));
          tell(control, list, () => {
            const isFine =
              control.window >= 1 &&
              control.window <= 2 ** 30 &&
              control.threshold >= 1 &&
              !(control.pacingRate !== undefined && !(control.pacingRate > 0));
            if (!isFine) throw new Error(`window ${control.window}, threshold ${control.threshold}, rate ${control.pacingRate}`);
          });
        }),
      );
    },
  );

  test("with segments of one size the window is never below one of them", () => {
    fc.assert(
      fc.property(events, (list) => {
        const control = CONGESTION_CONTROLS[name](congestionSettings());
        control.established(start(SMSS));
        tell(
          control,
          list.filter(({ kind }) => kind !== "segment-size"),
          () => {
            if (!(control.window >= SMSS) || !(control.threshold >= 2 * SMSS))
              throw new Error(`window ${control.window}, threshold ${control.threshold}`);
          },
        );
      }),
    );
  });
});
