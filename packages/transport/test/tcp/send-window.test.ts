// Closed and shrinking windows of the peer (RFC 9293 §3.8.6, §3.8.6.1).
import { describe, expect } from "vitest";
import { dialogue, octets, type Peer } from "./peer.ts";

const HOUR = 3_600_000;

/** Answers every segment of the stack for so long with an acknowledgment and the window as given; returns when each was sent. */
function keepClosed(peer: Peer, duration: number, answer: { ack: number; window: number }): number[] {
  const times: number[] = [];
  const end = peer.clock.now() + duration;
  while (peer.clock.now() < end) {
    const next = peer.clock.next();
    peer.clock.runUntil(Math.min(end, next ?? end));
    for (const { at } of peer.takeAll()) {
      times.push(at);
      peer.send({ flags: "A", ...answer });
    }
  }
  return times;
}

describe("zero-window probes", () => {
  dialogue("MUST-36, SHLD-29: the first one retransmission timeout after the window closed, with one octet of new data", (peer) => {
    const connection = peer.connect({}, { window: 1000 });
    connection.send(octets(2000));
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001, window: 0 });
    peer.expectNothing(999);
    peer.advance(1);
    peer.expect({ flags: "A", seq: 1001, data: octets(1, 1000) });
    expect(peer.tcp.counters.TCPWinProbe).toBe(1);
  });

  dialogue("SHLD-30: the interval grows exponentially, up to a minute", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.send(octets(100));
    const times = keepClosed(peer, 250_000, { ack: 1, window: 0 });
    expect(times).toEqual([1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000, 183_000, 243_000]);
    expect(connection.state).toBe("ESTABLISHED");
  });

  dialogue("MUST-37: a peer that answers is never given up, however long it keeps its window closed", (peer) => {
    const connection = peer.connect({ userTimeout: 10_000 });
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.send(octets(100));
    keepClosed(peer, HOUR, { ack: 1, window: 0 });
    expect([connection.state, peer.told]).toEqual(["ESTABLISHED", []]);
    // The window opens: what waited is sent, and has time to be acknowledged.
    peer.send({ flags: "A", ack: 1, window: 65535 });
    peer.expect({ flags: "A", seq: 1, data: 1 });
    peer.advance(900);
    peer.send({ flags: "A", ack: 2, window: 65535 });
    peer.expect({ flags: "PA", seq: 2, data: 99 });
    peer.send({ flags: "A", ack: 101 });
    expect([connection.state, connection.info().unacknowledged]).toEqual(["ESTABLISHED", 0]);
  });

  dialogue("a peer that does not answer probes is given up after the user timeout", (peer) => {
    const connection = peer.connect({ userTimeout: 10_000 });
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.send(octets(100));
    peer.advance(11_001);
    expect(peer.takeAll().map(({ flags, at }) => [flags, at])).toEqual([
      ["A", 1000],
      ["A", 3000],
      ["A", 7000],
      ["R", 11_000],
    ]);
    expect(connection.error).toBe("ETIMEDOUT");
  });

  dialogue("a window that opens by itself needs no probe", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.send(octets(100));
    peer.advance(500);
    peer.send({ flags: "A", ack: 1, window: 1000 });
    peer.expect({ flags: "PA", seq: 1, data: 100 });
    peer.send({ flags: "A", ack: 101 });
    peer.expectNothing(100_000);
  });

  dialogue("the octet of a probe that was taken is not sent again", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.send(octets(3));
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 1, data: octets(1, 0) });
    peer.send({ flags: "A", ack: 2, window: 0 });
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 2, data: octets(1, 1) });
    peer.send({ flags: "A", ack: 3, window: 10 });
    peer.expect({ flags: "PA", seq: 3, data: octets(1, 2) });
  });

  dialogue("while a probe is out, acknowledgments keep a number that the peer accepts (appendix A.2)", (peer) => {
    const connection = peer.connect({ receiveBuffer: 4 });
    peer.send({ flags: "PA", ack: 1, data: "full", window: 0 });
    peer.advance(40);
    peer.expect({ flags: "A", seq: 1, ack: 5, window: 0 });
    connection.send(octets(10));
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 1, ack: 5, data: 1 });
    // Both windows are closed, and both ends probe: neither would look at a segment that lies beyond its window.
    peer.send({ flags: "PA", seq: 5, ack: 1, window: 0, data: "?" });
    peer.expect({ flags: "A", seq: 1, ack: 5, window: 0 });
    connection.receive();
    peer.expect({ flags: "A", seq: 1, ack: 5, window: 4 });
    connection.abort();
    peer.expect({ flags: "R", seq: 1 });
  });
});

describe("a window that shrinks", () => {
  dialogue("MUST-34, SHLD-15: a usable window below zero stops new data, and nothing else happens", (peer) => {
    const connection = peer.connect({}, { mss: 1000, window: 3000 });
    connection.send(octets(5000));
    expect(peer.takeAll()).toHaveLength(3);
    peer.send({ flags: "A", ack: 1001, window: 500 });
    peer.expectNothing();
    peer.send({ flags: "A", ack: 2001, window: 500 });
    peer.expectNothing();
    peer.send({ flags: "A", ack: 3001, window: 500 });
    peer.advance(200);
    peer.expect({ flags: "A", seq: 3001, data: 500 });
    expect(connection.state).toBe("ESTABLISHED");
  });

  dialogue("SHLD-16: old text within the window is retransmitted as ever, what lies beyond it waits", (peer) => {
    const connection = peer.connect({}, { mss: 1000, window: 3000 });
    connection.send(octets(3000));
    expect(peer.takeAll()).toHaveLength(3);
    peer.send({ flags: "A", ack: 1, window: 1000 });
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001, window: 1000 });
    peer.expect({ flags: "A", seq: 1001, data: 1000 });
    peer.send({ flags: "A", ack: 2001, window: 1000 });
    peer.expect({ flags: "PA", seq: 2001, data: 1000 });
    peer.send({ flags: "A", ack: 3001, window: 1000 });
    expect(connection.info().unacknowledged).toBe(0);
  });

  dialogue("MAY-7: an old segment that begins within the window is sent again whole", (peer) => {
    const connection = peer.connect({}, { mss: 1000, window: 3000 });
    connection.send(octets(3000));
    expect(peer.takeAll()).toHaveLength(3);
    peer.send({ flags: "A", ack: 1, window: 500 });
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 1, data: 1000 });
  });

  dialogue("MUST-35: one that shrinks to zero is probed, by the oldest octet", (peer) => {
    const connection = peer.connect({}, { mss: 1000, window: 3000 });
    connection.send(octets(3000));
    expect(peer.takeAll()).toHaveLength(3);
    peer.send({ flags: "A", ack: 1, window: 0 });
    peer.expectNothing(999);
    peer.advance(1);
    peer.expect({ flags: "A", seq: 1, data: octets(1) });
    peer.send({ flags: "A", ack: 1, window: 3000 });
    expect(peer.takeAll().map(({ seq, text }) => [seq, text.length])).toEqual([
      [1, 1],
      [2, 999],
      [1001, 1000],
      [2001, 1000],
    ]);
    peer.send({ flags: "A", ack: 3001 });
    expect(connection.info().unacknowledged).toBe(0);
  });

  dialogue("SHLD-17: a connection is not given up because text behind the shrunken window stays unacknowledged", (peer) => {
    const connection = peer.connect({ userTimeout: 10_000 }, { mss: 1000, window: 3000 });
    connection.send(octets(3000));
    expect(peer.takeAll()).toHaveLength(3);
    peer.send({ flags: "A", ack: 1001, window: 0 });
    keepClosed(peer, HOUR, { ack: 1001, window: 0 });
    expect(connection.state).toBe("ESTABLISHED");
  });

  dialogue("a RST keeps to the window as well, so that the peer believes it", (peer) => {
    const connection = peer.connect({}, { mss: 1000, window: 3000 });
    connection.send(octets(3000));
    expect(peer.takeAll()).toHaveLength(3);
    peer.send({ flags: "A", ack: 1001, window: 0 });
    connection.abort();
    peer.expect({ flags: "R", seq: 1001 });
  });
});
