// Timestamps (RFC 7323 §3, §4): negotiation, what is sent and echoed, the round trips that come back, and the room they take.
import { ip, SeededRandom, VirtualClock } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import { createInitialSequenceNumbers, createTimestampOffsets, type TcpConnection, type TcpOpenOptions } from "../../src/index.ts";
import { echoesOriginal } from "../../src/tcp/timestamps.ts";
import { dialogue, octets, type Peer, type PeerOptions, type PeerSegment, type ReceivedSegment } from "./peer.ts";

/** The host's clock itself, so that the numbers in a dialogue are its milliseconds. */
const PLAIN: PeerOptions = { timestampOffset: false };

/** Options of a segment with these timestamps. */
function ts(value: number, echoReply = 0): Pick<PeerSegment, "options"> {
  return { options: { timestamps: { value, echoReply } } };
}

function echo(segment: ReceivedSegment): [number, number] | undefined {
  const { timestamps } = segment.options;
  return timestamps && [timestamps.value, timestamps.echoReply];
}

/** Opened by the peer at 1000 ms, its timestamps begin at 500. */
function connect(peer: Peer, options: TcpOpenOptions = {}): TcpConnection {
  peer.advance(1000);
  peer.listen(options);
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: 1460, timestamps: { value: 500, echoReply: 0 } } });
  expect(echo(peer.expect({ flags: "SA" }))).toEqual([1000, 500]);
  peer.send({ flags: "A", seq: 1, ack: 1, ...ts(500, 1000) });
  return peer.accepted();
}

describe("negotiation", () => {
  dialogue(
    "RFC 7323 §3.2: the SYN offers them and echoes 0; once both SYNs have them they are in every segment",
    (peer) => {
      peer.advance(1234);
      const connection = peer.open();
      expect(echo(peer.expect({ flags: "S" }))).toEqual([1234, 0]);
      peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460, timestamps: { value: 77, echoReply: 1234 } } });
      expect(echo(peer.expect({ flags: "A" }))).toEqual([1234, 77]);
      connection.send(octets(10));
      expect(echo(peer.expect({ flags: "AP", data: 10 }))).toEqual([1234, 77]);
      connection.close();
      expect(echo(peer.expect({ flags: "FA" }))).toEqual([1234, 77]);
      connection.abort();
      expect(echo(peer.expect({ flags: "R" }))?.[0]).toBe(1234);
    },
    PLAIN,
  );

  dialogue("RFC 7323 §3.2: a SYN,ACK has them only when the SYN had", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0 });
    expect(echo(peer.expect({ flags: "SA" }))).toBeUndefined();
  });

  dialogue("the option timestamps: false keeps them out of both SYNs", (peer) => {
    peer.listen({ timestamps: false });
    peer.send({ flags: "S", seq: 0, ...ts(5) });
    expect(echo(peer.expect({ flags: "SA" }))).toBeUndefined();
    peer.open({ timestamps: false });
    expect(echo(peer.expect({ flags: "S" }))).toBeUndefined();
  });

  dialogue("RFC 7323 §3.2: where they were not agreed on, they are ignored", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", data: 10, ...ts(1_000_000) });
    peer.send({ flags: "A", data: 10, ...ts(5) });
    expect(connection.readableLength).toBe(20);
    peer.advance(100);
    expect(echo(peer.expect({ flags: "A", ack: 21 }))).toBeUndefined();
  });

  dialogue(
    "RFC 6691 §2: a segment carries so much less text as they take",
    (peer) => {
      const connection = connect(peer);
      connection.send(octets(3000));
      peer.expect({ flags: "A", data: 1448 });
      expect(connection.info().sendMaximumSegmentSize).toBe(1448);
      peer.takeAll();
    },
    PLAIN,
  );
});

describe("what is echoed", () => {
  dialogue(
    "RFC 7323 §4.3 (A): the earliest of the segments that one acknowledgment covers",
    (peer) => {
      connect(peer, { delayedAck: 40 });
      peer.send({ flags: "A", data: 100, ...ts(510, 1000) });
      peer.send({ flags: "A", data: 10, ...ts(520, 1000) });
      peer.advance(40);
      expect(echo(peer.expect({ flags: "A", ack: 111 }))).toEqual([1040, 510]);
    },
    PLAIN,
  );

  dialogue(
    "RFC 7323 §4.3 (B), (C): while something is missing, the last that came in order; then the one that filled the hole",
    (peer) => {
      connect(peer, { delayedAck: 0 });
      peer.send({ flags: "A", seq: 1, data: 100, ...ts(510, 1000) });
      expect(echo(peer.expect({ flags: "A", ack: 101 }))?.[1]).toBe(510);
      peer.send({ flags: "A", seq: 201, data: 100, ...ts(520, 1000) });
      expect(echo(peer.expect({ flags: "A", ack: 101 }))?.[1]).toBe(510);
      peer.send({ flags: "A", seq: 101, data: 100, ...ts(530, 1000) });
      expect(echo(peer.expect({ flags: "A", ack: 301 }))?.[1]).toBe(530);
    },
    PLAIN,
  );

  dialogue(
    "RFC 7323 §4.3: the last segment once more: the acknowledgment was lost, and the next one answers this copy",
    (peer) => {
      connect(peer, { delayedAck: 0 });
      peer.send({ flags: "A", seq: 1, data: 100, ...ts(510, 1000) });
      peer.takeAll();
      peer.send({ flags: "A", seq: 1, data: 100, ...ts(2510, 1000) });
      expect(echo(peer.expect({ flags: "A", ack: 101 }))?.[1]).toBe(2510);
    },
    PLAIN,
  );

  dialogue(
    "RFC 5961 §5: a segment that acknowledges what was never sent sets no timestamp",
    (peer) => {
      connect(peer, { delayedAck: 0 });
      peer.send({ flags: "A", seq: 1, ack: 9999, ...ts(200_000, 1000) });
      expect(echo(peer.expect({ flags: "A", ack: 1 }))?.[1]).toBe(500);
      peer.send({ flags: "A", seq: 1, ack: 1, data: 10, ...ts(501, 1000) });
      expect(echo(peer.expect({ flags: "A", ack: 11 }))?.[1]).toBe(501);
    },
    PLAIN,
  );
});

describe("round trips", () => {
  dialogue(
    "RFC 7323 §4.1: also what was sent twice is measured, from the copy that is answered, and the back-off ends",
    (peer) => {
      const connection = connect(peer);
      connection.send(octets(10));
      peer.expect({ flags: "AP", data: 10 });
      peer.advance(1000);
      expect(echo(peer.expect({ flags: "AP", data: 10 }))?.[0]).toBe(2000);
      expect(connection.info().retransmissionTimeout).toBe(2000);
      peer.advance(80);
      peer.send({ flags: "A", ack: 11, ...ts(1580, 2000) });
      // The handshake's round trip was 0: 1/8 of 80.
      expect(connection.info().smoothedRoundTripTime).toBe(10);
      expect(connection.info().retransmissionTimeout).toBe(1000);
    },
    PLAIN,
  );

  dialogue("without them it is not, and the back-off stays (Karn)", (peer) => {
    const connection = peer.connect();
    connection.send(octets(10));
    peer.expect({ flags: "AP", data: 10 });
    peer.advance(1000);
    peer.expect({ flags: "AP", data: 10 });
    peer.advance(80);
    peer.send({ flags: "A", ack: 11 });
    expect(connection.info()).toMatchObject({ smoothedRoundTripTime: 0, retransmissionTimeout: 2000 });
  });

  dialogue(
    "RFC 7323 §4.1: an echo of the future, or of long ago, is not believed",
    (peer) => {
      const connection = connect(peer);
      peer.advance(300_000);
      // Now is 301,000, and 302,000 after the timeout.
      for (const wrong of [302_001, 900_000, 1000, 0]) {
        connection.send(octets(10));
        peer.expect({ flags: "AP", data: 10 });
        peer.advance(1000);
        peer.expect({ flags: "AP", data: 10 });
        peer.send({ flags: "A", ack: peer.ack, ...ts(400_000, wrong + (wrong > 1000 ? peer.clock.now() - 302_000 : 0)) });
        expect(connection.info().smoothedRoundTripTime, `${wrong}`).toBe(0);
        // The next one, sent once, is measured as ever, and ends the back-off.
        connection.send(octets(10));
        peer.expect({ flags: "AP", data: 10 });
        peer.send({ flags: "A", ack: peer.ack, ...ts(400_000, peer.clock.now()) });
      }
    },
    PLAIN,
  );

  dialogue(
    "RFC 6298 §5.7: a SYN that was sent twice gives a measurement, too",
    (peer) => {
      const connection = peer.open();
      peer.expect({ flags: "S" });
      peer.advance(1000);
      expect(echo(peer.expect({ flags: "S" }))).toEqual([1000, 0]);
      peer.advance(40);
      peer.send({ flags: "SA", seq: 0, ack: 1, ...ts(9, 1000) });
      peer.expect({ flags: "A" });
      expect(connection.info()).toMatchObject({ smoothedRoundTripTime: 40, retransmissionTimeout: 1000 });
    },
    PLAIN,
  );
});

describe("RFC 3522 §3.2: Eifel", () => {
  dialogue(
    "an echo from before the first retransmission answers the original",
    (peer) => {
      const connection = connect(peer);
      const tcb = (connection as unknown as { tcb: Parameters<typeof echoesOriginal>[0] }).tcb;
      const answers = (value: number): boolean =>
        echoesOriginal(tcb, { options: { timestamps: { value: 0, echoReply: value } } } as Parameters<typeof echoesOriginal>[1]);
      connection.send(octets(10));
      expect(answers(1000)).toBe(false);
      peer.advance(3000);
      peer.takeAll();
      // It was sent again at 2000 and at 4000.
      expect([1000, 1999, 2000, 4000].map(answers)).toEqual([true, true, false, false]);
      peer.send({ flags: "A", ack: 11, ...ts(600, 4000) });
      expect(answers(1000)).toBe(false);
    },
    PLAIN,
  );
});

describe("the clock", () => {
  dialogue("RFC 7323 §5.4: it starts at a number that does not tell how long the host has been up, and counts milliseconds", (peer) => {
    peer.advance(1000);
    peer.open();
    const [value = 0] = echo(peer.expect({ flags: "S" })) ?? [];
    expect(value).not.toBe(1000);
    peer.advance(1000);
    expect(echo(peer.expect({ flags: "S" }))?.[0]).toBe((value + 1000) >>> 0);
  });

  test("RFC 7323 §5.4, RFC 6528 §3: the offset is the same for the same ends, else another, and has a secret apart from the ISN's", () => {
    const host = { name: "a", clock: new VirtualClock(), random: new SeededRandom(1) };
    const offsets = createTimestampOffsets(host);
    const [a, b] = [
      { address: ip("10.0.0.1"), port: 80 },
      { address: ip("10.0.0.2"), port: 5000 },
    ];
    expect(offsets(a, b)).toBe(offsets(a, b));
    expect(offsets(a, { ...b, port: 5001 })).not.toBe(offsets(a, b));
    expect(createTimestampOffsets(host)(a, b)).not.toBe(offsets(a, b));
    expect(createInitialSequenceNumbers(host)(a, b)).not.toBe(offsets(a, b));
  });
});

describe("window scaling", () => {
  dialogue("RFC 7323 §2.2: windowScaling: false neither offers nor accepts it", (peer) => {
    const connection = peer.connect({ windowScaling: false, receiveBuffer: 200_000 }, { windowScale: 7, window: 1000 });
    expect(connection.info().sendWindow).toBe(1000);
    peer.open({ windowScaling: false });
    expect(peer.expect({ flags: "S" }).options.windowScale).toBeUndefined();
  });

  dialogue("RFC 7323 §2.3: the shift can be chosen; it is 14 at most", (peer) => {
    for (const [windowScale, offered] of [
      [6, 6],
      [0, 0],
      [20, 14],
    ]) {
      peer.open({ windowScale });
      expect(peer.expect({ flags: "S" }).options.windowScale).toBe(offered);
    }
  });
});
