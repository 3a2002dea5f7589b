// The scoreboard against a naive list of what was sent.
import { sequenceAdd, sequenceDistance } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Scoreboard } from "../../src/tcp/scoreboard.ts";
import type { SentSegment } from "../../src/tcp/sent-segment.ts";
import { FIN, SYN } from "../../src/tcp/tcp-header.ts";

const STARTS = [0, 2 ** 31 - 300, 2 ** 32 - 300];

type Step =
  | { readonly kind: "push"; readonly length: number }
  | { readonly kind: "acknowledge" | "report"; readonly from: number; readonly part: number }
  | { readonly kind: "lose one" | "repeat" | "split"; readonly which: number }
  | { readonly kind: "lose all" | "forget" | "unmark" };

const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("push" as const), length: fc.integer({ min: 2, max: 50 }) }),
  fc.record({ kind: fc.constantFrom("acknowledge" as const, "report" as const), from: fraction, part: fraction }),
  fc.record({ kind: fc.constantFrom("lose one" as const, "repeat" as const, "split" as const), which: fraction }),
  fc.record({ kind: fc.constantFrom("lose all" as const, "forget" as const, "unmark" as const) }),
);

/** Those in flight, in the order in which they were sent. */
function inFlight(scoreboard: Scoreboard): SentSegment[] {
  const found: SentSegment[] = [];
  for (let segment = scoreboard.earliestInFlight; segment !== undefined; segment = segment.later) {
    expect(segment.later?.earlier ?? segment).toBe(segment);
    found.push(segment);
  }
  return found;
}

describe.each(STARTS)("numbers from %i", (base) => {
  test("its sums are those of its segments, its first lost one is the first, and acknowledgments take what they cover", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 120 }), (steps) => {
        const scoreboard = new Scoreboard();
        let una = base;
        let nxt = base;
        let now = 0;
        const pick = (which: number): SentSegment | undefined => [...scoreboard][Math.floor(which * scoreboard.count)];
        for (const step of steps) {
          const delivered: SentSegment[] = [];
          if (step.kind === "push") {
            now += 1;
            scoreboard.push(nxt, sequenceAdd(nxt, step.length), 0, now);
            nxt = sequenceAdd(nxt, step.length);
          } else if (step.kind === "acknowledge") {
            const knownBefore = new Set([...scoreboard].filter(({ sacked }) => sacked));
            una = sequenceAdd(una, Math.floor(step.part * (sequenceDistance(una, nxt) + 1)));
            scoreboard.acknowledge(una, delivered);
            for (const segment of delivered) {
              expect(sequenceDistance(segment.end, una)).toBeGreaterThanOrEqual(0);
              expect(knownBefore.has(segment)).toBe(false);
            }
          } else if (step.kind === "report") {
            const left = sequenceAdd(una, 1 + Math.floor(step.from * sequenceDistance(una, nxt)));
            const right = sequenceAdd(left, Math.floor(step.part * sequenceDistance(left, nxt)));
            scoreboard.reportSacked(left, right, delivered);
            for (const segment of delivered) {
              expect(segment).toMatchObject({ sacked: true, lost: false });
              expect(sequenceDistance(left, segment.start)).toBeGreaterThanOrEqual(0);
              expect(sequenceDistance(segment.end, right)).toBeGreaterThanOrEqual(0);
            }
          } else if (step.kind === "lose all") scoreboard.markAllLost();
          else if (step.kind === "forget") scoreboard.forgetSacked();
          else if (step.kind === "unmark") scoreboard.unmarkLost();
          else if ("which" in step) {
            const segment = pick(step.which);
            if (segment === undefined) continue;
            const length = sequenceDistance(segment.start, segment.end);
            if (step.kind === "lose one") scoreboard.markLost(segment);
            else if (step.kind === "repeat") {
              now += 1;
              scoreboard.retransmitted(segment, now);
            } else if (length > 1) scoreboard.split(segment, sequenceAdd(segment.start, length >> 1), SYN);
          }
          const segments = [...scoreboard];
          const lengthOf = (chosen: (segment: SentSegment) => boolean): number =>
            segments.filter(chosen).reduce((sum, { start, end }) => sum + sequenceDistance(start, end), 0);
          expect({
            ...pickSums(scoreboard),
            first: scoreboard.first(),
            last: scoreboard.last(),
            firstLost: scoreboard.firstLost(),
          }).toEqual({
            count: segments.length,
            isEmpty: segments.length === 0,
            lostLength: lengthOf(({ lost }) => lost),
            lostCount: segments.filter(({ lost }) => lost).length,
            pendingCount: segments.filter(({ lost, resent }) => lost && !resent).length,
            resentLength: lengthOf(({ resent }) => resent),
            resentCount: segments.filter(({ resent }) => resent).length,
            sackedLength: lengthOf(({ sacked }) => sacked),
            sackedCount: segments.filter(({ sacked }) => sacked).length,
            repeatedCount: segments.filter(({ transmissions }) => transmissions > 1).length,
            first: segments[0],
            last: segments.at(-1),
            firstLost: segments.find(({ lost, resent }) => lost && !resent),
          });
          const byTime = segments.filter(({ lost, resent, sacked }) => !sacked && (!lost || resent));
          expect(inFlight(scoreboard)).toEqual(byTime.sort((a, b) => a.sentAt - b.sentAt));
          // They lie end to end between SND.UNA and SND.NXT.
          expect(segments.reduce((at, { start, end }) => (start === at ? end : Number.NaN), una)).toBe(nxt);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function pickSums(scoreboard: Scoreboard): object {
  const { count, isEmpty, lostLength, lostCount, pendingCount, sackedLength, sackedCount, resentLength, resentCount, repeatedCount } =
    scoreboard;
  return { count, isEmpty, lostLength, lostCount, pendingCount, sackedLength, sackedCount, resentLength, resentCount, repeatedCount };
}

test("a segment that is cut in two leaves the SYN in front and the FIN behind", () => {
  const scoreboard = new Scoreboard();
  scoreboard.push(0, 10, SYN | FIN, 0);
  scoreboard.split(scoreboard.first() as SentSegment, 4, SYN);
  expect([...scoreboard]).toMatchObject([
    { start: 0, end: 4, flags: SYN },
    { start: 4, end: 10, flags: FIN },
  ]);
});

test("a queue that never empties does not grow without end", () => {
  const scoreboard = new Scoreboard();
  const held = (): number => (scoreboard as unknown as { segments: unknown[] }).segments.length;
  let most = 0;
  for (let index = 0; index < 10_000; index += 1) {
    scoreboard.push(10 * index, 10 * index + 10, 0, index);
    if (index >= 20) scoreboard.acknowledge(10 * (index - 19), []);
    most = Math.max(most, held());
  }
  expect(most).toBeLessThan(600);
});

/** Adversaries: what a peer may say about a flight of this many segments, and how many segments are looked at for each thing it says. */
describe("the work of an acknowledgment is bounded, whatever is reported (RFC 2018, RFC 6675 §4)", () => {
  const FLIGHT = 20_000;
  const SIZE = 100;
  /** Logarithms of the flight, and a constant. */
  const STEPS_PER_REPORT = 60;

  function flight(): Scoreboard {
    const scoreboard = new Scoreboard();
    for (let index = 0; index < FLIGHT; index += 1) scoreboard.push(index * SIZE, (index + 1) * SIZE, 0, index);
    return scoreboard;
  }

  const attacks: Readonly<Record<string, (turn: number) => [number, number]>> = {
    "the whole flight again and again": () => [1, FLIGHT],
    "a block that grows by one": (turn) => [1, 2 + turn],
    "a block that shrinks from the left": (turn) => [1 + turn, FLIGHT],
    "every other segment, and then all of them": (turn) => (turn < FLIGHT / 2 - 1 ? [2 * turn + 1, 2 * turn + 2] : [1, FLIGHT]),
    "from both ends": (turn) => (turn % 2 === 0 ? [1 + turn, 2 + turn] : [FLIGHT - 1 - turn, FLIGHT]),
    "somewhere to the end": (turn) => [1 + ((turn * 7919) % (FLIGHT - 1)), FLIGHT],
    "single ones from the right to the left, then the whole": (turn) =>
      turn % 16 === 15 ? [1, FLIGHT] : [FLIGHT - 1 - turn, FLIGHT - turn],
  };

  test.each(Object.keys(attacks))("%s", (name) => {
    const scoreboard = flight();
    const turns = FLIGHT - 2;
    for (let turn = 0; turn < turns; turn += 1) {
      const [left, right] = attacks[name](turn);
      scoreboard.reportSacked(left * SIZE, right * SIZE, []);
    }
    // Each segment may be marked once; all else is a few steps for each report.
    expect((scoreboard.steps - FLIGHT) / turns).toBeLessThan(STEPS_PER_REPORT);
  });

  test("to lose and send again the lowest and the highest in turn", () => {
    const scoreboard = flight();
    const ends = [scoreboard.first(), scoreboard.last()] as SentSegment[];
    const before = scoreboard.steps;
    for (let turn = 0; turn < 1000; turn += 1) {
      const segment = ends[turn % 2];
      scoreboard.markLost(segment);
      expect(scoreboard.firstLost()).toBe(segment);
      scoreboard.retransmitted(segment, FLIGHT + turn);
    }
    expect((scoreboard.steps - before) / 1000).toBeLessThan(STEPS_PER_REPORT);
  });
});
