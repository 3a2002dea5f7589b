// Classic ECN (RFC 3168): agreeing on it with every way back, marks there and back, one reduction a round trip.
import { expect, test } from "vitest";
import { dialogue, Peer, type PeerOptions } from "./peer.ts";

const ECT_0 = 2;
const CE = 3;
const MSS = 1460;

/** An established connection that the peer opened, asking for ECN. */
function connected(peer: Peer, options: PeerOptions = {}): ReturnType<Peer["accepted"]> {
  peer.listen(options);
  peer.send({ flags: "SEC", seq: 0, options: { maximumSegmentSize: MSS } });
  peer.expect({ flags: "SEA", seq: 0, ack: 1, trafficClass: options.trafficClass ?? 0 });
  peer.send({ flags: "A", seq: 1, ack: 1 });
  return peer.accepted();
}

dialogue(
  "SHLD-8: a SYN that asks for ECN is answered by ECE alone; text is ECT(0), acknowledgments are not (RFC 3168 §6.1.1, §6.1.4)",
  (peer) => {
    const connection = connected(peer);
    connection.send(new Uint8Array(100));
    peer.expect({ flags: "PA", data: 100, trafficClass: ECT_0 });
    peer.send({ flags: "PA", data: 100, trafficClass: ECT_0 });
    peer.advance(100);
    peer.expect({ flags: "A", ack: 101, trafficClass: 0 });
    // A FIN without text carries nothing that could be marked.
    connection.close();
    peer.expect({ flags: "FA", trafficClass: 0 });
  },
);

dialogue("RFC 3168 §6.1.1: off, and to a peer that does not ask, nothing is said of ECN", (peer) => {
  const connection = peer.connect();
  connection.send(new Uint8Array(100));
  peer.expect({ flags: "PA", data: 100, trafficClass: 0 });
  peer.send({ flags: "A", trafficClass: CE });
});

dialogue("RFC 3168 §6.1.1: switched off, a SYN that asks is answered as one that does not", (peer) => {
  peer.listen({ ecn: "off" });
  peer.send({ flags: "SEC", seq: 0 });
  peer.expect({ flags: "SA", ack: 1 });
  peer.send({ flags: "A", ack: 1 });
  peer.accepted().send(new Uint8Array(100));
  peer.expect({ flags: "PA", data: 100, trafficClass: 0 });
});

dialogue("RFC 3168 §6.1.1: switched on, our SYN asks, and is itself not ECN-capable", (peer) => {
  const connection = peer.open({ ecn: "on" });
  peer.expect({ flags: "SEC", seq: 0, trafficClass: 0 });
  peer.send({ flags: "SEA", seq: 0, ack: 1 });
  peer.expect({ flags: "A", trafficClass: 0 });
  connection.send(new Uint8Array(100));
  peer.expect({ flags: "PA", data: 100, trafficClass: ECT_0 });
});

dialogue("RFC 3168 §6.1.1.2: a peer that reflects both flags does not know ECN", (peer) => {
  const connection = peer.open({ ecn: "on" });
  peer.expect({ flags: "SEC" });
  peer.send({ flags: "SECA", seq: 0, ack: 1 });
  peer.expect({ flags: "A" });
  connection.send(new Uint8Array(100));
  peer.expect({ flags: "PA", data: 100, trafficClass: 0 });
});

dialogue("RFC 3168 §6.1.1.1: a SYN that got lost is sent again without the flags, and nothing is marked then", (peer) => {
  const connection = peer.open({ ecn: "on" });
  peer.expect({ flags: "SEC" });
  peer.advance(1000);
  peer.expect({ flags: "S", seq: 0 });
  // The answer to the first one, late.
  peer.send({ flags: "SEA", seq: 0, ack: 1 });
  peer.expect({ flags: "A" });
  connection.send(new Uint8Array(100));
  peer.expect({ flags: "PA", data: 100, trafficClass: 0 });
  // But the peer may mark, and hears of it.
  peer.send({ flags: "PA", data: 10, trafficClass: CE });
  peer.expect({ flags: "EA", ack: 11 });
});

dialogue("RFC 3168 §6.1.1.1: without the fallback every SYN asks", (peer) => {
  peer.open({ ecn: "on", ecnFallback: false });
  peer.expect({ flags: "SEC" });
  peer.advance(1000);
  peer.expect({ flags: "SEC", seq: 0 });
});

dialogue("RFC 3168 §6.1.3: a mark is echoed at once, and by every segment until the sender says CWR", (peer) => {
  const connection = connected(peer);
  peer.send({ flags: "A", data: 100, trafficClass: CE });
  peer.expect({ flags: "EA", ack: 101 });
  peer.send({ flags: "A", data: 100, trafficClass: ECT_0 });
  peer.advance(100);
  peer.expect({ flags: "EA", ack: 201 });
  connection.send(new Uint8Array(10));
  peer.expect({ flags: "PEA", data: 10, trafficClass: ECT_0 });
  peer.send({ flags: "CA", data: 100, trafficClass: ECT_0 });
  peer.expect({ flags: "A", ack: 301 });
});

dialogue("RFC 3168 §6.1.3: what says CWR and is marked starts the echo anew", (peer) => {
  connected(peer);
  peer.send({ flags: "A", data: 100, trafficClass: CE });
  peer.expect({ flags: "EA", ack: 101 });
  peer.send({ flags: "CA", data: 100, trafficClass: CE });
  peer.expect({ flags: "EA", ack: 201 });
});

dialogue("RFC 3168 §6.1.5: a mark outside of the window says nothing", (peer) => {
  connected(peer);
  peer.send({ flags: "A", seq: 1 + 2 ** 20, data: 100, trafficClass: CE });
  peer.expect({ flags: "A", ack: 1 });
  peer.seq = 1;
  peer.send({ flags: "A", data: 100, trafficClass: ECT_0 });
  peer.advance(100);
  peer.expect({ flags: "A", ack: 101 });
});

dialogue("RFC 3168 §6.1.2: ECE halves the window once a round trip, and CWR tells it with the first new text", (peer) => {
  const connection = connected(peer);
  connection.send(new Uint8Array(40 * MSS));
  const first = peer.takeAll();
  expect(first).toHaveLength(10);
  expect(first.every(({ trafficClass }) => trafficClass === ECT_0)).toBe(true);
  const before = connection.info().congestionWindow;
  peer.ack = 1 + 2 * MSS;
  peer.send({ flags: "EA" });
  const { congestionWindow, slowStartThreshold } = connection.info();
  expect(congestionWindow).toBe(slowStartThreshold);
  expect(congestionWindow).toBeLessThan(before);
  const more: string[] = [];
  // Every one of the same flight says ECE, and none reduces the window again.
  for (let segment = 3; segment <= 10; segment += 1) {
    more.push(...peer.takeAll().map(({ flags }) => flags));
    peer.ack = 1 + segment * MSS;
    peer.send({ flags: "EA" });
  }
  expect(connection.info().congestionWindow).toBe(congestionWindow);
  more.push(...peer.takeAll().map(({ flags }) => flags));
  expect(more[0]).toBe("CA");
  expect(more.filter((flags) => flags.includes("C"))).toHaveLength(1);
  expect(peer.retransmissions).toHaveLength(0);
  // One of the next flight does, which has heard of CWR.
  peer.ack = 1 + 12 * MSS;
  peer.send({ flags: "EA" });
  expect(connection.info().congestionWindow).toBeLessThan(congestionWindow);
  peer.takeAll();
});

dialogue("RFC 3168 §6.1.2: the window shrinks with what is acknowledged, so that there is no pause", (peer) => {
  const connection = connected(peer);
  connection.send(new Uint8Array(40 * MSS));
  peer.takeAll();
  let sent = 0;
  for (let segment = 1; segment <= 10; segment += 1) {
    peer.ack = 1 + segment * MSS;
    peer.send({ flags: "EA" });
    sent += peer.takeAll().length;
    // Never two of the old flight in a row without a new one, give or take the rounding.
    expect(sent).toBeGreaterThanOrEqual(Math.floor(segment / 2) - 1);
  }
  expect(sent * MSS).toBeLessThanOrEqual(connection.info().congestionWindow + MSS);
});

dialogue("RFC 3168 §6.1.5: what is sent again is not ECN-capable, and the reduction for the loss is told by CWR", (peer) => {
  const connection = connected(peer);
  connection.send(new Uint8Array(MSS));
  peer.expect({ flags: "PA", data: MSS, trafficClass: ECT_0 });
  peer.advance(1100);
  peer.expect({ flags: "PA", data: MSS, trafficClass: 0 });
  peer.send({ flags: "A" });
  connection.send(new Uint8Array(10));
  peer.expect({ flags: "PCA", data: 10, trafficClass: ECT_0 });
  connection.send(new Uint8Array(10));
  peer.send({ flags: "A" });
  peer.expect({ flags: "PA", data: 10, trafficClass: ECT_0 });
});

dialogue("RFC 3168 §6.1.6: a probe of a closed window is not ECN-capable", (peer) => {
  const connection = connected(peer);
  peer.send({ flags: "A", window: 0 });
  peer.window = 0;
  connection.send(new Uint8Array(100));
  peer.advance(1100);
  peer.expect({ flags: "A", data: 1, trafficClass: 0 });
});

dialogue("MUST-48: the DS field stays what the user wants", (peer) => {
  const connection = connected(peer, { trafficClass: 0xb8 });
  connection.send(new Uint8Array(10));
  peer.expect({ flags: "PA", data: 10, trafficClass: 0xb8 | ECT_0 });
});

dialogue("simultaneous open: what both SYNs ask for is agreed on (RFC 3168 §6.1.1)", (peer) => {
  const connection = peer.open({ ecn: "on" });
  peer.expect({ flags: "SEC" });
  peer.send({ flags: "SEC", seq: 0 });
  peer.expect({ flags: "SEA", ack: 1 });
  peer.send({ flags: "SEA", seq: 0, ack: 1 });
  peer.expect({ flags: "A" });
  connection.send(new Uint8Array(10));
  peer.expect({ flags: "PA", data: 10, trafficClass: ECT_0 });
});

test("an ECE that was never agreed on changes nothing (RFC 3168 §6.1.1)", () => {
  const peer = new Peer();
  const connection = peer.connect();
  connection.send(new Uint8Array(5 * MSS));
  peer.takeAll();
  const before = connection.info().congestionWindow;
  peer.send({ flags: "EA", ack: 1 + MSS });
  expect(connection.info().congestionWindow).toBeGreaterThanOrEqual(before);
  peer.takeAll();
  peer.end();
});
