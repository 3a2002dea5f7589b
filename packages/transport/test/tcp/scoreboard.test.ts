// The scoreboard against a naive list of what was sent.
import { sequenceAdd, sequenceDistance } from "@netstrata/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Scoreboard, type SentSegment } from "../../src/tcp/scoreboard.ts";
import { FIN, SYN } from "../../src/tcp/tcp-header.ts";

const STARTS = [0, 2 ** 31 - 300, 2 ** 32 - 300];

function sent(start: number, length: number, fields: Partial<SentSegment> = {}): SentSegment {
  const end = sequenceAdd(start, length);
  return { start, end, flags: 0, firstSentAt: 0, sentAt: 0, transmissions: 1, lost: false, sacked: false, ...fields };
}

type Step =
  | { readonly kind: "push"; readonly length: number }
  | { readonly kind: "acknowledge" | "report"; readonly from: number; readonly part: number }
  | { readonly kind: "lose one" | "repeat" | "split"; readonly which: number }
  | { readonly kind: "lose all" | "forget" };

const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("push" as const), length: fc.integer({ min: 2, max: 50 }) }),
  fc.record({ kind: fc.constantFrom("acknowledge" as const, "report" as const), from: fraction, part: fraction }),
  fc.record({ kind: fc.constantFrom("lose one" as const, "repeat" as const, "split" as const), which: fraction }),
  fc.record({ kind: fc.constantFrom("lose all" as const, "forget" as const) }),
);

describe.each(STARTS)("numbers from %i", (base) => {
  test("its sums are those of its segments, its first lost one is the first, and acknowledgments take what they cover", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 120 }), (steps) => {
        const scoreboard = new Scoreboard();
        let una = base;
        let nxt = base;
        const pick = (which: number): SentSegment | undefined => [...scoreboard][Math.floor(which * scoreboard.count)];
        for (const step of steps) {
          const delivered: SentSegment[] = [];
          if (step.kind === "push") {
            scoreboard.push(sent(nxt, step.length));
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
          else if ("which" in step) {
            const segment = pick(step.which);
            if (segment === undefined) continue;
            const length = sequenceDistance(segment.start, segment.end);
            if (step.kind === "lose one") scoreboard.markLost(segment);
            else if (step.kind === "repeat") scoreboard.retransmitted(segment, 1);
            else if (length > 1) scoreboard.split(segment, sequenceAdd(segment.start, length >> 1), SYN);
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
            sackedLength: lengthOf(({ sacked }) => sacked),
            sackedCount: segments.filter(({ sacked }) => sacked).length,
            repeatedCount: segments.filter(({ transmissions }) => transmissions > 1).length,
            first: segments[0],
            last: segments.at(-1),
            firstLost: segments.find(({ lost }) => lost),
          });
          // They lie end to end between SND.UNA and SND.NXT.
          expect(segments.reduce((at, { start, end }) => (start === at ? end : Number.NaN), una)).toBe(nxt);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function pickSums({ count, isEmpty, lostLength, sackedLength, sackedCount, repeatedCount }: Scoreboard): object {
  return { count, isEmpty, lostLength, sackedLength, sackedCount, repeatedCount };
}

test("a segment that is cut in two leaves the SYN in front and the FIN behind", () => {
  const scoreboard = new Scoreboard();
  const segment = sent(0, 10, { flags: SYN | FIN });
  scoreboard.push(segment);
  scoreboard.split(segment, 4, SYN);
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
    scoreboard.push(sent(10 * index, 10));
    if (index >= 20) scoreboard.acknowledge(10 * (index - 19), []);
    most = Math.max(most, held());
  }
  expect(most).toBeLessThan(600);
});
