// The window that the receiver offers (RFC 9293 §3.8.6, §3.8.6.2.2; RFC 7323 §2.2 to §2.4).
import { describe, expect } from "vitest";
import { dialogue, octets, readAll } from "./peer.ts";

describe("the right edge", () => {
  dialogue("SHLD-14: it never moves to the left, whatever is read or not read", (peer) => {
    const connection = peer.connect({ receiveBuffer: 5000, delayedAck: 0 });
    let edge = 0;
    for (let at = 0; at < 20_000; at += 500) {
      peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(500, at) });
      if (at % 1500 === 0) connection.receiveInto(new Uint8Array(700 + (at % 900)));
      for (const { ack = 0, window } of peer.takeAll()) {
        expect(ack + window).toBeGreaterThanOrEqual(edge);
        edge = ack + window;
      }
    }
    expect(edge).toBeGreaterThan(10_000);
  });

  dialogue("SHLD-14: with scaling it moves left by less than a unit, and octets that were offered are taken", (peer) => {
    const connection = peer.connect({ receiveBuffer: 1_000_000, delayedAck: 0 }, { windowScale: 0 });
    const unit = 2 ** 4;
    let edge = 0;
    for (let at = 0; at < 1000; at += 3) {
      peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(3, at) });
      const { ack = 0, window } = peer.expect({ flags: "A", ack: 4 + at });
      expect(ack + window * unit).toBeGreaterThan(edge - unit);
      edge = Math.max(edge, ack + window * unit);
    }
    expect(connection.info().receiveWindow + (connection.readableLength + 1)).toBeGreaterThanOrEqual(edge);
  });

  dialogue("a window rounded up to its unit does not creep: the buffer is never exceeded by a unit", (peer) => {
    const connection = peer.connect({ receiveBuffer: 100_000, delayedAck: 0 }, { windowScale: 0 });
    // Scaled by 2: single octets that nobody reads must use the window up.
    for (let at = 0; at < 200; at += 1) peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(1, at) });
    const last = peer.takeAll().at(-1);
    expect(2 * (last?.window ?? 0) + connection.readableLength).toBeLessThan(100_000 + 2);
  });

  dialogue("MUST-1: a receiver takes what it offered, to the last octet, and nothing behind it", (peer) => {
    const connection = peer.connect({ receiveBuffer: 65535 });
    for (let at = 0; at < 65535; at += 1400) {
      peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(1400, at) });
    }
    expect(connection.readableLength).toBe(65535);
    peer.advance(40);
    const sent = peer.takeAll();
    expect(sent.at(-1)).toMatchObject({ ack: 65536, window: 0 });
    expect(Buffer.from(readAll(connection)).equals(octets(65535))).toBe(true);
    expect(peer.takeAll().at(-1)).toMatchObject({ ack: 65536, window: 65535 });
  });
});

describe("what is acceptable", () => {
  dialogue(
    "seed 38987: a segment that begins before a small window and ends behind it is cut to fit, and its acknowledgment counts",
    (peer) => {
      const connection = peer.connect({ receiveBuffer: 1000, receiveBufferMaximum: 1000, delayedAck: 0 });
      connection.send(octets(10));
      peer.expect({ flags: "PA", seq: 1, data: 10 });
      peer.send({ flags: "A", seq: 1, ack: 1, data: octets(300) });
      peer.expect({ flags: "A", ack: 301, window: 700 });
      peer.send({ flags: "PA", seq: 1, ack: 11, data: octets(1400) });
      expect(connection.info().unacknowledged).toBe(0);
      peer.expect({ flags: "A", seq: 11, ack: 1001, window: 0 });
      expect(connection.readableLength).toBe(1000);
    },
  );
});

describe("silly windows", () => {
  dialogue("MUST-39: the window opens in steps of a segment, not by the octets that are read", (peer) => {
    const connection = peer.connect({ receiveBuffer: 10_000, delayedAck: 0 });
    for (let at = 0; at < 10_000; at += 1000) peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(1000, at) });
    expect(peer.takeAll().at(-1)?.window).toBe(0);
    connection.receiveInto(new Uint8Array(1000));
    peer.expectNothing();
    // The answer to a probe says no more than is worth saying.
    peer.send({ flags: "A", seq: 10_001, ack: 1, data: octets(1) });
    peer.expect({ flags: "A", ack: 10_001, window: 0 });
    connection.receiveInto(new Uint8Array(459));
    peer.send({ flags: "A", seq: 10_001, ack: 1, data: octets(1) });
    peer.expect({ flags: "A", ack: 10_001, window: 0 });
    connection.receiveInto(new Uint8Array(1));
    peer.send({ flags: "A", seq: 10_001, ack: 1, data: octets(1) });
    peer.expect({ flags: "A", ack: 10_001, window: 1460 });
  });

  dialogue("MUST-39: with a small buffer a step is half of it", (peer) => {
    const connection = peer.connect({ receiveBuffer: 1000, delayedAck: 0 });
    peer.send({ flags: "A", seq: 1, ack: 1, data: octets(1000) });
    peer.expect({ flags: "A", ack: 1001, window: 0 });
    connection.receiveInto(new Uint8Array(499));
    peer.expectNothing();
    connection.receiveInto(new Uint8Array(1));
    peer.expect({ flags: "A", ack: 1001, window: 500 });
  });

  dialogue("two segments' worth of room is worth an update of its own", (peer) => {
    const connection = peer.connect({ receiveBuffer: 10_000, delayedAck: 0 });
    for (let at = 0; at < 10_000; at += 1000) peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(1000, at) });
    peer.takeAll();
    connection.receiveInto(new Uint8Array(2919));
    peer.expectNothing();
    connection.receiveInto(new Uint8Array(1));
    peer.expect({ flags: "A", ack: 10_001, window: 2920 });
  });

  dialogue("a reader who keeps up causes no updates, only acknowledgments", (peer) => {
    const connection = peer.connect();
    for (let at = 0; at < 14_600; at += 1460) {
      peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(1460, at) });
      readAll(connection);
    }
    expect(peer.takeAll()).toHaveLength(5);
  });

  dialogue("MAY-8: it may stay shut for ever: every probe is answered, and nothing is taken", (peer) => {
    const connection = peer.connect({ receiveBuffer: 100 });
    peer.send({ flags: "A", seq: 1, ack: 1, data: octets(100) });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 101, window: 0 });
    for (let hour = 0; hour < 100; hour += 1) {
      peer.advance(3_600_000);
      peer.send({ flags: "PA", seq: 101, ack: 1, data: "?" });
      peer.expect({ flags: "A", ack: 101, window: 0 });
    }
    expect([connection.state, connection.readableLength]).toEqual(["ESTABLISHED", 100]);
  });
});

describe("buffers of another size", () => {
  dialogue("a larger buffer opens the window with the next acknowledgment", (peer) => {
    const connection = peer.connect({ receiveBuffer: 10_000 });
    connection.set({ receiveBuffer: 40_000 });
    peer.send({ flags: "A", seq: 1, ack: 1, data: octets(100) });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 101, window: 39_900 });
  });

  dialogue("SHLD-14: a smaller one takes back nothing that was offered", (peer) => {
    const connection = peer.connect({ receiveBuffer: 10_000 });
    connection.set({ receiveBuffer: 1000 });
    peer.send({ flags: "A", seq: 1, ack: 1, data: octets(1400) });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 1401, window: 8600 });
    for (let at = 1400; at < 10_000; at += 1400) peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(1400, at) });
    expect(connection.readableLength).toBe(10_000);
    peer.advance(40);
    expect(peer.takeAll().at(-1)).toMatchObject({ ack: 10_001, window: 0 });
    expect(readAll(connection)).toEqual(octets(10_000));
    peer.expect({ flags: "A", ack: 10_001, window: 1000 });
  });
});
