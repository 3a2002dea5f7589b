// Loss recovery as Linux does it, segment by segment, with the numbers of TCP_INFO: what the personality "linux" has to match.
import { expect } from "vitest";
import type { TcpConnection, TcpConnectionOptions } from "../../src/index.ts";
import { LINUX_CA_STATE } from "../../src/tcp/linux-tcp-info.ts";
import { type HandshakeOptions, octets, type Peer, dialogue as plainDialogue } from "./peer.ts";

const MSS = 1000;
const LINUX = { personality: "linux", receiveBuffer: 262_144 } as const;

function dialogue(title: string, script: (peer: Peer) => void): void {
  plainDialogue(title, script, LINUX);
}

/** A connection of segments of 1000 octets over a path of so many ms; by default with SACK, and without timestamps. */
function connect(
  peer: Peer,
  roundTrip: number,
  options: TcpConnectionOptions = {},
  syn: HandshakeOptions = { sackPermitted: true },
): TcpConnection {
  peer.listen({ congestionControl: "cubic", ...options });
  peer.send({ flags: "S", seq: 0, window: 32_792, options: { maximumSegmentSize: MSS, windowScale: 7, ...syn } });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.advance(roundTrip);
  peer.window = 320;
  peer.send({ flags: "A", seq: 1, ack: 1 });
  return peer.accepted();
}

/** Numbers of the segments that went out, the first one of the stream being 1, and how many octets more than full ones. */
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

dialogue("one of ten lost: the third report sends it again; then a segment for each that arrives (RFC 6937)", (peer) => {
  const connection = connect(peer, 100);
  connection.send(octets(10 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(110);
  acknowledge(peer, 0, [2, 2]);
  peer.advance(10);
  acknowledge(peer, 0, [2, 3]);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Disorder, tcpi_snd_cwnd: 10, tcpi_sacked: 2 });
  peer.advance(10);
  acknowledge(peer, 0, [2, 4]);
  expect(sent(peer)).toEqual([1]);
  expect(connection.tcpInfo()).toMatchObject({
    tcpi_ca_state: LINUX_CA_STATE.Recovery,
    tcpi_snd_cwnd: 7,
    tcpi_snd_ssthresh: 7,
    tcpi_unacked: 10,
    tcpi_sacked: 3,
    tcpi_lost: 1,
    tcpi_retrans: 1,
    tcpi_total_retrans: 1,
  });
  connection.send(octets(7 * MSS, 10 * MSS));
  for (const last of range(5, 10)) {
    peer.advance(10);
    acknowledge(peer, 0, [2, last]);
    expect(sent(peer)).toEqual([last + 6]);
  }
  peer.advance(20);
  acknowledge(peer, 10);
  expect(sent(peer)).toEqual([17]);
  expect(connection.tcpInfo()).toMatchObject({
    tcpi_ca_state: LINUX_CA_STATE.Open,
    tcpi_snd_cwnd: 7,
    tcpi_snd_ssthresh: 7,
    tcpi_lost: 0,
    tcpi_retrans: 0,
  });
});

dialogue(
  "the first four and six more of twenty lost: the bound is conservative until SND.UNA moves, then that of slow start (RFC 9937)",
  (peer) => {
    const connection = connect(peer, 10);
    connection.send(octets(20 * MSS));
    expect(sent(peer)).toEqual(range(1, 10));
    peer.advance(10);
    const answers: [last: number, sent: number[]][] = [
      [5, [11]],
      [6, [12]],
      [7, [1]],
      [8, [2]],
      [9, [3]],
      [10, [4]],
      [11, [13]],
      [12, [14]],
    ];
    for (const [last, expected] of answers) {
      acknowledge(peer, 0, [5, last]);
      expect(sent(peer)).toEqual(expected);
      peer.advance(2);
    }
    peer.advance(10);
    acknowledge(peer, 1, [5, 12]);
    expect(sent(peer)).toEqual([15, 16]);
    peer.advance(2);
    // The second copies of 3 and 4 have overtaken that of 2, which is lost again therefore.
    acknowledge(peer, 1, [3, 12]);
    expect(sent(peer)).toEqual([2, 17]);
    expect(peer.tcp.counters).toMatchObject({ TCPLostRetransmit: 1, TCPFastRetrans: 5, TCPSlowStartRetrans: 0 });
    peer.advance(2);
    acknowledge(peer, 1, [3, 13]);
    expect(sent(peer)).toEqual([18]);
    peer.advance(2);
    acknowledge(peer, 1, [3, 14]);
    expect(sent(peer)).toEqual([19]);
  },
);

dialogue("after the recovery a whole window of the threshold goes out at once", (peer) => {
  const connection = connect(peer, 10);
  connection.send(octets(10 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(10);
  for (const last of range(5, 10)) acknowledge(peer, 0, [5, last]);
  expect(sent(peer)).toEqual([1, 2, 3, 4]);
  peer.advance(10);
  for (const upTo of [1, 2, 3]) acknowledge(peer, upTo, [5, 10]);
  acknowledge(peer, 10);
  peer.advance(10);
  connection.send(octets(10 * MSS, 10 * MSS));
  expect(sent(peer)).toEqual(range(11, 17));
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Open, tcpi_snd_cwnd: 7 });
});

dialogue("a report on an acknowledgment that comes late, below SND.UNA, still counts", (peer) => {
  const connection = connect(peer, 10);
  connection.send(octets(10 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(10);
  acknowledge(peer, 0, [2, 2]);
  acknowledge(peer, 0, [2, 3]);
  acknowledge(peer, 0, [2, 3], [9, 9]);
  expect(sent(peer)).toEqual([1]);
  peer.advance(12);
  acknowledge(peer, 4, [9, 9]);
  expect(sent(peer)).toEqual([5, 6, 7]);
  connection.send(octets(10 * MSS, 10 * MSS));
  peer.advance(2);
  acknowledge(peer, 3, [6, 7]);
  expect(sent(peer)).toEqual([8, 11]);
});

dialogue("the degree of reordering goes from what came late to the end of what was there before it", (peer) => {
  const connection = connect(peer, 100);
  connection.send(octets(10 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(100);
  acknowledge(peer, 0, [3, 3], [7, 7], [9, 9]);
  expect(sent(peer)).toEqual([1, 2, 4]);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_lost: 6, tcpi_reordering: 3 });
  peer.advance(7);
  acknowledge(peer, 0, [3, 3], [5, 5], [7, 7], [9, 9]);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_lost: 5, tcpi_reordering: 5 });
  peer.takeAll();
});

dialogue("limited transmit, and reordering that was no loss: back to Open, the degree is remembered (RFC 3042)", (peer) => {
  const connection = connect(peer, 100);
  connection.send(octets(15 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(110);
  acknowledge(peer, 0, [2, 2]);
  expect(sent(peer)).toEqual([11]);
  peer.advance(10);
  acknowledge(peer, 0, [2, 3]);
  expect(sent(peer)).toEqual([12]);
  peer.advance(10);
  acknowledge(peer, 3);
  expect(sent(peer)).toEqual([13, 14]);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Open, tcpi_reord_seen: 1, tcpi_reordering: 3 });
  expect(peer.retransmissions).toEqual([]);
});

dialogue("limited transmit without SACK: duplicates count as segments that have left", (peer) => {
  const connection = connect(peer, 100, {}, {});
  connection.send(octets(15 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(110);
  acknowledge(peer, 0);
  expect(sent(peer)).toEqual([11]);
  peer.advance(10);
  acknowledge(peer, 0);
  expect(sent(peer)).toEqual([12]);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Disorder, tcpi_sacked: 2 });
  acknowledge(peer, 3);
  expect(sent(peer)).toEqual([13, 14]);
  acknowledge(peer, 5);
  expect(sent(peer)).toEqual([15]);
});

dialogue(
  "a probe after two smoothed round trips and 2 ms; for a lone segment 200 ms more for a delayed acknowledgment (RFC 8985 §7.2)",
  (peer) => {
    const connection = connect(peer, 50);
    connection.send(octets(2 * MSS));
    expect(sent(peer)).toEqual([1, 2]);
    peer.expectNothing(101.9);
    peer.advance(0.2);
    expect(sent(peer)).toEqual([2]);
    // Both copies have arrived, so that nothing is left to ask about.
    peer.advance(50);
    peer.send({ flags: "A", ack: 2 * MSS + 1, options: peer.sack([MSS + 1, 2 * MSS + 1]) });
    connection.send(octets(MSS, 2 * MSS));
    expect(sent(peer)).toEqual([3]);
    const { tcpi_rtt: roundTrip, tcpi_rto: timeout } = connection.tcpInfo();
    const wait = Math.min((2 * roundTrip) / 1000 + 200, timeout / 1000);
    peer.expectNothing(wait - 0.1);
    peer.advance(0.2);
    expect(sent(peer)).toEqual([3]);
  },
);

dialogue("a probe, and then the timeout, counted from the probe; what was sent longer than a round trip ago is lost", (peer) => {
  const connection = connect(peer, 50);
  connection.send(octets(4 * MSS));
  expect(sent(peer)).toEqual(range(1, 4));
  const { tcpi_rto: timeout } = connection.tcpInfo();
  expect(timeout).toBe(250_000);
  peer.advance(102);
  expect(sent(peer)).toEqual([4]);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Open, tcpi_retrans: 1, tcpi_lost: 0 });
  peer.expectNothing(249.9);
  peer.advance(0.2);
  expect(sent(peer)).toEqual([1]);
  expect(connection.tcpInfo()).toMatchObject({
    tcpi_ca_state: LINUX_CA_STATE.Loss,
    tcpi_snd_cwnd: 1,
    tcpi_snd_ssthresh: 7,
    tcpi_lost: 4,
    tcpi_retrans: 1,
    tcpi_rto: 500_000,
  });
});

dialogue(
  "F-RTO with new data: the timeout was for nothing when the original arrives, and the window is what it was (RFC 5682 §3.1)",
  (peer) => {
    const connection = connect(peer, 100, { tailLossProbe: false });
    connection.send(octets(20 * MSS));
    expect(sent(peer)).toEqual(range(1, 10));
    peer.advance(300);
    expect(sent(peer)).toEqual([1]);
    expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Loss, tcpi_snd_cwnd: 1, tcpi_lost: 10 });
    acknowledge(peer, 1);
    // Step 2b: two new ones instead of what is called lost.
    expect(sent(peer)).toEqual([11, 12]);
    acknowledge(peer, 2);
    expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Open, tcpi_lost: 0, tcpi_retrans: 0 });
    expect(connection.tcpInfo().tcpi_snd_cwnd).toBeGreaterThanOrEqual(10);
    expect(connection.tcpInfo().tcpi_snd_ssthresh).toBe(2 ** 31 - 1);
    expect(peer.tcp.counters).toMatchObject({ TCPSpuriousRTOs: 1, TCPLossUndo: 1, TCPTimeouts: 1 });
    expect(peer.retransmissions.map(({ reason }) => reason)).toEqual(["timeout"]);
    expect(peer.recoveries.map(({ to, reason, clause }) => [to, reason, clause])).toEqual([
      ["loss", "timeout", "RFC 6298 §5"],
      ["open", "spurious-timeout", "RFC 5682 §3.1"],
    ]);
    peer.takeAll();
  },
);

dialogue("F-RTO with new data: a report above the hole shows that the loss was real, and what is lost goes out again", (peer) => {
  const connection = connect(peer, 100, { tailLossProbe: false });
  connection.send(octets(20 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(300);
  expect(sent(peer)).toEqual([1]);
  acknowledge(peer, 1);
  expect(sent(peer)).toEqual([11, 12]);
  acknowledge(peer, 1, [11, 11]);
  expect(sent(peer)[0]).toBe(2);
  expect(peer.tcp.counters.TCPSpuriousRTOs).toBe(0);
  expect(connection.tcpInfo().tcpi_ca_state).toBe(LINUX_CA_STATE.Loss);
});

dialogue("F-RTO without new data: what is lost goes out again, by slow start", (peer) => {
  const connection = connect(peer, 100, { tailLossProbe: false });
  connection.send(octets(5 * MSS));
  expect(sent(peer)).toEqual(range(1, 5));
  peer.advance(300);
  expect(sent(peer)).toEqual([1]);
  peer.advance(100);
  acknowledge(peer, 1);
  expect(sent(peer)).toEqual([2, 3]);
  expect(peer.tcp.counters).toMatchObject({ TCPFastRetrans: 0, TCPSlowStartRetrans: 2 });
  peer.advance(100);
  acknowledge(peer, 5);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Open, tcpi_snd_ssthresh: 7 });
});

dialogue("switched off, F-RTO sends again what it would have asked about first", (peer) => {
  const connection = connect(peer, 100, { tailLossProbe: false, frto: false });
  connection.send(octets(20 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(300);
  expect(sent(peer)).toEqual([1]);
  acknowledge(peer, 1);
  expect(sent(peer)).toEqual([2, 3]);
});

/** Reordered so far that three reports are taken for a loss; then the peer says that it got the second copy for nothing. */
function needlessRetransmission(peer: Peer, options: TcpConnectionOptions): TcpConnection {
  const connection = connect(peer, 100, options);
  connection.send(octets(10 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(100);
  for (const last of [2, 3, 4]) acknowledge(peer, 0, [2, last]);
  expect(sent(peer)).toEqual([1]);
  // The original comes, and then the second copy.
  acknowledge(peer, 4);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Recovery, tcpi_snd_ssthresh: 7 });
  peer.send({ flags: "A", ack: 4 * MSS + 1, options: peer.sack([1, MSS + 1]) });
  return connection;
}

dialogue("DSACK undo: when all that was sent again arrives twice, the window is what it was (RFC 3708)", (peer) => {
  const connection = needlessRetransmission(peer, {});
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Open, tcpi_snd_cwnd: 10, tcpi_snd_ssthresh: 2 ** 31 - 1 });
  expect(peer.tcp.counters).toMatchObject({ TCPDSACKUndo: 1, TCPDSACKRecv: 1 });
});

dialogue("DSACK undo: not where it is switched off, or DSACK is", (peer) => {
  const connection = needlessRetransmission(peer, { undo: false });
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Recovery, tcpi_snd_ssthresh: 7 });
  expect(peer.tcp.counters.TCPDSACKUndo).toBe(0);
});

dialogue("DSACK switched off: what the peer reports twice is not looked at", (peer) => {
  const connection = needlessRetransmission(peer, { dsack: false });
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Recovery, tcpi_snd_ssthresh: 7 });
  expect(peer.tcp.counters).toMatchObject({ TCPDSACKUndo: 0, TCPDSACKRecv: 0 });
});

dialogue("without SACK: the third duplicate sends the first again, a partial acknowledgment the next hole (RFC 6582)", (peer) => {
  const connection = connect(peer, 100, {}, {});
  connection.send(octets(10 * MSS));
  expect(sent(peer)).toEqual(range(1, 10));
  peer.advance(100);
  for (let duplicate = 1; duplicate <= 3; duplicate += 1) acknowledge(peer, 0);
  expect(sent(peer)).toEqual([1]);
  expect(connection.tcpInfo()).toMatchObject({
    tcpi_ca_state: LINUX_CA_STATE.Recovery,
    tcpi_snd_ssthresh: 7,
    tcpi_sacked: 3,
    tcpi_lost: 1,
  });
  for (let duplicate = 4; duplicate <= 8; duplicate += 1) acknowledge(peer, 0);
  expect(sent(peer)).toEqual([]);
  acknowledge(peer, 4);
  expect(sent(peer)).toEqual([5]);
  acknowledge(peer, 10);
  // Held until something above is acknowledged, so that duplicates of this window start nothing (RFC 6582 §3.2 step 1).
  expect(connection.tcpInfo().tcpi_ca_state).toBe(LINUX_CA_STATE.Recovery);
  connection.send(octets(MSS, 10 * MSS));
  expect(sent(peer)).toEqual([11]);
  acknowledge(peer, 11);
  expect(connection.tcpInfo()).toMatchObject({ tcpi_ca_state: LINUX_CA_STATE.Open, tcpi_snd_cwnd: 7, tcpi_snd_ssthresh: 7 });
});
