// Selective acknowledgments: what the receiver reports (RFC 2018, RFC 2883), and what the sender makes of it (RFC 8985, RFC 6937).
import { expect, test } from "vitest";
import type { TcpConnection } from "../../src/index.ts";
import { ProportionalRateReduction } from "../../src/tcp/loss-recovery/proportional-rate-reduction.ts";
import { dialogue, octets, type Peer, readAll } from "./peer.ts";

const SACK = { sackPermitted: true };

/** A connection with SACK over a path whose round trip takes so many ms. */
function connect(peer: Peer, roundTrip: number): TcpConnection {
  peer.listen();
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: 1460, sackPermitted: true } });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.advance(roundTrip);
  peer.send({ flags: "A", seq: 1, ack: 1 });
  return peer.accepted();
}

/** Takes what the stack sent and gives the numbers at which its segments start. */
function starts(peer: Peer): number[] {
  return peer
    .takeAll()
    .filter(({ text }) => text.length > 0)
    .map(({ seq }) => seq);
}

dialogue("RFC 2018 §2: SACK is offered in a SYN, and in a SYN,ACK only when the SYN offered it", (peer) => {
  peer.listen();
  peer.send({ flags: "S", seq: 0, options: { sackPermitted: true } });
  expect(peer.expect({ flags: "SA" }).options.sackPermitted).toBe(true);
  peer.send({ flags: "S", seq: 0, port: 5001 });
  expect(peer.expect({ flags: "SA", port: 5001 }).options.sackPermitted).toBeUndefined();
  peer.open();
  expect(peer.expect({ flags: "S" }).options.sackPermitted).toBe(true);
});

dialogue("RFC 2018 §2: the option sack: false keeps it out of both", (peer) => {
  peer.listen({ sack: false });
  peer.send({ flags: "S", seq: 0, options: { sackPermitted: true } });
  expect(peer.expect({ flags: "SA" }).options.sackPermitted).toBeUndefined();
  peer.open({ sack: false });
  expect(peer.expect({ flags: "S" }).options.sackPermitted).toBeUndefined();
});

dialogue("RFC 2018 §4: segments 2, 3, 1: the block with the newest arrival stands first, and the stream is whole in the end", (peer) => {
  const connection = peer.connect({}, SACK);
  peer.send({ flags: "A", seq: 101, data: octets(100, 100) });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 1 }))).toEqual([[101, 201]]);
  peer.send({ flags: "A", seq: 301, data: octets(100, 300) });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 1 }))).toEqual([
    [301, 401],
    [101, 201],
  ]);
  peer.send({ flags: "A", seq: 201, data: octets(100, 200) });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 1 }))).toEqual([[101, 401]]);
  peer.send({ flags: "A", seq: 1, data: octets(100) });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 401 }))).toEqual([]);
  expect(readAll(connection)).toEqual(octets(400));
});

dialogue("RFC 2018 §3: at most four blocks are reported, the newest ones", (peer) => {
  peer.connect({}, SACK);
  for (const start of [101, 301, 501, 701, 901, 1101]) peer.send({ flags: "A", seq: start, data: 100 });
  const reports = peer.takeAll();
  expect(peer.blocksOf(reports[reports.length - 1])).toEqual([
    [1101, 1201],
    [901, 1001],
    [701, 801],
    [501, 601],
  ]);
});

dialogue("RFC 2883 §4: text that was received before is reported as a duplicate, once", (peer) => {
  peer.connect({ delayedAck: 0 }, SACK);
  peer.send({ flags: "A", seq: 1, data: 100 });
  peer.expect({ flags: "A", ack: 101 });
  peer.send({ flags: "A", seq: 1, data: 100 });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 101 }))).toEqual([[1, 101]]);
  peer.send({ flags: "A", seq: 101, data: 100 });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 201 }))).toEqual([]);
});

dialogue("without SACK in the handshake no blocks are sent, and blocks that come are not believed", (peer) => {
  const connection = peer.connect();
  peer.send({ flags: "A", seq: 101, data: 100 });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 1 }))).toEqual([]);
  connection.send(octets(4 * 1460));
  peer.takeAll();
  for (let count = 0; count < 2; count += 1) peer.send({ flags: "A", seq: 1, ack: 1, options: peer.sack([1461, 5841]) });
  expect(peer.retransmissions).toEqual([]);
});

dialogue("RFC 8985 §6.2: three segments reported above a hole: what is missing goes out again, and only that", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(8 * 1460));
  expect(starts(peer)).toEqual([1, 1461, 2921, 4381, 5841, 7301, 8761, 10221]);
  peer.advance(40);
  peer.send({ flags: "A", ack: 1461 });
  for (const right of [4381, 5841, 7301]) peer.send({ flags: "A", ack: 1461, options: peer.sack([2921, right]) });
  expect(starts(peer)).toEqual([1461]);
  expect(peer.retransmissions.map(({ reason, clause }) => [reason, clause])).toEqual([["rack", "RFC 8985 §6.2"]]);
  expect(connection.info().congestionWindow).toBe(connection.info().slowStartThreshold);
  peer.send({ flags: "A", ack: 11681 });
  peer.expectNothing();
});

dialogue("RFC 8985 §6.2: two holes in one window are repaired in one round trip, with one reduction", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(10 * 1460));
  expect(starts(peer)).toHaveLength(10);
  peer.advance(40);
  const holes = peer.sack([1461, 4381], [5841, 14601]);
  peer.send({ flags: "A", ack: 1, options: holes });
  expect(starts(peer)).toEqual([1, 4381]);
  peer.send({ flags: "A", ack: 14601 });
  expect(peer.events.filter(({ kind }) => kind === "congestion").map((event) => (event as unknown as { reason: string }).reason)).toEqual([
    "established",
    "enter-recovery",
    "leave-recovery",
  ]);
});

dialogue("RFC 8985 §6.2: reordering that resolves within a quarter of the round trip is not taken for a loss", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(3 * 1460));
  peer.takeAll();
  peer.advance(40);
  peer.send({ flags: "A", ack: 1, options: peer.sack([1461, 2921]) });
  peer.advance(9);
  peer.send({ flags: "A", ack: 4381 });
  expect(peer.retransmissions).toEqual([]);
});

dialogue(
  "RFC 8985 §6.2: when the reordering window has passed, the reordering timer finds the loss without another acknowledgment",
  (peer) => {
    const connection = connect(peer, 40);
    connection.send(octets(3 * 1460));
    peer.takeAll();
    peer.advance(40);
    peer.send({ flags: "A", ack: 1, options: peer.sack([1461, 2921]) });
    expect(starts(peer)).toEqual([]);
    // A quarter of 40 ms, and the slack of the timer.
    peer.expectNothing(11.9);
    peer.advance(0.2);
    expect(starts(peer)).toEqual([1]);
    expect(peer.retransmissions.map(({ reason }) => reason)).toEqual(["rack"]);
  },
);

dialogue("RFC 8985 §6.2: a retransmission that is lost as well is found by what was sent after it, without a timeout", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(10 * 1460));
  peer.takeAll();
  peer.advance(40);
  peer.send({ flags: "A", ack: 1, options: peer.sack([1461, 7301]) });
  expect(starts(peer)).toEqual([1]);
  peer.advance(1);
  connection.send(octets(5 * 1460));
  peer.send({ flags: "A", ack: 1, options: peer.sack([1461, 14601]) });
  const fresh = starts(peer);
  expect(fresh[0]).toBe(14601);
  peer.advance(40);
  peer.send({ flags: "A", ack: 1, options: peer.sack([1461, fresh[fresh.length - 1] + 1460]) });
  expect(starts(peer)[0]).toBe(1);
  expect(peer.tcp.counters.TCPTimeouts).toBe(0);
});

dialogue("RFC 8985 §7: a lost tail is found by a probe after two round trips, long before the retransmission timeout", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(1460));
  peer.takeAll();
  peer.advance(50);
  peer.send({ flags: "A", ack: 1461 });
  connection.send(octets(3 * 1460, 1460));
  expect(starts(peer)).toEqual([1461, 2921, 4381]);
  peer.advance(200);
  expect(starts(peer)).toEqual([4381]);
  expect(peer.retransmissions.map(({ reason }) => reason)).toEqual(["loss-probe"]);
  peer.send({ flags: "A", ack: 1461, options: peer.sack([4381, 5841]) });
  expect(starts(peer)).toEqual([1461]);
  peer.send({ flags: "A", ack: 2921, options: peer.sack([4381, 5841]) });
  expect(starts(peer)).toEqual([2921]);
  expect(peer.tcp.counters.TCPTimeouts).toBe(0);
});

dialogue("RFC 8985 §7.3: the probe carries new data where there is some", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(12 * 1460));
  expect(starts(peer)).toHaveLength(10);
  peer.advance(1000);
  expect(starts(peer)).toContain(10 * 1460 + 1);
});

dialogue(
  "RFC 8985 §7.4: a probe that repaired the loss of the last segment costs a reduction; one that was answered twice does not",
  (peer) => {
    const connection = connect(peer, 40);
    // The tail goes out, its probe is answered, and what comes next is acknowledged too: only then it is clear what there was.
    const lastSegment = (duplicate: boolean): number => {
      const from = connection.info().bytesSent + 1;
      connection.send(octets(1460));
      peer.takeAll();
      peer.advance(900);
      expect(starts(peer)).toEqual([from]);
      const before = connection.info().congestionWindow;
      peer.send({ flags: "A", ack: from + 1460, options: duplicate ? peer.sack([from, from + 1460]) : {} });
      connection.send(octets(1460));
      peer.takeAll();
      peer.send({ flags: "A", ack: from + 2 * 1460 });
      return connection.info().congestionWindow - before;
    };
    connection.send(octets(1460));
    peer.takeAll();
    peer.advance(50);
    peer.send({ flags: "A", ack: 1461 });
    expect(lastSegment(true)).toBe(0);
    expect(lastSegment(false)).toBeLessThan(0);
  },
);

dialogue("RFC 2018 §8: a peer that throws away what it had reported is served all the same after the timeout", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(4 * 1460));
  peer.takeAll();
  peer.advance(20);
  peer.send({ flags: "A", ack: 1, options: peer.sack([1461, 5841]) });
  peer.takeAll();
  // The hole is filled, but what lay behind it is gone.
  peer.send({ flags: "A", ack: 1461 });
  peer.advance(3000);
  expect(new Set(starts(peer))).toEqual(new Set([1461]));
  peer.send({ flags: "A", ack: 2921 });
  expect(starts(peer)).toEqual([2921, 4381]);
});

dialogue("RFC 2018 §5: blocks below SND.UNA, beyond SND.NXT, empty or turned round are not believed", (peer) => {
  const connection = connect(peer, 40);
  connection.send(octets(6 * 1460));
  peer.takeAll();
  peer.advance(20);
  for (const block of [
    [1461, 100_000],
    [8761, 9000],
    [4381, 1461],
    [1461, 1461],
    [-5000, 4381],
  ] as [number, number][]) {
    peer.send({ flags: "A", ack: 1, options: peer.sack(block) });
  }
  peer.advance(100);
  peer.takeAll();
  expect(peer.retransmissions.filter(({ reason }) => reason === "rack")).toEqual([]);
});

test("RFC 6937 §3: the window shrinks in proportion to what is delivered, and ends at the threshold", () => {
  const reduction = new ProportionalRateReduction();
  // 20 segments in flight, one of them lost, to be halved.
  const size = 1000;
  reduction.start(20 * size, 10 * size, 20 * size);
  let pipe = 16 * size;
  let sent = 0;
  for (let acknowledgments = 0; acknowledgments < 16; acknowledgments += 1) {
    pipe -= size;
    reduction.acknowledged({ delivered: size, pipe, safe: false, segmentSize: size, unit: 1 });
    while (pipe + size <= reduction.window) {
      pipe += size;
      sent += 1;
      reduction.sent(size);
    }
  }
  // One for every two that arrived.
  expect(sent).toBeGreaterThanOrEqual(8);
  expect(sent).toBeLessThanOrEqual(10);
  expect(pipe).toBeLessThanOrEqual(10 * size);
});

test("RFC 9937 §6.2: below the threshold it catches up as slow start does only while recovery makes progress", () => {
  const windowWhen = (safe: boolean): number => {
    const reduction = new ProportionalRateReduction();
    reduction.start(20_000, 10_000, 20_000);
    reduction.sent(1000);
    reduction.acknowledged({ delivered: 2000, pipe: 4000, safe, segmentSize: 1000, unit: 1 });
    return reduction.window;
  };
  expect(windowWhen(true)).toBe(4000 + 2000 + 1000);
  expect(windowWhen(false)).toBe(4000 + 2000);
});

test("where whole segments are counted, a part of one lets a whole one out (as Linux reckons)", () => {
  const windowWhen = (unit: number): number => {
    const reduction = new ProportionalRateReduction();
    reduction.start(10_000, 7000, 10_000);
    reduction.sent(1000);
    reduction.acknowledged({ delivered: 3000, pipe: 8000, safe: false, segmentSize: 1000, unit });
    return reduction.window;
  };
  // 3/10 of 7 segments are 2.1, of which one is out.
  expect(windowWhen(1)).toBe(8000 + 1100);
  expect(windowWhen(1000)).toBe(8000 + 2000);
});
