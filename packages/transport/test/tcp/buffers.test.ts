// Buffers that tune themselves, and what happens when all of them together are too much.
import { describe, expect, test } from "vitest";
import type { TcpConnection, TcpEvent } from "../../src/index.ts";
import { MEMORY_FLOOR } from "../../src/tcp/buffers/memory-account.ts";
import { dialogue, octets, Peer, readAll } from "./peer.ts";

const MSS = 1460;

/** What the peer may send from its next number on, by the last acknowledgment. */
function offered(peer: Peer, shift: number): number {
  const last = peer.takeAll().at(-1);
  return (last?.window ?? Number.NaN) << shift;
}

/** One round trip of text: `segments` arrive within a moment, are read, and `roundTrip` ms pass. */
function round(peer: Peer, connection: TcpConnection, segments: number, roundTrip: number): void {
  for (let count = 0; count < segments; count += 1) peer.send({ flags: "A", ack: 1, data: octets(MSS) });
  readAll(connection);
  peer.advance(roundTrip);
}

const SHIFT = 7;
const GROWING = { receiveBuffer: 65_536, receiveBufferMaximum: 4_000_000 };

describe("the receive buffer", () => {
  dialogue("grows with what is read in a round trip, and the window with it (RFC 9293 §3.8.6)", (peer) => {
    const connection = peer.connect(GROWING, { windowScale: SHIFT });
    peer.takeAll();
    const windows: number[] = [];
    for (let segments = 10; segments <= 320; segments *= 2) {
      for (let times = 0; times < 3; times += 1) round(peer, connection, segments, 50);
      peer.send({ flags: "PA", ack: 1, data: octets(MSS) });
      readAll(connection);
      peer.advance(100);
      windows.push(offered(peer, SHIFT - 1));
    }
    // In every round the window has room for twice of what arrived.
    for (const [index, window] of windows.entries()) expect(window).toBeGreaterThan(Math.min(2 * 10 * 2 ** index * MSS, 65_536) - 2 * MSS);
    expect(windows.at(-1)).toBeGreaterThan(2 * 320 * MSS - 2 * MSS);
    const grown = peer.events.filter((event) => event.layer === "tcp" && event.kind === "buffer") as Extract<
      TcpEvent,
      { kind: "buffer" }
    >[];
    expect(grown.length).toBeGreaterThan(2);
    expect(grown.every(({ buffer }) => buffer === "receive")).toBe(true);
  });

  for (const [what, options] of [
    ["switched off", { ...GROWING, autoTuning: false }],
    ["with a size that was chosen alone", { receiveBuffer: 65_536 }],
  ] as const) {
    dialogue(`stays as it is ${what}`, (peer) => {
      const connection = peer.connect(options, { windowScale: SHIFT });
      for (let times = 0; times < 8; times += 1) round(peer, connection, 40, 50);
      expect(peer.events.filter(({ kind }) => kind === "buffer")).toEqual([]);
      expect(connection.info().receiveWindow).toBeLessThanOrEqual(65_536);
      peer.takeAll();
    });
  }

  dialogue("stays as it is while nobody reads: what is not read needs no room", (peer) => {
    const connection = peer.connect(GROWING, { windowScale: SHIFT });
    for (let count = 0; count < 40; count += 1) {
      peer.send({ flags: "A", ack: 1, data: octets(MSS) });
      peer.advance(10);
    }
    expect(connection.readableLength).toBe(40 * MSS);
    expect(peer.events.filter(({ kind }) => kind === "buffer")).toEqual([]);
    peer.takeAll();
  });

  dialogue("stays as it is once its size is set, as with SO_RCVBUF, and the right edge stays (SHLD-14)", (peer) => {
    const connection = peer.connect(GROWING, { windowScale: SHIFT });
    for (let times = 0; times < 6; times += 1) round(peer, connection, 40, 50);
    const { receiveWindow } = connection.info();
    expect(receiveWindow).toBeGreaterThan(65_536);
    connection.set({ receiveBuffer: 20_000 });
    expect(connection.info().receiveWindow).toBe(receiveWindow);
    peer.takeAll();
    let edge = peer.seq + receiveWindow;
    // As many as use up what was offered.
    for (let times = 0; times < 90; times += 1) {
      round(peer, connection, 10, 50);
      for (const { ack = 0, window } of peer.takeAll()) {
        expect(ack + (window << (SHIFT - 1))).toBeGreaterThanOrEqual(edge - 2 ** (SHIFT - 1));
        edge = Math.max(edge, ack + (window << (SHIFT - 1)));
      }
    }
    expect(connection.info().receiveWindow).toBeLessThanOrEqual(20_000 + 2 ** SHIFT);
  });

  dialogue("RFC 7323 §2.2: the scale is chosen for the largest that the buffer may become", (peer) => {
    peer.listen({ receiveBuffer: 65_536, receiveBufferMaximum: 6 * 2 ** 20 });
    peer.send({ flags: "S", seq: 0, options: { windowScale: 0 } });
    expect(peer.expect({ flags: "SA", window: 65535 }).options.windowScale).toBe(7);
  });
});

describe("the window as Linux opens it", () => {
  const LINUX = { personality: "linux", timestamps: false } as const;

  test("whole segments in the SYN, 64240 in all; then rounded up to the unit, and a segment less once text arrives", () => {
    const peer = new Peer(undefined, LINUX);
    const connection = peer.open();
    const syn = peer.expect({ flags: "S", window: 64240 });
    expect(syn.options.windowScale).toBe(7);
    peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: MSS, windowScale: 7, sackPermitted: true } });
    peer.expect({ flags: "A", window: 502 });
    peer.send({ flags: "PA", data: 1000 });
    readAll(connection);
    peer.advance(50);
    peer.expect({ flags: "A", ack: 1001, window: 501 });
    peer.end();
  });

  test("with timestamps the SYN,ACK says 65160", () => {
    const peer = new Peer(undefined, { personality: "linux" });
    peer.listen();
    const options = { maximumSegmentSize: MSS, windowScale: 7, sackPermitted: true, timestamps: { value: 1, echoReply: 0 } };
    peer.send({ flags: "S", seq: 0, options });
    peer.expect({ flags: "SA", window: 65160 });
    peer.end();
  });

  test("a size that was chosen is offered in whole segments, and scaled for itself alone", () => {
    const peer = new Peer(undefined, { ...LINUX, receiveBuffer: 20_000 });
    peer.listen();
    peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: 1000, windowScale: 7 } });
    expect(peer.expect({ flags: "SA", window: 18_980 }).options.windowScale).toBe(0);
    peer.end();
  });

  test("a larger buffer is not offered at once: the window opens by two segments with each that arrives", () => {
    const peer = new Peer(undefined, { ...LINUX, receiveBuffer: 270_000, receiveBufferMaximum: 6_000_000 });
    const connection = peer.open();
    peer.expect({ flags: "S", window: 65535 });
    peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: MSS, windowScale: 7 } });
    peer.expect({ flags: "A", window: 512 });
    const windows: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      peer.send({ flags: "PA", data: MSS });
      readAll(connection);
      peer.advance(50);
      windows.push(peer.takeAll().at(-1)?.window ?? 0);
    }
    expect(windows).toEqual([535, 558, 581, 604].map((field) => field));
    peer.end();
  });
});

describe("the send buffer", () => {
  dialogue("grows to two congestion windows while its user waits for room", (peer) => {
    const connection = peer.connect({ sendBuffer: 30_000, sendBufferMaximum: 1_000_000 });
    let taken = connection.send(new Uint8Array(100_000)) as number;
    expect(taken).toBe(30_000);
    for (let times = 0; times < 4; times += 1) {
      for (const { seq, text } of peer.takeAll()) peer.ack = Math.max(peer.ack, seq + text.length);
      peer.send({ flags: "A" });
      taken += connection.send(new Uint8Array(100_000)) as number;
    }
    expect(connection.info().unacknowledged + connection.info().unsent).toBeGreaterThanOrEqual(
      2 * connection.info().congestionWindow - MSS,
    );
    expect(peer.told).toContain("writable");
    peer.takeAll();
  });

  dialogue("stays as it is switched off", (peer) => {
    const connection = peer.connect({ sendBuffer: 30_000, sendBufferMaximum: 1_000_000, autoTuning: false });
    for (let times = 0; times < 4; times += 1) {
      connection.send(new Uint8Array(100_000));
      for (const { seq, text } of peer.takeAll()) peer.ack = Math.max(peer.ack, seq + text.length);
      peer.send({ flags: "A" });
    }
    connection.send(new Uint8Array(100_000));
    const { unacknowledged, unsent } = connection.info();
    expect(unacknowledged + unsent).toBe(30_000);
    peer.takeAll();
  });
});

describe("MUST-14: the least segment", () => {
  for (const [minimumSegmentSize, expected] of [
    [undefined, 64],
    [48, 48],
    [200, 200],
  ]) {
    dialogue(`minimumSegmentSize ${minimumSegmentSize}: a peer that asks for one octet gets ${expected}`, (peer) => {
      const connection = peer.connect({ minimumSegmentSize }, { mss: 1 });
      connection.send(new Uint8Array(1000));
      expect(peer.takeAll()[0].text.length).toBe(expected);
    });
  }
});

describe("memory", () => {
  const LIMIT = { low: 20_000, pressure: 30_000, high: 40_000 };

  test("limits out of order are refused", () => {
    expect(() => new Peer(undefined, { memoryLimit: { low: 2, pressure: 1, high: 3 } })).toThrow(RangeError);
  });

  test("what is held is counted, both ways and out of order, and given back by reading, acknowledging and the end", () => {
    const peer = new Peer();
    const connection = peer.connect();
    const { memory } = peer.tcp;
    peer.send({ flags: "A", data: octets(100) });
    peer.send({ flags: "A", seq: 201, data: octets(50) });
    expect(memory.used).toBe(150);
    connection.send(new Uint8Array(1000));
    expect(memory.used).toBe(1150);
    peer.takeAll();
    peer.send({ flags: "A", seq: 101, ack: 1001, data: octets(100) });
    expect(memory.used).toBe(250);
    connection.receive(60);
    readAll(connection);
    expect(memory.used).toBe(0);
    connection.send(new Uint8Array(1000));
    connection.abort();
    expect(memory.used).toBe(0);
    peer.takeAll();
    peer.end();
  });

  /** Two connections, of which the first has filled the stack's memory with text that nobody reads. */
  function filled(octetsHeld: number): { peer: Peer; hoarder: TcpConnection; other: TcpConnection } {
    const peer = new Peer(undefined, {
      memoryLimit: LIMIT,
      receiveBuffer: 60_000,
      receiveBufferMaximum: 1_000_000,
      timestamps: false,
      noDelay: true,
    });
    peer.listen();
    const open = (port: number): TcpConnection => {
      peer.send({ flags: "S", seq: 0, port, options: { maximumSegmentSize: MSS, sackPermitted: true } });
      peer.takeAll();
      peer.send({ flags: "A", seq: 1, ack: 1, port });
      return peer.accepted();
    };
    const other = open(6000);
    const hoarder = open(5000);
    for (let at = 0; at < octetsHeld; at += 1000) peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(1000) });
    peer.takeAll();
    return { peer, hoarder, other };
  }

  function done(peer: Peer): void {
    peer.takeAll();
    peer.end();
  }

  test("under pressure nothing grows and windows open by a few segments only; what was offered is still taken (SHLD-14)", () => {
    const { peer, hoarder, other } = filled(31_000);
    expect(peer.tcp.memory.underPressure).toBe(true);
    expect(peer.tcp.counters.TCPMemoryPressures).toBe(1);
    expect(peer.events.filter(({ kind }) => kind === "memory")).toMatchObject([{ underPressure: true }]);
    // Of the other connection: the right edge does not move until its window has come down to four segments.
    let edge = 0;
    let at = 0;
    for (; at < 58_000; at += 1000) {
      peer.send({ flags: "PA", port: 6000, seq: 1 + at, ack: 1, data: octets(1000) });
      readAll(other);
      for (const { ack = 0, window } of peer.takeAll()) {
        expect(ack + window).toBeGreaterThanOrEqual(edge);
        edge = ack + window;
      }
    }
    expect(edge - at).toBeLessThanOrEqual(4 * MSS + 1000);
    expect(edge - at).toBeGreaterThan(2 * MSS);
    // It ends where the lower limit says, and windows open again.
    hoarder.receive(10_000);
    readAll(hoarder);
    expect(peer.tcp.memory.underPressure).toBe(false);
    peer.takeAll();
    peer.send({ flags: "PA", port: 6000, seq: 1 + at, ack: 1, data: octets(1000) });
    readAll(other);
    peer.advance(100);
    expect(peer.takeAll().at(-1)?.window).toBeGreaterThan(50_000);
    done(peer);
  });

  test("at the limit what arrives is dropped and comes again, but every connection keeps a little", () => {
    const { peer, hoarder, other } = filled(41_000);
    expect(hoarder.readableLength).toBe(41_000);
    peer.send({ flags: "A", seq: 41_001, ack: 1, data: octets(1000) });
    peer.expect({ flags: "A", ack: 41_001 });
    expect(hoarder.readableLength).toBe(41_000);
    expect(peer.tcp.counters.TCPRcvQDrop).toBe(1);
    expect(peer.tcp.drops.counters["memory-limit"]).toBe(1);
    for (let at = 0; at < 6000; at += 1000) peer.send({ flags: "A", port: 6000, seq: 1 + at, ack: 1, data: octets(1000) });
    expect(other.readableLength).toBe(4000);
    // And it goes on as it is read.
    readAll(other);
    peer.send({ flags: "A", port: 6000, seq: 4001, ack: 1, data: octets(1000) });
    expect(other.readableLength).toBe(1000);
    done(peer);
  });

  test("what is held out of order goes before anything is refused, the farthest first (RFC 2018 §8)", () => {
    const { peer, other } = filled(35_000);
    for (const at of [8001, 10_001, 12_001, 14_001, 16_001, 18_001])
      peer.send({ flags: "A", port: 6000, seq: at, ack: 1, data: octets(1000) });
    expect(peer.tcp.memory.used).toBe(41_000);
    peer.takeAll();
    peer.send({ flags: "A", port: 6000, seq: 1, ack: 1, data: octets(1000) });
    expect(other.readableLength).toBe(1000);
    expect(peer.tcp.counters).toMatchObject({ PruneCalled: 1, OfoPruned: 1, TCPRcvQDrop: 0 });
    expect(peer.tcp.memory.used).toBe(41_000);
    // What was reported before is sent again when its turn comes.
    const [acknowledgment] = peer.takeAll();
    expect(peer.blocksOf(acknowledgment).some(([left]) => left === 18_001)).toBe(false);
    done(peer);
  });

  test("at the limit `send` takes no more than a little, and room is told when that is acknowledged", () => {
    const { peer, other } = filled(41_000);
    const sending = peer.watch(other);
    expect(sending.writableLength).toBe(MEMORY_FLOOR);
    expect(sending.send(new Uint8Array(10_000))).toBe(MEMORY_FLOOR);
    expect(sending.send(new Uint8Array(10_000))).toBe(0);
    peer.takeAll();
    peer.send({ flags: "A", port: 6000, seq: 1, ack: 1 + MEMORY_FLOOR });
    expect(peer.told).toContain("writable");
    expect(sending.send(new Uint8Array(10_000))).toBe(MEMORY_FLOOR);
    done(peer);
  });
});
