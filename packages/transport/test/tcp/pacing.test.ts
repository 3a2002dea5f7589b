// Pacing: when segments go out, to the millisecond.
import { describe, expect } from "vitest";
import type { TcpListenOptions } from "../../src/index.ts";
import { dialogue, octets, type Peer } from "./peer.ts";

const MSS = 1000;

/** When the first segments of 40,000 octets go out, in ms after `send`. */
function departures(peer: Peer, options: TcpListenOptions): number[] {
  peer.listen({ sendBuffer: 1_000_000, initialWindow: 20, ...options });
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: MSS, windowScale: 7 } });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.advance(100);
  peer.send({ flags: "A", seq: 1, ack: 1 });
  const start = peer.clock.now();
  peer.accepted().send(octets(40_000));
  peer.advance(90);
  return peer.takeAll().map(({ at }) => Math.round(at - start));
}

describe("pacing", () => {
  dialogue("is off by default: the window goes out at once", (peer) => {
    expect(departures(peer, {})).toEqual(new Array(20).fill(0));
  });

  dialogue("spreads two windows over a round trip in slow start", (peer) => {
    const at = departures(peer, { pacing: true });
    expect(at).toHaveLength(20);
    // 40,000 octets in 100 ms are one in 2.5 ms; the credit of 5 ms lets three out at the start.
    expect(at[0]).toBe(0);
    expect(at[19]).toBeGreaterThanOrEqual(42);
    expect(at[19]).toBeLessThanOrEqual(48);
  });

  dialogue("maximumPacingRate: 100,000 octets a second are a segment in ten milliseconds, as SO_MAX_PACING_RATE has it", (peer) => {
    const at = departures(peer, { maximumPacingRate: 100_000 });
    expect(at).toEqual([0, 5, 15, 25, 35, 45, 55, 65, 75, 85]);
  });

  dialogue("seed 2082: what is lost and waits for its turn does not time out meanwhile", (peer) => {
    peer.listen({ sendBuffer: 1_000_000, maximumPacingRate: 500, initialWindow: 3, tailLossProbe: false, sack: false });
    peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: MSS } });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.accepted().send(octets(2000));
    // At this rate 1000 octets take two seconds; the timeout is one.
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.advance(2000);
    peer.expect({ flags: "PA", seq: 1001, data: 1000 });
    expect(peer.tcp.counters.TCPTimeouts).toBe(0);
    peer.advance(1100);
    expect(peer.tcp.counters.TCPTimeouts).toBe(1);
    peer.takeAll();
  });

  dialogue("what waits for its turn is no reason to probe the peer's window", (peer) => {
    departures(peer, { maximumPacingRate: 1000 });
    peer.advance(5000);
    expect(peer.tcp.counters.TCPWinProbe).toBe(0);
    peer.takeAll();
  });
});
