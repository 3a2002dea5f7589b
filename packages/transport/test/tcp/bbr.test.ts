// BBRv3 on a path whose rate and delay are known (draft-ietf-ccwg-bbr): what it believes, and what it does to the queue.
import { describe, expect, test } from "vitest";
import { Bbr, type TcpConnection, type TcpStackOptions } from "../../src/index.ts";
import { DeliveryRate } from "../../src/tcp/delivery-rate.ts";
import { createSentSegment, type SentSegment } from "../../src/tcp/sent-segment.ts";
import type { TransmissionControlBlock } from "../../src/tcp/transmission-control-block.ts";
import { twoHosts } from "../two-hosts.ts";
import { acknowledgment, congestionSettings, start } from "./congestion-fixtures.ts";

const RATE = 1e7;
const PIPE = (RATE / 8) * 0.04;

interface Bulk {
  readonly connection: TcpConnection;
  readonly bbr: Bbr;
  readonly received: () => number;
  readonly advance: (duration: number) => void;
}

/** A sender that never runs dry over 10 Mbit/s and 40 ms; `pause` says when it has nothing to send. */
function bulk(options: TcpStackOptions = {}, queueLimit = 200): Bulk {
  const net = twoHosts({
    wire: { latency: 20, aToB: { rate: RATE, queueLimit } },
    a: { congestionControl: "bbr", ...options },
    b: { receiveBuffer: 2 ** 22 },
  });
  let received = 0;
  const listener = net.b.tcp.listen(
    { address: net.b.address, port: 80 },
    {
      acceptable: (listening) => {
        const connection = listening.accept() as TcpConnection;
        const sink = new Uint8Array(65536);
        connection.user = {
          readable: () => {
            for (let read = connection.receiveInto(sink); read > 0; read = connection.receiveInto(sink)) received += read;
          },
        };
      },
    },
  );
  const chunk = new Uint8Array(65536);
  const fill = (connection: TcpConnection): void => {
    while (connection.send(chunk) === chunk.length);
  };
  const connection = net.a.tcp.open({ address: net.b.address, port: 80 }, { opened: fill, writable: fill });
  if (typeof connection === "string" || typeof listener === "string") throw new Error("cannot open");
  const { tcb } = connection as unknown as { tcb: TransmissionControlBlock };
  return { connection, bbr: tcb.congestion as Bbr, received: () => received, advance: (duration) => net.clock.advance(duration) };
}

describe("BBR", () => {
  test("finds the rate and the round trip of the path", () => {
    const { bbr, advance } = bulk();
    advance(2000);
    // 1460 of 1500 octets are text.
    expect((bbr.model.bandwidthMaximum * 8) / (RATE * (1460 / 1500))).toBeCloseTo(1, 1);
    expect(bbr.model.shortestRoundTrip).toBeCloseTo(40, -0.5);
  });

  test("goes through startup and drain to cruising, with the queue empty", () => {
    const { bbr, connection, advance } = bulk();
    const states: string[] = [];
    for (let now = 0; now < 1500; now += 5) {
      advance(5);
      if (bbr.state !== states.at(-1)) states.push(bbr.state);
    }
    expect(states.slice(0, 2)).toEqual(["startup", "drain"]);
    expect(states).toContain("probe-cruise");
    expect(bbr.state).toBe("probe-cruise");
    expect(connection.info().unacknowledged).toBeLessThan(1.1 * PIPE);
  });

  test("probes for more every few seconds, up, down and back", () => {
    const { bbr, advance } = bulk();
    const seen = new Set<string>();
    for (let now = 0; now < 6000; now += 5) {
      advance(5);
      seen.add(bbr.state);
    }
    expect([...seen].sort()).toEqual(["drain", "probe-cruise", "probe-down", "probe-refill", "probe-rtt", "probe-up", "startup"]);
  });

  test("fills the path, with a round trip near its least: CUBIC fills the queue instead", () => {
    const measure = (congestionControl: "bbr" | "cubic"): { share: number; roundTrip: number } => {
      const { received, connection, advance } = bulk({ congestionControl });
      advance(2000);
      const before = received();
      let sum = 0;
      for (let count = 0; count < 100; count += 1) {
        advance(80);
        sum += connection.info().smoothedRoundTripTime ?? 0;
      }
      return { share: ((received() - before) * 8) / (RATE * 8), roundTrip: sum / 100 };
    };
    const bbr = measure("bbr");
    const cubic = measure("cubic");
    expect(bbr.share).toBeGreaterThan(0.9);
    expect(bbr.roundTrip).toBeLessThan(65);
    expect(cubic.roundTrip).toBeGreaterThan(100);
  });

  test("paces: maximumPacingRate bounds it, too", () => {
    const { received, advance } = bulk({ maximumPacingRate: 100_000 });
    advance(10_000);
    expect(received()).toBeGreaterThan(900_000);
    expect(received()).toBeLessThan(1_020_000);
  });

  test("a loss without congestion costs little: the window is restored after recovery", () => {
    const bbr = new Bbr(congestionSettings());
    bbr.established({ ...start(1000, 100_000), roundTrip: 50 });
    bbr.enterRecovery(100_000);
    bbr.delivered(acknowledgment({ now: 50, octets: 1000, inFlight: 60_000, lost: 1000, rate: rate(1000) }));
    expect(bbr.window).toBe(61_000);
    bbr.leaveRecovery();
    expect(bbr.window).toBe(100_000);
  });

  test("undo: what a spurious loss took away comes back", () => {
    const bbr = new Bbr(congestionSettings());
    bbr.established({ ...start(1000, 100_000), roundTrip: 50 });
    bbr.timedOut(100_000, false);
    expect(bbr.window).toBe(1000);
    bbr.undo();
    expect(bbr.window).toBe(100_000);
  });
});

function rate(totalDelivered: number): {
  totalDelivered: number;
  priorDelivered: number;
  deliveryRate: number;
  applicationLimited: boolean;
  inFlightWhenSent: number;
  lost: number;
} {
  return { totalDelivered, priorDelivered: 0, deliveryRate: 1000, applicationLimited: false, inFlightWhenSent: 1000, lost: 0 };
}

describe("delivery rate samples (draft-ietf-ccwg-bbr §4.1)", () => {
  const segment = (start: number, end: number): SentSegment => createSentSegment(start, end, 0, 0);

  test("is what was delivered between sending and acknowledgment, over the time that took", () => {
    const rates = new DeliveryRate();
    const [a, b] = [segment(0, 1000), segment(1000, 2000)];
    rates.sent(a, 0, 0, 100);
    rates.sent(b, 1000, 0, 100);
    expect(rates.acknowledged([a], 1000, 0, 0, 200)).toMatchObject({ deliveryRate: 10_000, priorDelivered: 0, totalDelivered: 1000 });
    expect(rates.acknowledged([b], 1000, 0, 0, 210)?.deliveryRate).toBeCloseTo(2000 / 0.11);
  });

  test("acknowledgments that come compressed do not make the path look faster than it was sent to", () => {
    const rates = new DeliveryRate();
    const segments = Array.from({ length: 10 }, (_, index) => segment(1000 * index, 1000 * (index + 1)));
    for (const [index, one] of segments.entries()) rates.sent(one, 1000 * index, 0, 10 * index);
    let last = 0;
    for (const one of segments) last = rates.acknowledged([one], 1000, 0, 0, 190)?.deliveryRate ?? 0;
    expect(last).toBeLessThan(110_000);
  });

  test("an interval shorter than the shortest round trip means nothing", () => {
    const rates = new DeliveryRate();
    const one = segment(0, 1000);
    rates.sent(one, 0, 0, 100);
    expect(rates.acknowledged([one], 1000, 0, 50, 140)).toMatchObject({ deliveryRate: 0 });
  });

  test("of a sender that had nothing to send it says so, until all of that was delivered", () => {
    const rates = new DeliveryRate();
    const [a, b, c] = [segment(0, 1000), segment(1000, 2000), segment(2000, 3000)];
    rates.sent(a, 0, 0, 0);
    rates.limitedByApplication(1000);
    rates.sent(b, 1000, 0, 0);
    expect(rates.acknowledged([a], 1000, 0, 0, 100)?.applicationLimited).toBe(false);
    expect(rates.acknowledged([b], 1000, 0, 0, 100)?.applicationLimited).toBe(true);
    rates.sent(c, 1000, 0, 100);
    expect(rates.acknowledged([c], 1000, 0, 0, 200)?.applicationLimited).toBe(false);
  });

  test("counts what was lost since the segment was sent", () => {
    const rates = new DeliveryRate();
    const one = segment(0, 1000);
    rates.sent(one, 5000, 3000, 0);
    expect(rates.acknowledged([one], 1000, 4500, 0, 100)).toMatchObject({ lost: 1500, inFlightWhenSent: 6000 });
  });
});
