// When the sender sends, and how much (RFC 9293 §3.7.4, §3.8.6.2.1, §3.9.1.2).
import { describe, expect } from "vitest";
import { dialogue, octets, textOf } from "./peer.ts";

describe("the push function", () => {
  dialogue("MUST-61: PSH is on the segment that empties the queue, and on no other", (peer) => {
    const connection = peer.connect({ noDelay: true });
    connection.send(octets(4000));
    peer.expect({ flags: "A", seq: 1, data: 1460 });
    peer.expect({ flags: "A", seq: 1461, data: 1460 });
    peer.expect({ flags: "PA", seq: 2921, data: 1080 });
  });

  dialogue("MUST-60: with nothing else to wait for, a single octet goes at once", (peer) => {
    const connection = peer.connect();
    connection.send(octets(1));
    peer.expect({ flags: "PA", seq: 1, data: 1 });
  });

  dialogue("SHLD-28: wherever there is text for it, the segment is full", (peer) => {
    const connection = peer.connect({}, { windowScale: 7 });
    for (let index = 0; index < 14; index += 1) connection.send(octets(1000, 1000 * index));
    const sent = peer.takeAll();
    expect(sent.map(({ text }) => text.length)).toEqual([1000, ...new Array(8).fill(1460)]);
    expect(Buffer.concat(sent.map(({ text }) => text)).equals(octets(1000 + 8 * 1460))).toBe(true);
  });
});

describe("Nagle", () => {
  dialogue("SHLD-7: small text waits while something is unacknowledged", (peer) => {
    const connection = peer.connect();
    connection.send(textOf("a"));
    peer.expect({ flags: "PA", seq: 1, data: "a" });
    connection.send(textOf("b"));
    connection.send(textOf("c"));
    peer.expectNothing(900);
    peer.send({ flags: "A", ack: 2 });
    peer.expect({ flags: "PA", seq: 2, data: "bc" });
  });

  dialogue("SHLD-27, MAY-16: what waited goes out in one segment", (peer) => {
    const connection = peer.connect();
    for (let index = 0; index < 100; index += 1) connection.send(octets(10, 10 * index));
    peer.expect({ flags: "PA", seq: 1, data: octets(10) });
    peer.send({ flags: "A", ack: 11 });
    peer.expect({ flags: "PA", seq: 11, data: octets(990, 10) });
  });

  dialogue("SHLD-7: a full segment does not wait", (peer) => {
    const connection = peer.connect();
    connection.send(octets(1));
    peer.expect({ flags: "PA", seq: 1, data: 1 });
    connection.send(octets(1459));
    peer.expectNothing();
    connection.send(octets(1));
    peer.expect({ flags: "PA", seq: 2, data: 1460 });
  });

  dialogue("MUST-17: it can be turned off for a connection, at any time", (peer) => {
    const connection = peer.connect({ noDelay: true });
    for (const seq of [1, 2]) {
      connection.send(textOf("x"));
      peer.expect({ flags: "PA", seq, data: "x" });
    }
    connection.set({ noDelay: false });
    connection.send(textOf("x"));
    peer.expectNothing();
    connection.set({ noDelay: true });
    peer.expect({ flags: "PA", seq: 3, data: "x" });
  });

  dialogue("the last text before a FIN does not wait", (peer) => {
    const connection = peer.connect();
    connection.send(textOf("a"));
    peer.expect({ flags: "PA", seq: 1, data: "a" });
    connection.send(textOf("b"));
    connection.close();
    peer.expect({ flags: "FPA", seq: 2, data: "b" });
  });
});

describe("silly windows", () => {
  dialogue("MUST-38: less than a segment and less than half of the largest window waits, but not for ever", (peer) => {
    const connection = peer.connect({}, { window: 1000 });
    connection.send(octets(5000));
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001, window: 400 });
    peer.expectNothing(199);
    peer.advance(1);
    peer.expect({ flags: "A", seq: 1001, data: 400 });
  });

  dialogue("MUST-38: half of the largest window is worth a segment", (peer) => {
    const connection = peer.connect({}, { window: 1000 });
    connection.send(octets(5000));
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001, window: 500 });
    peer.expect({ flags: "A", seq: 1001, data: 500 });
  });

  dialogue("MUST-38: a window that opens octet by octet is not followed octet by octet", (peer) => {
    const connection = peer.connect({}, { window: 2920 });
    connection.send(octets(10_000));
    expect(peer.takeAll()).toHaveLength(2);
    let sent = 0;
    for (let opened = 0; opened < 1460; opened += 10) {
      peer.send({ flags: "A", ack: 1461, window: 1460 + opened });
      sent += peer.takeAll().length;
    }
    expect(sent).toBe(0);
    peer.send({ flags: "A", ack: 1461, window: 2920 });
    peer.expect({ flags: "A", seq: 2921, data: 1460 });
  });

  dialogue("all that is left may go, however little it is", (peer) => {
    const connection = peer.connect({}, { window: 1000 });
    connection.send(octets(1100));
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001, window: 100 });
    peer.expect({ flags: "PA", seq: 1001, data: 100 });
  });
});

describe("what the user gives", () => {
  dialogue("is taken as far as the buffer has room; the user is told when there is room again", (peer) => {
    const connection = peer.connect({ sendBuffer: 3000 });
    expect([connection.writableLength, connection.send(octets(5000)), connection.writableLength]).toEqual([3000, 3000, 0]);
    expect([connection.send(octets(1)), peer.told]).toEqual([0, []]);
    expect(peer.takeAll()).toHaveLength(2);
    peer.send({ flags: "A", ack: 1461 });
    expect([peer.told, connection.writableLength]).toEqual([["writable"], 1460]);
    peer.send({ flags: "A", ack: 2921 });
    peer.expect({ flags: "PA", seq: 2921, data: 80 });
    // Nobody waits any more, so nobody is told.
    peer.send({ flags: "A", ack: 3001 });
    expect(peer.told).toEqual(["writable"]);
  });

  dialogue("an empty SEND is nothing", (peer) => {
    const connection = peer.connect();
    expect(connection.send(new Uint8Array(0))).toBe(0);
    peer.expectNothing();
  });

  dialogue("MUST-48, SHLD-21, SHLD-22: the DS field is the user's choice, and goes to IP as it is", (peer) => {
    const connection = peer.connect({ trafficClass: 0xb8 });
    connection.send(octets(1));
    expect(peer.expect({ flags: "PA", data: 1 }).trafficClass).toBe(0xb8);
    connection.set({ trafficClass: 0x28 });
    peer.send({ flags: "A", ack: 2 });
    connection.send(octets(1));
    expect(peer.expect({ flags: "PA", data: 1 }).trafficClass).toBe(0x28);
  });

  dialogue("MUST-49: so is the TTL", (peer) => {
    const connection = peer.open({ timeToLive: 17 });
    expect(peer.expect({ flags: "S" }).timeToLive).toBe(17);
    connection.set({ timeToLive: 3 });
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    expect(peer.expect({ flags: "A" }).timeToLive).toBe(3);
  });

  dialogue("MUST-50: IP options that mean nothing to TCP are ignored", (peer) => {
    const connection = peer.connect();
    // No operations and a stream identifier (RFC 791 §3.1).
    peer.send({ flags: "PA", ack: 1, data: "x", ipOptions: Uint8Array.from([1, 1, 1, 1, 136, 4, 0, 7]) });
    expect(connection.readableLength).toBe(1);
    peer.advance(40);
    peer.expect({ flags: "A", ack: 2 });
  });
});
