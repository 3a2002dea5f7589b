// Congestion control and loss recovery without SACK, as the wire shows them (RFC 5681, RFC 6582, RFC 6928, RFC 3042).
import { sequenceAdd } from "@netstrata/core";
import { describe, expect } from "vitest";
import type { CongestionControl, TcpConnection, TcpListenOptions } from "../../src/index.ts";
import type { TransmissionControlBlock } from "../../src/tcp/transmission-control-block.ts";
import { dialogue, octets, type Peer } from "./peer.ts";

const MSS = 1000;

/** A connection with segments of 1000 octets and a window that is never in the way; `octets` are given to it at once. */
function sendOver(peer: Peer, count: number, roundTrip = 100, options: TcpListenOptions = { congestionControl: "newreno" }): TcpConnection {
  peer.listen({ sendBuffer: 1_000_000, ...options });
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: MSS, windowScale: 7 } });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.advance(roundTrip);
  peer.send({ flags: "A", seq: 1, ack: 1 });
  const connection = peer.accepted();
  expect(connection.send(octets(count))).toBe(count);
  return connection;
}

/** Numbers at which the segments start that were sent by now, in thousands. */
function sent(peer: Peer): number[] {
  return peer.takeAll().map(({ seq }) => (seq - 1) / MSS);
}

/** Acknowledges so many thousands. */
function acknowledge(peer: Peer, thousands: number): void {
  peer.send({ flags: "A", ack: 1 + MSS * thousands });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe("slow start and congestion avoidance", () => {
  dialogue("MUST-19: the first window is ten segments, and each acknowledgment lets two more out (RFC 6928, RFC 5681 §3.1)", (peer) => {
    const connection = sendOver(peer, 100_000);
    expect(sent(peer)).toEqual(range(0, 10));
    for (let index = 1; index <= 5; index += 1) {
      acknowledge(peer, index);
      expect(sent(peer)).toEqual([8 + 2 * index, 9 + 2 * index]);
    }
    expect(connection.info().congestionWindow).toBe(15_000);
  });

  dialogue("MUST-19: an acknowledgment of many segments counts as one (RFC 5681 equation 2)", (peer) => {
    const connection = sendOver(peer, 100_000);
    expect(sent(peer)).toHaveLength(10);
    acknowledge(peer, 10);
    expect([connection.info().congestionWindow, sent(peer).length]).toEqual([11_000, 11]);
  });

  dialogue("MUST-19: after a timeout slow start ends at half of what was in flight, then it is a segment a round trip", (peer) => {
    const connection = sendOver(peer, 100_000);
    expect(sent(peer)).toHaveLength(10);
    peer.advance(1000);
    expect(sent(peer)).toEqual([0]);
    expect(connection.info()).toMatchObject({ congestionWindow: MSS, slowStartThreshold: 5000 });
    acknowledge(peer, 10);
    expect(sent(peer)).toEqual([10, 11]);
    for (const [upTo, window] of [
      [11, 3000],
      [12, 4000],
      [13, 5000],
      // Five acknowledgments make a window.
      [14, 5000],
      [15, 5000],
      [16, 5000],
      [17, 5000],
      [18, 6000],
    ] as const) {
      acknowledge(peer, upTo);
      expect(connection.info().congestionWindow).toBe(window);
    }
    peer.takeAll();
  });

  dialogue("a window that the user does not fill does not grow", (peer) => {
    const connection = sendOver(peer, 1000);
    expect(sent(peer)).toEqual([0]);
    for (let index = 1; index <= 20; index += 1) {
      acknowledge(peer, index);
      connection.send(octets(MSS));
      expect(sent(peer)).toEqual([index]);
    }
    expect(connection.info().congestionWindow).toBe(10_000);
  });

  dialogue("after a pause the window begins where it once began (RFC 5681 §4.1)", (peer) => {
    const connection = sendOver(peer, 30_000);
    for (let index = 0; index < 30; index += 1) acknowledge(peer, index + 1);
    peer.takeAll();
    // It grew as long as it was in the way, and again when the second round trip had shown eighteen segments (RFC 7661 §4.3).
    expect(connection.info().congestionWindow).toBe(24_000);
    peer.advance(1001);
    connection.send(octets(30_000));
    expect(sent(peer)).toHaveLength(10);
  });
});

/** As much as a segment and no more, whatever happens: not a good one, but it obeys the contract. */
class StopAndWait implements CongestionControl {
  readonly name = "stop-and-wait";
  window = MSS;
  readonly threshold = Number.POSITIVE_INFINITY;
  established(): void {}
  segmentSizeChanged(): void {}
  acknowledged(): void {}
  enterRecovery(): void {}
  leaveRecovery(): void {}
  timedOut(): void {}
}

describe("another algorithm", () => {
  dialogue(
    "MAY-18: may take NewReno's place for all connections of a stack",
    (peer) => {
      sendOver(peer, 5000, 100, {});
      for (let index = 0; index < 5; index += 1) {
        expect(sent(peer)).toEqual([index]);
        acknowledge(peer, index + 1);
      }
    },
    { congestionControl: () => new StopAndWait() },
  );
});

describe("fast retransmit and fast recovery", () => {
  dialogue("RFC 3042: each of the first two duplicates lets one new segment out; the third sends the lost one again", (peer) => {
    const connection = sendOver(peer, 100_000);
    expect(sent(peer)).toHaveLength(10);
    acknowledge(peer, 0);
    expect(sent(peer)).toEqual([10]);
    acknowledge(peer, 0);
    expect(sent(peer)).toEqual([11]);
    acknowledge(peer, 0);
    expect(sent(peer)).toEqual([0]);
    // RFC 5681 §3.2 step 2: the two of limited transmit do not count.
    expect(connection.info().slowStartThreshold).toBe(5000);
    expect(peer.retransmissions.map(({ reason }) => reason)).toEqual(["fast-retransmit"]);
  });

  dialogue("each further duplicate inflates the window by a segment, the full acknowledgment deflates it (§3.2 steps 4 to 6)", (peer) => {
    const connection = sendOver(peer, 100_000);
    expect(sent(peer)).toHaveLength(10);
    for (let duplicate = 1; duplicate <= 11; duplicate += 1) acknowledge(peer, 0);
    // 5 + 3 segments at the third, 16 at the eleventh: four more than the twelve that are out.
    expect(sent(peer)).toEqual([10, 11, 0, 12, 13, 14, 15]);
    acknowledge(peer, 12);
    // Four in flight: min(ssthresh, 4 + 1).
    expect([connection.info().congestionWindow, sent(peer)]).toEqual([5000, [16]]);
  });

  dialogue("RFC 6582: a partial acknowledgment sends the next hole at once, and recovery goes on", (peer) => {
    const connection = sendOver(peer, 12_000);
    expect(sent(peer)).toHaveLength(10);
    for (let duplicate = 1; duplicate <= 8; duplicate += 1) acknowledge(peer, 0);
    expect(sent(peer)).toEqual([10, 11, 0]);
    acknowledge(peer, 3);
    expect(sent(peer)).toEqual([3]);
    acknowledge(peer, 7);
    expect(sent(peer)).toEqual([7]);
    acknowledge(peer, 12);
    expect([sent(peer), connection.info().slowStartThreshold]).toEqual([[], 5000]);
    expect(peer.retransmissions.map(({ reason }) => reason)).toEqual([
      "fast-retransmit",
      "partial-acknowledgment",
      "partial-acknowledgment",
    ]);
  });

  dialogue("RFC 6582 §3.2 step 1: duplicates after a timeout do not start it again", (peer) => {
    sendOver(peer, 10_000);
    expect(sent(peer)).toHaveLength(10);
    peer.advance(1000);
    expect(sent(peer)).toEqual([0]);
    for (let duplicate = 1; duplicate <= 5; duplicate += 1) acknowledge(peer, 0);
    expect([sent(peer), peer.tcp.counters.TCPRenoRecovery]).toEqual([[], 0]);
  });

  dialogue("RFC 5681 §2: only what fulfils all five conditions is a duplicate", (peer) => {
    const connection = sendOver(peer, 10_000);
    expect(sent(peer)).toHaveLength(10);
    // Another window, text, FIN, an older number: none of them says that something arrived out of order.
    for (let window = 60_000; window < 60_005; window += 1) peer.send({ flags: "A", ack: 1, window });
    for (let index = 0; index < 4; index += 1) peer.send({ flags: "A", ack: 1, data: octets(1) });
    for (let index = 0; index < 4; index += 1) peer.send({ flags: "A", ack: 0 });
    expect(peer.retransmissions).toEqual([]);
    // And with nothing in flight nothing can be missing.
    acknowledge(peer, 10);
    for (let index = 0; index < 4; index += 1) acknowledge(peer, 10);
    expect([peer.retransmissions, connection.info().congestionWindow]).toEqual([[], 11_000]);
    peer.takeAll();
  });

  dialogue("after more than 2^31 octets without a loss the first one is found all the same", (peer) => {
    const connection = sendOver(peer, 0);
    const { tcb } = connection as unknown as { tcb: TransmissionControlBlock };
    // Moves the stream on by 3 GiB, as three acknowledgments of 1 GiB each would.
    for (let step = 0; step < 3; step += 1) {
      tcb.snd.una = tcb.snd.nxt = sequenceAdd(tcb.snd.nxt, 2 ** 30);
      tcb.recovery.acknowledged(tcb, {
        octets: 2 ** 30,
        delivered: [],
        deliveredLength: 2 ** 30,
        sackedCount: 0,
        acknowledgedCount: 1,
        isRepeat: false,
        isDuplicate: false,
        duplicateSack: undefined,
        echoesOriginal: false,
      });
    }
    connection.send(octets(10_000));
    expect(peer.takeAll()).toHaveLength(10);
    for (let duplicate = 1; duplicate <= 3; duplicate += 1) peer.send({ flags: "A", ack: 1 + 3 * 2 ** 30 });
    expect(peer.takeAll()).toHaveLength(1);
    expect(peer.retransmissions.map(({ reason }) => reason)).toEqual(["fast-retransmit"]);
  });
});

describe("the path MTU (RFC 1191)", () => {
  dialogue("segments shrink to what the path takes, and what was too large is sent again at once; the window stays", (peer) => {
    const connection = sendOver(peer, 3000);
    expect(sent(peer)).toEqual([0, 1, 2]);
    peer.sendIcmp({ type: 3, code: 4, rest: 640 }, { seq: 1 });
    expect(peer.takeAll().map(({ seq, text }) => [seq, text.length])).toEqual([
      [1, 600],
      [601, 400],
      [1001, 600],
      [1601, 400],
      [2001, 600],
      [2601, 400],
    ]);
    expect(connection.info()).toMatchObject({ sendMaximumSegmentSize: 600, congestionWindow: 10_000 });
    expect(peer.retransmissions.every(({ reason }) => reason === "path-mtu")).toBe(true);
  });

  dialogue("a message that names no size makes us guess the next plateau (§7.1)", (peer) => {
    const connection = sendOver(peer, 1000);
    expect(sent(peer)).toEqual([0]);
    peer.sendIcmp({ type: 3, code: 4, rest: 0 }, { seq: 1 });
    expect(peer.takeAll().length).toBeGreaterThan(1);
    expect(connection.info().sendMaximumSegmentSize).toBeLessThan(1000);
  });

  dialogue("RFC 5927 §7: one about a number that is not in flight is not believed", (peer) => {
    const connection = sendOver(peer, 3000);
    expect(sent(peer)).toEqual([0, 1, 2]);
    for (const seq of [0, 3001, 100_000, -100_000]) peer.sendIcmp({ type: 3, code: 4, rest: 640 }, { seq });
    expect([sent(peer), connection.info().sendMaximumSegmentSize]).toEqual([[], 1000]);
  });

  dialogue("one that names a larger size than we send changes nothing", (peer) => {
    const connection = sendOver(peer, 1000);
    expect(sent(peer)).toEqual([0]);
    peer.sendIcmp({ type: 3, code: 4, rest: 1400 }, { seq: 1 });
    expect([sent(peer), connection.info().sendMaximumSegmentSize]).toEqual([[], 1000]);
  });

  dialogue("RFC 1191 §6.3: a living connection sends larger segments again when what was learnt is forgotten", (peer) => {
    const connection = sendOver(peer, 1000);
    expect(sent(peer)).toEqual([0]);
    peer.sendIcmp({ type: 3, code: 4, rest: 640 }, { seq: 1 });
    peer.takeAll();
    peer.send({ flags: "A", ack: 1001 });
    expect(connection.info().sendMaximumSegmentSize).toBe(600);
    peer.advance(11 * 60 * 1000);
    connection.send(octets(1000, 1000));
    expect(peer.takeAll().map(({ text }) => text.length)).toEqual([1000]);
    expect(connection.info().sendMaximumSegmentSize).toBe(1000);
  });

  dialogue("RFC 6691 §4: the announced size is the link's, not that of the path there", (peer) => {
    peer.internet.pathMtuReduced(peer.address, 640);
    peer.listen();
    peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: MSS } });
    expect(peer.expect({ flags: "SA" }).options.maximumSegmentSize).toBe(1460);
  });

  dialogue("what one connection has learnt holds for the next segment of the others", (peer) => {
    const connection = sendOver(peer, 0);
    peer.internet.pathMtuReduced(peer.address, 640);
    connection.send(octets(1000));
    expect(peer.takeAll().map(({ seq, text }) => [seq, text.length])).toEqual([
      [1, 600],
      [601, 400],
    ]);
  });
});
