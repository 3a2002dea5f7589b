// Bursts as Linux hands them to its device (segment-burst.ts), PSH, records, and what waits for more (write-queue.ts, nagle.ts).
import { describe, expect, test } from "vitest";
import { WriteQueue } from "../../src/tcp/write-queue.ts";
import { dialogue, octets, type Peer } from "./peer.ts";

/** As "seq:flags:length". */
function sent(peer: Peer): string[] {
  return peer.takeAll().map(({ seq, flags, text }) => `${seq}:${flags}:${text.length}`);
}

function flags(peer: Peer): string[] {
  return peer.takeAll().map((segment) => segment.flags);
}

describe("PSH", () => {
  dialogue("MUST-61: without bursts it is where the queue ends", (peer) => {
    const connection = peer.connect({}, { windowScale: 7 });
    connection.send(octets(10 * 1460));
    expect(flags(peer)).toEqual([...Array(9).fill("A"), "PA"]);
  });

  dialogue("with bursts each ends with it, and none is longer than half the congestion window", (peer) => {
    const connection = peer.connect({ burstSegments: 5, congestionAccounting: "segments" }, { windowScale: 7 });
    connection.send(octets(10 * 1460 + 5000));
    expect(flags(peer)).toEqual(["A", "A", "A", "A", "PA", "A", "A", "A", "A", "PA"]);
  });

  dialogue("a burst of one segment has none, unless it ends what was pushed", (peer) => {
    const connection = peer.connect({ burstSegments: 2 }, { window: 1460 });
    connection.send(octets(2920));
    peer.expect({ flags: "A", seq: 1, data: 1460 });
    peer.send({ flags: "A", seq: 1, ack: 1461, window: 1460 });
    peer.expect({ flags: "PA", seq: 1461, data: 1460 });
  });
});

describe("MAY-16: SEND without PUSH", () => {
  dialogue("what fills no segment waits for more, and then leaves with it", (peer) => {
    const connection = peer.connect({ noDelay: true }, { mss: 1000 });
    connection.send(octets(1400), { push: false });
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.expectNothing(10);
    connection.send(octets(100));
    peer.expect({ flags: "PA", seq: 1001, data: 500 });
  });

  dialogue("it does not wait for ever: after the override timeout it goes (§3.8.6.2.1)", (peer) => {
    const connection = peer.connect({}, { mss: 1000 });
    connection.send(octets(40), { push: false });
    peer.expectNothing(199);
    peer.advance(2);
    peer.expect({ flags: "PA", seq: 1, data: 40 });
  });

  dialogue("the end of the stream pushes", (peer) => {
    const connection = peer.connect({}, { mss: 1000 });
    connection.send(octets(40), { push: false });
    connection.close();
    peer.expect({ flags: "FA", seq: 1, data: 40 });
  });

  dialogue("with bursts only the call itself waits, as with MSG_MORE: an acknowledgment lets it out, without PSH", (peer) => {
    const connection = peer.connect({ burstSegments: 2, noDelay: true }, { mss: 1000 });
    connection.send(octets(1050), { push: false });
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.advance(10);
    peer.send({ flags: "A", seq: 1, ack: 1001 });
    peer.expect({ flags: "A", seq: 1001, data: 50 });
  });
});

describe("the end of a record", () => {
  for (const burstSegments of [0, 2]) {
    dialogue(`nothing that follows shares a segment with it, whoever cuts: burstSegments ${burstSegments}`, (peer) => {
      const connection = peer.connect({ burstSegments, initialWindow: 2, noDelay: true }, { mss: 1000 });
      connection.send(octets(2000));
      for (let count = 0; count < 3; count += 1) connection.send(octets(300), { endOfRecord: true });
      connection.send(octets(300));
      connection.send(octets(300));
      peer.takeAll();
      peer.advance(10);
      peer.send({ flags: "A", seq: 1, ack: 2001 });
      const lengths = peer.takeAll().map(({ text }) => text.length);
      peer.advance(10);
      peer.send({ flags: "A", seq: 1, ack: 2901 });
      lengths.push(...peer.takeAll().map(({ text }) => text.length));
      expect(lengths).toEqual([300, 300, 300, 600]);
    });
  }

  dialogue("also of what is sent again", (peer) => {
    const connection = peer.connect({ burstSegments: 2, noDelay: true }, { mss: 1000 });
    for (let count = 0; count < 3; count += 1) connection.send(octets(300), { endOfRecord: true });
    expect(sent(peer)).toEqual(["1:PA:300", "301:PA:300", "601:PA:300"]);
    peer.advance(3000);
    expect(new Set(peer.takeAll().map(({ text }) => text.length))).toEqual(new Set([300]));
  });
});

describe("waiting for a larger burst", () => {
  function afterTwoAcknowledgments(peer: Peer, burstDivisor: number): string[] {
    const options = { burstSegments: 2, burstDivisor, congestionAccounting: "segments", congestionControl: "fixed" } as const;
    const connection = peer.connect(options, { windowScale: 7, mss: 1000 });
    connection.send(octets(60_000));
    peer.takeAll();
    peer.advance(100);
    // Two acknowledgments at the same moment make room for one segment each.
    peer.send({ flags: "A", seq: 1, ack: 1001 });
    const before = peer.takeAll().length;
    peer.send({ flags: "A", seq: 1, ack: 2001 });
    return [`${before}`, ...flags(peer)];
  }

  dialogue("with the next acknowledgment due at any moment one segment waits for it", (peer) => {
    expect(afterTwoAcknowledgments(peer, 3)).toEqual(["1"]);
  });

  dialogue("off: it goes at once", (peer) => {
    expect(afterTwoAcknowledgments(peer, Number.POSITIVE_INFINITY)).toEqual(["1", "A"]);
  });
});

describe("the queue of what was never sent", () => {
  test("stretches are as long as they may be, and the last one is filled up", () => {
    const queue = new WriteQueue(1);
    queue.append(1, 2500, 1000, Number.POSITIVE_INFINITY, true, false);
    queue.append(2501, 300, 1000, Number.POSITIVE_INFINITY, true, false);
    const stretches: string[] = [];
    for (let each = queue.head; each !== undefined; each = each.next) stretches.push(`${each.start}-${each.end}${each.pushed ? "P" : ""}`);
    expect(stretches).toEqual(["1-1001", "1001-2001", "2001-2801P"]);
  });

  test("what is pushed by nobody is pushed all the same, so far from the last push", () => {
    const queue = new WriteQueue(1);
    queue.append(1, 4500, 1000, 1500, false, false);
    const pushed: number[] = [];
    for (let each = queue.head; each !== undefined; each = each.next) if (each.pushed) pushed.push(each.end);
    expect(pushed).toEqual([2001, 4001]);
  });

  test("the first grows by what follows, up to a record's end, and takes over its push", () => {
    const queue = new WriteQueue(1);
    queue.append(1, 1500, 1000, Number.POSITIVE_INFINITY, true, true);
    queue.append(1501, 100, 1000, Number.POSITIVE_INFINITY, true, false);
    queue.fill(5000);
    expect(queue.head).toMatchObject({ start: 1, end: 1501, pushed: true, sealed: true });
    queue.fill(5000);
    expect(queue.head).toMatchObject({ end: 1501 });
    queue.sent(1501);
    expect(queue.head).toMatchObject({ start: 1501, end: 1601 });
    queue.sent(1601);
    expect([queue.head, queue.tail]).toEqual([undefined, undefined]);
  });
});
