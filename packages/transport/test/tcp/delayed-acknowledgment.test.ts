// When text is acknowledged (RFC 9293 §3.8.6.3): the three policies, and the switch between quick and waiting.
import { expect } from "vitest";
import { dialogue, type Peer, readAll } from "./peer.ts";

/** When the stack acknowledges each of `lengths`, sent `pause` ms apart: after so many ms, or not before the next. */
function delaysOf(peer: Peer, lengths: readonly number[], pause = 100): (number | undefined)[] {
  return lengths.map((length) => {
    const sentAt = peer.clock.now();
    peer.send({ flags: "A", data: length });
    peer.advance(pause);
    const [answer] = peer.takeAll();
    return answer === undefined ? undefined : answer.at - sentAt;
  });
}

const full = (count: number): number[] => new Array<number>(count).fill(1460);

dialogue("SHLD-19: rfc acknowledges every second full-sized segment, and the odd one after 40 ms (SHLD-18)", (peer) => {
  peer.connect();
  expect(delaysOf(peer, full(4), 1)).toEqual([undefined, 0, undefined, 0]);
  expect(delaysOf(peer, full(1))).toEqual([40]);
});

dialogue(
  "freebsd acknowledges the second segment, however small it is",
  (peer) => {
    peer.connect();
    expect(delaysOf(peer, [10, 10, 1460, 10], 1)).toEqual([undefined, 0, undefined, 0]);
    expect(delaysOf(peer, [10])).toEqual([40]);
  },
  { acknowledgments: "freebsd" },
);

dialogue(
  "linux acknowledges the first sixteen segments at once, then every second, then in the sender's rhythm",
  (peer) => {
    // A round trip of 150 ms: no wait is longer than one.
    peer.listen();
    peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: 1460 } });
    peer.expect({ flags: "SA" });
    peer.advance(150);
    peer.send({ flags: "A", seq: 1, ack: 1 });
    const connection = peer.accepted();
    expect(delaysOf(peer, full(16), 1)).toEqual(new Array(16).fill(0));
    readAll(connection);
    expect(delaysOf(peer, full(4), 1)).toEqual([undefined, 0, undefined, 0]);
    expect(delaysOf(peer, full(1))).toEqual([40]);
    // The acknowledgment went alone: the sender is slower than was thought.
    expect(delaysOf(peer, full(2), 300)).toEqual([80, 150]);
  },
  { acknowledgments: "linux" },
);

dialogue(
  "linux acknowledges at once again after a pause longer than the retransmission timeout",
  (peer) => {
    const connection = peer.connect();
    delaysOf(peer, full(16), 1);
    readAll(connection);
    expect(delaysOf(peer, full(1))).toEqual([40]);
    peer.advance(2000);
    expect(delaysOf(peer, full(2), 1)).toEqual([0, 0]);
  },
  { acknowledgments: "linux" },
);

dialogue(
  "linux acknowledges at once again when text comes a second time, because the acknowledgment was lost",
  (peer) => {
    const connection = peer.connect();
    delaysOf(peer, full(16), 1);
    readAll(connection);
    expect(delaysOf(peer, full(1))).toEqual([40]);
    peer.send({ flags: "A", seq: 1, data: 1460 });
    peer.expect({ flags: "A" });
    expect(delaysOf(peer, full(2), 1)).toEqual([0, 0]);
  },
  { acknowledgments: "linux" },
);

dialogue(
  "linux waits for company once both sides take turns, and stops waiting when it was in vain",
  (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", data: "one?" });
    peer.expect({ flags: "A", ack: 5 });
    readAll(connection);
    connection.send(new Uint8Array(3));
    peer.expect({ flags: "PA", data: 3 });
    peer.send({ flags: "PA", data: "two?" });
    peer.expectNothing(39);
    peer.advance(1);
    peer.expect({ flags: "A", ack: 9 });
    // Quick acknowledgments are left from the beginning.
    peer.send({ flags: "PA", data: "three?" });
    peer.expect({ flags: "A", ack: 15 });
  },
  { acknowledgments: "linux" },
);

dialogue(
  "linux acknowledges when a small message has been read to its end",
  (peer) => {
    const connection = peer.connect();
    delaysOf(peer, full(16), 1);
    readAll(connection);
    peer.send({ flags: "PA", data: 100 });
    peer.expectNothing();
    readAll(connection);
    peer.expect({ flags: "A" });
  },
  { acknowledgments: "linux" },
);

dialogue(
  "quickAck: false makes linux wait from the start, true ends the wait (TCP_QUICKACK)",
  (peer) => {
    const connection = peer.connect();
    connection.set({ quickAck: false });
    peer.send({ flags: "A", data: 100 });
    peer.expectNothing(10);
    connection.set({ quickAck: true });
    peer.expect({ flags: "A", ack: 101 });
  },
  { acknowledgments: "linux" },
);

dialogue("SHLD-7: minshall waits for the last small segment only, not for the full ones behind it", (peer) => {
  const small = new Uint8Array(100);
  const large = new Uint8Array(1460);
  for (const nagle of ["rfc", "minshall"] as const) {
    const connection = peer.connect({ nagle }, { mss: 1460 });
    connection.send(large);
    peer.expect({ flags: "PA", data: 1460 });
    connection.send(small);
    if (nagle === "minshall") peer.expect({ flags: "PA", data: 100 });
    else peer.expectNothing(10);
    connection.send(small);
    peer.expectNothing(10);
    connection.abort();
    peer.takeAll();
    peer.listener?.close();
    peer.listener = undefined;
    peer.seq = 0;
    peer.ack = 0;
  }
});

dialogue("cork holds back what does not fill a segment, for 200 ms at most", (peer) => {
  const connection = peer.connect({ cork: true, noDelay: true });
  connection.send(new Uint8Array(1500));
  peer.expect({ flags: "A", data: 1460 });
  peer.send({ flags: "A" });
  peer.expectNothing(199);
  peer.advance(1);
  peer.expect({ flags: "PA", data: 40 });
  peer.send({ flags: "A" });
  connection.send(new Uint8Array(10));
  peer.expectNothing(10);
  connection.set({ cork: false });
  peer.expect({ flags: "PA", data: 10 });
});

dialogue("switching Nagle off sends what cork holds back, once", (peer) => {
  const connection = peer.connect({ cork: true });
  connection.send(new Uint8Array(10));
  peer.expectNothing(10);
  connection.set({ noDelay: true });
  peer.expect({ flags: "PA", data: 10 });
  connection.send(new Uint8Array(10));
  peer.expectNothing(10);
});

dialogue(
  "linux: a FIN after text waits for the user to close, too; without any text it is acknowledged at once",
  (peer) => {
    peer.listen();
    for (const text of [0, 100]) {
      const port = 6000 + text;
      peer.send({ flags: "S", seq: 0, port });
      peer.expect({ flags: "SA" });
      peer.send({ flags: "A", seq: 1, ack: 1, port });
      const connection = peer.accepted();
      if (text > 0) {
        peer.send({ flags: "PA", seq: 1, ack: 1, data: text, port });
        peer.expect({ flags: "A", ack: 101 });
        readAll(connection);
      }
      peer.send({ flags: "FA", seq: 1 + text, ack: 1, port });
      if (text > 0) peer.expectNothing(39);
      peer.advance(text > 0 ? 1 : 0);
      peer.expect({ flags: "A", ack: 2 + text });
      connection.abort();
      peer.takeAll();
    }
  },
  { acknowledgments: "linux" },
);
