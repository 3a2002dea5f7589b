// Urgent data (RFC 9293 §3.8.5, RFC 6093).
import { describe, expect } from "vitest";
import { dialogue, octets, readText, textOf } from "./peer.ts";

describe("sending", () => {
  dialogue("MUST-30, MUST-62: the pointer names the octet after the last urgent one", (peer) => {
    const connection = peer.connect();
    expect(connection.sendUrgent(textOf("help"))).toBe(4);
    peer.expect({ flags: "UPA", seq: 1, urgent: 4, data: "help" });
  });

  dialogue("MUST-62: octets before and behind the urgent ones are not urgent", (peer) => {
    const connection = peer.connect({ noDelay: true });
    connection.send(textOf("ab"));
    peer.expect({ flags: "PA", seq: 1, urgent: 0, data: "ab" });
    connection.sendUrgent(textOf("!"));
    peer.expect({ flags: "UPA", seq: 3, urgent: 1, data: "!" });
    connection.send(textOf("cd"));
    peer.expect({ flags: "PA", seq: 4, urgent: 0, data: "cd" });
  });

  dialogue("MUST-31: they may be any number; every segment on the way there says how far they go", (peer) => {
    const connection = peer.connect();
    connection.sendUrgent(octets(4000));
    connection.send(octets(100));
    peer.expect({ flags: "UA", seq: 1, urgent: 4000, data: 1460 });
    peer.expect({ flags: "UA", seq: 1461, urgent: 2540, data: 1460 });
    peer.send({ flags: "A", ack: 2921 });
    peer.expect({ flags: "UPA", seq: 2921, urgent: 1080, data: 1180 });
  });

  dialogue("MUST-31: an end that is further away than the field can say is said when it comes nearer", (peer) => {
    const connection = peer.connect({ sendBuffer: 200_000 }, { windowScale: 4 });
    connection.sendUrgent(octets(70_000));
    const [first, ...rest] = peer.takeAll();
    expect(first).toMatchObject({ flags: "UA", urgent: 65535 });
    expect(rest[3]).toMatchObject({ flags: "UA", seq: 1 + 4 * 1460, urgent: 70_000 - 4 * 1460 });
  });

  dialogue("it is announced also while the window is closed", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.sendUrgent(textOf("help"));
    peer.send({ flags: "FA", ack: 1, window: 0 });
    peer.expect({ flags: "UA", seq: 1, ack: 2, urgent: 4 });
    peer.advance(1000);
    peer.expect({ flags: "UA", seq: 1, urgent: 4, data: "h" });
  });

  dialogue("a retransmission says it again, an acknowledged end is forgotten", (peer) => {
    const connection = peer.connect();
    connection.sendUrgent(textOf("help"));
    peer.expect({ flags: "UPA", seq: 1, urgent: 4, data: "help" });
    peer.advance(1000);
    peer.expect({ flags: "UPA", seq: 1, urgent: 4, data: "help" });
    peer.send({ flags: "A", ack: 5 });
    connection.send(textOf("ok"));
    peer.expect({ flags: "PA", seq: 5, urgent: 0, data: "ok" });
  });
});

describe("receiving", () => {
  dialogue("MUST-32: the user is told when urgent data appears and when its end moves on, and not otherwise", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "UPA", seq: 1, ack: 1, urgent: 3, data: "abc" });
    expect(peer.told).toEqual(["urgent", "readable"]);
    peer.send({ flags: "UPA", seq: 4, ack: 1, urgent: 0, data: "d" });
    expect(peer.told).toEqual(["urgent", "readable", "readable"]);
    peer.send({ flags: "UPA", seq: 5, ack: 1, urgent: 10, data: "e" });
    expect(peer.told).toEqual(["urgent", "readable", "readable", "urgent", "readable"]);
    expect(readText(connection)).toBe("abcde");
    peer.advance(40);
    expect(peer.takeAll().at(-1)?.ack).toBe(6);
  });

  dialogue("MUST-33: and can find out how much of it is unread", (peer) => {
    const connection = peer.connect();
    expect(connection.urgentLength).toBe(0);
    peer.send({ flags: "UPA", seq: 1, ack: 1, urgent: 6, data: "abc" });
    expect(connection.urgentLength).toBe(6);
    connection.receive(2);
    expect(connection.urgentLength).toBe(4);
    peer.send({ flags: "PA", seq: 4, ack: 1, data: "defghi" });
    connection.receiveInto(new Uint8Array(4));
    expect(connection.urgentLength).toBe(0);
    peer.advance(40);
    expect(peer.takeAll().at(-1)?.ack).toBe(10);
  });

  dialogue("MUST-62: the pointer counts from the segment's own number, also when its front is old", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "abcd" });
    connection.receive();
    peer.send({ flags: "UPA", seq: 1, ack: 1, urgent: 6, data: "abcdef" });
    expect([connection.urgentLength, readText(connection), connection.urgentLength]).toEqual([2, "ef", 0]);
    peer.advance(40);
    expect(peer.takeAll().at(-1)?.ack).toBe(7);
  });

  dialogue("an end that was read already is no news", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "abcd" });
    connection.receive();
    peer.told.length = 0;
    peer.send({ flags: "UA", seq: 5, ack: 1, urgent: 0 });
    expect([peer.told, connection.urgentLength]).toEqual([[], 0]);
    peer.advance(40);
    peer.expect({ flags: "A", ack: 5 });
  });

  dialogue("RFC 6093 §3.2: urgent octets stay where they are in the stream", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "UPA", seq: 1, ack: 1, urgent: 2, data: "a!b" });
    expect(readText(connection)).toBe("a!b");
    peer.advance(40);
    peer.expect({ flags: "A", ack: 4 });
  });
});
