// When the receiver acknowledges, and what it does with text out of order (RFC 9293 §3.8.6.3, §3.10.7.4; RFC 5681 §4.2).
import { describe, expect } from "vitest";
import { MAX_REASSEMBLY_PIECES } from "../../src/tcp/reassembler.ts";
import { dialogue, octets, readAll, readText } from "./peer.ts";

describe("delayed acknowledgments", () => {
  dialogue("SHLD-18, MUST-40: an acknowledgment waits for company, but less than half a second", (peer) => {
    peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: octets(100) });
    peer.expectNothing(39);
    peer.advance(1);
    peer.expect({ flags: "A", seq: 1, ack: 101 });
    expect(peer.tcp.counters.DelayedACKs).toBe(1);
  });

  dialogue("MUST-40: the user cannot ask for half a second or more", (peer) => {
    const connection = peer.connect({ delayedAck: 60_000 });
    expect(connection.options.delayedAck).toBeLessThan(500);
    peer.send({ flags: "PA", seq: 1, ack: 1, data: octets(100) });
    peer.advance(499);
    peer.expect({ flags: "A", ack: 101 });
  });

  dialogue("with a delay of 0 every segment is acknowledged at once", (peer) => {
    peer.connect({ delayedAck: 0 });
    for (const ack of [101, 201]) {
      peer.send({ flags: "PA", data: octets(100) });
      peer.expect({ flags: "A", ack });
    }
  });

  dialogue("SHLD-19: every second full-sized segment is acknowledged at once", (peer) => {
    peer.connect();
    for (let pair = 0; pair < 3; pair += 1) {
      peer.send({ flags: "A", ack: 1, data: octets(1460) });
      peer.expectNothing();
      peer.send({ flags: "A", ack: 1, data: octets(1460) });
      peer.expect({ flags: "A", ack: 1 + 2920 * (pair + 1) });
    }
  });

  dialogue("MUST-58: it rides on the user's answer", (peer) => {
    const connection = peer.connect();
    connection.user = {
      readable: (readable) => {
        readable.receive();
        readable.send(octets(5));
      },
    };
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "request" });
    peer.expect({ flags: "PA", seq: 1, ack: 8, data: 5 });
    peer.expectNothing(100);
  });

  dialogue("MUST-58, MUST-59: one segment is answered with one acknowledgment, however much it sets free", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", seq: 1461, ack: 1, data: octets(1460, 1460) });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "FA", seq: 4381, ack: 1, data: octets(10, 4380) });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "A", seq: 2921, ack: 1, data: octets(1460, 2920) });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 1, data: octets(1460) });
    peer.expect({ flags: "A", ack: 4392 });
    expect(readAll(connection)).toEqual(octets(4390));
  });

  dialogue("a FIN is acknowledged at once", (peer) => {
    peer.connect();
    peer.send({ flags: "FA", seq: 1, ack: 1 });
    peer.expect({ flags: "A", ack: 2 });
  });

  dialogue("the timer is gone when the connection is", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "x" });
    connection.abort();
    peer.expect({ flags: "R", seq: 1 });
    expect(peer.clock.armedTimers).toBe(0);
  });
});

describe("text out of order", () => {
  dialogue("SHLD-31: segments 2, 3, 1 are one stream", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", seq: 101, ack: 1, data: octets(100, 100) });
    peer.send({ flags: "A", seq: 201, ack: 1, data: octets(100, 200) });
    expect(connection.readableLength).toBe(0);
    peer.send({ flags: "A", seq: 1, ack: 1, data: octets(100) });
    expect(readAll(connection)).toEqual(octets(300));
    expect(peer.takeAll().map(({ ack }) => ack)).toEqual([1, 1, 301]);
  });

  dialogue("MAY-13: what comes ahead of its turn is answered at once, so that the sender learns of the hole", (peer) => {
    peer.connect();
    for (let index = 1; index <= 3; index += 1) {
      peer.send({ flags: "A", seq: 1 + 1000 * index, ack: 1, data: octets(1000) });
      peer.expect({ flags: "A", ack: 1 });
    }
  });

  dialogue("what fills a part of a hole is acknowledged at once (RFC 5681 §4.2)", (peer) => {
    peer.connect();
    peer.send({ flags: "A", seq: 301, ack: 1, data: octets(100, 300) });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 1, data: octets(100) });
    peer.expect({ flags: "A", ack: 101 });
    peer.send({ flags: "A", seq: 101, ack: 1, data: octets(200, 100) });
    peer.expect({ flags: "A", ack: 401 });
  });

  dialogue("overlaps: what came first stays, and every octet is delivered once", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", seq: 4, ack: 1, data: "DEF" });
    peer.send({ flags: "A", seq: 8, ack: 1, data: "HI" });
    peer.send({ flags: "A", seq: 3, ack: 1, data: "-------" });
    peer.send({ flags: "A", seq: 1, ack: 1, data: "ABCdefghijk" });
    // In order it is the arriving segment that counts for what is not yet delivered.
    expect(readText(connection)).toBe("ABCdefghijk");
    expect(peer.takeAll().at(-1)?.ack).toBe(12);
  });

  dialogue("overlaps ahead of their turn are kept as they first came", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", seq: 4, ack: 1, data: "DEF" });
    peer.send({ flags: "A", seq: 2, ack: 1, data: "bcdefgh" });
    peer.send({ flags: "A", seq: 1, ack: 1, data: "a" });
    expect(readText(connection)).toBe("abcDEFgh");
    expect(peer.takeAll().at(-1)?.ack).toBe(9);
  });

  dialogue("what was delivered before is cut off a segment that brings more", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "hello" });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "hello world" });
    expect(readText(connection)).toBe("hello world");
    peer.advance(40);
    expect(peer.takeAll().at(-1)?.ack).toBe(12);
  });

  dialogue("a peer that sends every other octet fills the list, not the memory; what was dropped comes again", (peer) => {
    const connection = peer.connect();
    const dropped = 10;
    for (let index = 0; index < MAX_REASSEMBLY_PIECES + dropped; index += 1) {
      peer.send({ flags: "A", seq: 2 + 2 * index, ack: 1, data: octets(1, 2 * index + 1) });
    }
    expect(peer.tcp.drops.counters["reassembly-full"]).toBe(dropped);
    expect(peer.tcp.counters).toMatchObject({ TCPOFOQueue: MAX_REASSEMBLY_PIECES, TCPOFODrop: dropped });
    const length = 2 * (MAX_REASSEMBLY_PIECES + dropped);
    for (let at = 0; at < length; at += 1400) {
      peer.send({ flags: "A", seq: 1 + at, ack: 1, data: octets(Math.min(1400, length - at), at) });
    }
    expect(readAll(connection)).toEqual(octets(length));
    peer.advance(40);
    expect(peer.takeAll().at(-1)?.ack).toBe(1 + length);
  });

  dialogue("what waits is thrown away with the connection", (peer) => {
    peer.connect();
    peer.send({ flags: "A", seq: 101, ack: 1, data: octets(100) });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "R", seq: 1 });
    expect(peer.clock.armedTimers).toBe(0);
  });
});
