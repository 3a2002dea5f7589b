// Loss recovery by RFC: counting reports (RFC 6675), early retransmit (RFC 5827), Eifel (RFC 3522), reneging (RFC 2018), and what each switch changes.
import { expect, test } from "vitest";
import type { TcpConnection, TcpConnectionOptions } from "../../src/index.ts";
import { Reassembler } from "../../src/tcp/reassembler.ts";
import type { TcpOptions } from "../../src/tcp/tcp-options.ts";
import type { TransmissionControlBlock } from "../../src/tcp/transmission-control-block.ts";
import { dialogue, octets, type Peer } from "./peer.ts";

const MSS = 1000;

/** A connection of segments of 1000 octets over a path of 100 ms. */
function connect(peer: Peer, options: TcpConnectionOptions = {}, syn: TcpOptions = { sackPermitted: true }): TcpConnection {
  peer.listen({ congestionControl: "newreno", sendBuffer: 1_000_000, ...options });
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: MSS, windowScale: 7, ...syn } });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.advance(100);
  peer.send({ flags: "A", seq: 1, ack: 1, options: syn.timestamps === undefined ? {} : { timestamps: { value: 2, echoReply: 0 } } });
  return peer.accepted();
}

/** Numbers of the segments that went out, the first one of the stream being 1. */
function sent(peer: Peer): number[] {
  return peer
    .takeAll()
    .filter(({ text }) => text.length > 0)
    .map(({ seq }) => (seq - 1) / MSS + 1);
}

/** Everything up to this segment has arrived, and behind it those from the first to the last of each pair. */
function acknowledge(peer: Peer, upTo: number, ...held: [number, number][]): void {
  const blocks = held.map(([first, last]): [number, number] => [(first - 1) * MSS + 1, last * MSS + 1]);
  peer.send({ flags: "A", ack: upTo * MSS + 1, options: blocks.length > 0 ? peer.sack(...blocks) : {} });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

const COUNTING = { lossRecovery: "sack" } as const;

dialogue("RFC 6675 §5: the third report above a hole makes it a loss, however much time has passed", (peer) => {
  const connection = connect(peer, COUNTING);
  connection.send(octets(10 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(100);
  acknowledge(peer, 0, [2, 2]);
  acknowledge(peer, 0, [2, 3]);
  // RACK would not wait any longer.
  peer.advance(200);
  expect(sent(peer)).toEqual([]);
  acknowledge(peer, 0, [2, 4]);
  expect(sent(peer)).toEqual([1]);
  expect(peer.retransmissions.map(({ reason, clause }) => [reason, clause])).toEqual([["sack", "RFC 6675 §5"]]);
  expect(peer.recoveries.map(({ to, reason }) => [to, reason])).toEqual([
    ["disorder", "out-of-order"],
    ["recovery", "sack"],
  ]);
  acknowledge(peer, 10);
  expect(peer.recoveries.at(-1)).toMatchObject({ from: "recovery", to: "open", reason: "repaired" });
});

dialogue("RFC 6675 §4: every hole with three reported segments above is lost, one with fewer is not", (peer) => {
  const connection = connect(peer, COUNTING);
  connection.send(octets(10 * MSS));
  sent(peer);
  peer.advance(100);
  // 2, 5 and 8 are missing besides 1.
  acknowledge(peer, 0, [3, 4], [6, 7], [9, 10]);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_lost: 3, tcpi_sacked: 6 });
  expect(sent(peer)).toEqual([1, 2, 5]);
});

dialogue("RFC 6675 §4: reordering by more than three segments raises the number that is waited for", (peer) => {
  const connection = connect(peer, COUNTING);
  connection.send(octets(30 * MSS));
  sent(peer);
  peer.advance(100);
  acknowledge(peer, 0, [6, 7]);
  // The first five come behind the seventh: a distance of seven segments to what is acknowledged now.
  acknowledge(peer, 7);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_reordering: 7, tcpi_reord_seen: 1 });
  sent(peer);
  for (const last of range(9, 14)) acknowledge(peer, 7, [9, last]);
  expect(peer.retransmissions).toEqual([]);
  acknowledge(peer, 7, [9, 15]);
  expect(peer.retransmissions.map(({ reason }) => reason)).toEqual(["sack"]);
  peer.takeAll();
});

for (const mode of ["sack", "newreno"] as const) {
  const held = (last: number): [number, number][] => (mode === "sack" ? [[2, last]] : []);
  dialogue(`RFC 5827 §3: with three segments out and nothing more to send, two duplicates are enough (${mode})`, (peer) => {
    const connection = connect(peer, { lossRecovery: mode, earlyRetransmit: true });
    connection.send(octets(3 * MSS));
    expect(sent(peer)).toEqual([1, 2, 3]);
    peer.advance(100);
    acknowledge(peer, 0, ...held(2));
    expect(sent(peer)).toEqual([]);
    acknowledge(peer, 0, ...held(3));
    expect(sent(peer)).toEqual([1]);
  });

  dialogue(`RFC 5827: switched off, three segments cannot make three duplicates, and the timeout has to come (${mode})`, (peer) => {
    const connection = connect(peer, { lossRecovery: mode, tailLossProbe: false });
    connection.send(octets(3 * MSS));
    expect(sent(peer)).toEqual([1, 2, 3]);
    peer.advance(100);
    acknowledge(peer, 0, ...held(2));
    acknowledge(peer, 0, ...held(3));
    peer.expectNothing(800);
    peer.advance(200);
    expect(sent(peer)[0]).toBe(1);
    expect(peer.tcp.counters.TCPTimeouts).toBe(1);
  });
}

dialogue("RFC 3042: without limited transmit duplicates let nothing new out", (peer) => {
  const connection = connect(peer, { limitedTransmit: false });
  connection.send(octets(15 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(100);
  acknowledge(peer, 0, [2, 2]);
  acknowledge(peer, 0, [2, 3]);
  expect(sent(peer)).toEqual([]);
  acknowledge(peer, 0, [2, 4]);
  expect(sent(peer)).toEqual([1]);
});

dialogue("RFC 6675 §5: without proportional rate reduction half a window of silence follows the retransmission", (peer) => {
  const connection = connect(peer, { lossRecovery: "sack", proportionalRateReduction: false, limitedTransmit: false });
  connection.send(octets(40 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(100);
  const answers = range(2, 10).map((last) => {
    acknowledge(peer, 0, [2, last]);
    return sent(peer);
  });
  // Five may be in flight: after the sixth report six are, of ten and the one sent again.
  expect(answers).toEqual([[], [], [1], [], [], [11], [12], [13], [14]]);
});

dialogue("RFC 6937: with it a segment goes out for about every second that arrives", (peer) => {
  const connection = connect(peer, { lossRecovery: "sack", limitedTransmit: false });
  connection.send(octets(40 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(100);
  const counts = range(2, 10).map((last) => {
    acknowledge(peer, 0, [2, last]);
    return sent(peer).length;
  });
  expect(counts.slice(2).reduce((sum, count) => sum + count)).toBe(5);
  expect(Math.max(...counts)).toBe(1);
});

dialogue("RFC 8985 §7: without tail loss probes the timeout is what finds a lost tail", (peer) => {
  const connection = connect(peer, { tailLossProbe: false });
  connection.send(octets(2 * MSS));
  expect(sent(peer)).toEqual([1, 2]);
  peer.expectNothing(999);
  peer.advance(2);
  expect(sent(peer)).toEqual([1]);
  expect(peer.tcp.counters).toMatchObject({ TCPTimeouts: 1, TCPLossProbes: 0 });
});

/** Three reports of what came too early; then the answer to the original, by its timestamp. */
function answerToTheOriginal(peer: Peer, options: TcpConnectionOptions): TcpConnection {
  const connection = connect(peer, { timestamps: true, ...options }, { sackPermitted: true, timestamps: { value: 1, echoReply: 0 } });
  connection.send(octets(20 * MSS));
  const first = peer.takeAll()[0].options.timestamps?.value ?? 0;
  peer.advance(100);
  const stamp = { timestamps: { value: 3, echoReply: first } };
  for (const last of [2, 3, 4]) {
    peer.send({ flags: "A", ack: 1, options: { ...peer.sack([988 + 1, 988 * last + 1]), ...stamp } });
  }
  expect(connection.tcpInfo().tcpi_ca_state).toBe(3);
  expect(peer.retransmissions).toHaveLength(1);
  peer.takeAll();
  peer.send({ flags: "A", ack: 988 * 10 + 1, options: stamp });
  return connection;
}

dialogue("RFC 3522 §3.2, RFC 4015: the echo of a time before the retransmission undoes the reduction", (peer) => {
  const connection = answerToTheOriginal(peer, {});
  expect(connection.info().congestionWindow).toBeGreaterThanOrEqual(10 * 988);
  expect(connection.info().slowStartThreshold).toBe(Number.POSITIVE_INFINITY);
  expect(peer.recoveries.at(-1)).toMatchObject({ reason: "original-arrived", clause: "RFC 3522 §3.2" });
  peer.takeAll();
});

dialogue("RFC 3522: with undo switched off the window stays reduced", (peer) => {
  const connection = answerToTheOriginal(peer, { undo: false });
  expect(connection.info().slowStartThreshold).toBeLessThan(10 * 988);
  peer.takeAll();
});

dialogue("RFC 2018 §8: when SND.UNA comes to what was reported, the peer has thrown it away, and the wait for it is short", (peer) => {
  const connection = connect(peer);
  connection.send(octets(4 * MSS));
  sent(peer);
  peer.advance(100);
  acknowledge(peer, 0, [2, 4]);
  sent(peer);
  acknowledge(peer, 1);
  // Half a smoothed round trip instead of the timeout.
  peer.expectNothing(49);
  peer.advance(2);
  expect(sent(peer)).toEqual([2]);
  expect(peer.tcp.counters).toMatchObject({ TCPSACKReneging: 1, TCPTimeouts: 1 });
  acknowledge(peer, 2);
  expect(sent(peer)).toEqual([3, 4]);
});

dialogue("RFC 2883 §4.1: what comes twice ahead of its turn is reported twice: the duplicate first, then the block it lies in", (peer) => {
  connect(peer);
  peer.send({ flags: "A", seq: 1001, data: 1000 });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 1 }))).toEqual([[1001, 2001]]);
  peer.send({ flags: "A", seq: 1501, data: 1000 });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 1 }))).toEqual([
    [1501, 2001],
    [1001, 2501],
  ]);
  // In part received before, in part new.
  peer.send({ flags: "A", seq: 1, data: 500 });
  peer.send({ flags: "A", seq: 1, data: octets(1000) });
  const reports = peer.takeAll();
  expect(peer.blocksOf(reports[reports.length - 1])).toEqual([[1, 501]]);
  expect(peer.tcp.counters).toMatchObject({ TCPDSACKOfoSent: 1, TCPDSACKOldSent: 1 });
});

dialogue("RFC 2883 §4.1: a segment from below that covers what was held reports the first stretch of it", (peer) => {
  connect(peer);
  for (const seq of [201, 301, 801, 1401]) peer.send({ flags: "A", seq, data: 100 });
  peer.takeAll();
  peer.send({ flags: "A", seq: 1, data: octets(1200) });
  expect(peer.blocksOf(peer.expect({ flags: "A", ack: 1201 }))).toEqual([
    [201, 401],
    [1401, 1501],
  ]);
});

dialogue("RFC 2883: switched off, duplicates are not reported", (peer) => {
  connect(peer, { dsack: false });
  peer.send({ flags: "A", seq: 1001, data: 1000 });
  peer.send({ flags: "A", seq: 1501, data: 1000 });
  peer.send({ flags: "A", seq: 1, data: octets(1000) });
  peer.send({ flags: "A", seq: 1, data: octets(1000) });
  const reports = peer.takeAll().map((segment) => peer.blocksOf(segment));
  expect(reports.flat()).toEqual([
    [1001, 2001],
    [1001, 2501],
  ]);
});

dialogue("RFC 2883 §5: reports of duplicates that were never sent, or are older than any window, are not believed", (peer) => {
  const connection = connect(peer);
  connection.send(octets(5 * MSS));
  sent(peer);
  peer.advance(100);
  acknowledge(peer, 5);
  peer.send({ flags: "A", ack: 5 * MSS + 1, options: peer.sack([1, MSS + 1]) });
  peer.send({ flags: "A", ack: 5 * MSS + 1, options: peer.sack([-1_000_000_000, -999_999_000]) });
  expect(peer.tcp.counters).toMatchObject({ TCPDSACKRecv: 0, TCPDSACKIgnoredDubious: 1, TCPDSACKIgnoredOld: 1 });
});

dialogue("a peer that reports every other segment, again and again, makes each acknowledgment cost a few steps only (RFC 2018)", (peer) => {
  const connection = connect(peer, { rtoMinimum: 60_000, tailLossProbe: false, congestionControl: "fixed", initialWindow: 2000 });
  peer.send({ flags: "A", ack: 1, window: 65_535 });
  connection.send(octets(900 * MSS));
  expect(sent(peer).length).toBeGreaterThan(800);
  const { scoreboard } = (connection as unknown as { tcb: TransmissionControlBlock }).tcb;
  const before = scoreboard.steps;
  const acknowledgments = 2000;
  for (let turn = 0; turn < acknowledgments; turn += 1) {
    const at = 2 + 2 * (turn % 400);
    acknowledge(peer, 0, [at, at], [2, 2], [800, 800]);
  }
  expect((scoreboard.steps - before) / acknowledgments).toBeLessThan(30);
  peer.takeAll();
});

test("RFC 9293 §3.10.7.4 (SHLD-31): crafted arrivals cost a logarithm of what is held, and holes that are filled leave one piece", () => {
  const reassembler = new Reassembler();
  const byte = new Uint8Array(1);
  const arrive = (at: number): void => {
    reassembler.insert(at, byte);
    reassembler.recentBlocks(4);
  };
  for (let at = 1; at < 2000; at += 2) arrive(at);
  // From the right to the left, into the holes.
  for (let at = 1998; at > 0; at -= 2) arrive(at);
  expect(reassembler.pieceCount).toBe(1);
  expect(reassembler.steps / 2000).toBeLessThan(80);
});
