// PAWS (RFC 7323 §5): old duplicates are known by their timestamps; as the RFC says it, as Linux and as FreeBSD do it.
import { describe, expect } from "vitest";
import type { PawsPolicy, TcpConnection } from "../../src/index.ts";
import { dialogue, octets, type Peer, type PeerSegment } from "./peer.ts";

const DAY = 86_400_000;

function ts(value: number, echoReply = 0): Pick<PeerSegment, "options"> {
  return { options: { timestamps: { value, echoReply } } };
}

/** An established connection that acknowledges at once; TS.Recent is `recent`. */
function connect(peer: Peer, paws: PawsPolicy, recent = 500): TcpConnection {
  peer.listen({ paws, delayedAck: 0 });
  peer.send({
    flags: "S",
    seq: 0,
    options: { maximumSegmentSize: 1460, sackPermitted: true, timestamps: { value: recent, echoReply: 0 } },
  });
  const { value } = peer.expect({ flags: "SA" }).options.timestamps ?? { value: 0 };
  peer.send({ flags: "A", seq: 1, ack: 1, ...ts(recent, value) });
  return peer.accepted();
}

describe("RFC 7323 §5.3", () => {
  for (const paws of ["rfc", "linux", "freebsd"] as const) {
    dialogue(`${paws}: text with an old timestamp is refused with an acknowledgment, and counted`, (peer) => {
      const connection = connect(peer, paws);
      peer.send({ flags: "A", seq: 1, data: 10, ...ts(490) });
      expect(peer.expect({ flags: "A", ack: 1 }).options.timestamps?.echoReply).toBe(500);
      expect(connection.readableLength).toBe(0);
      expect(peer.tcp.counters.PAWSEstab).toBe(1);
      expect(peer.tcp.drops.counters["old-timestamp"]).toBe(1);
      peer.send({ flags: "A", seq: 1, data: 10, ...ts(500) });
      peer.expect({ flags: "A", ack: 11 });
    });

    dialogue(`${paws}: a RST is not subject to it (§5.2)`, (peer) => {
      const connection = connect(peer, paws);
      peer.send({ flags: "R", seq: 1, ...ts(1) });
      expect(connection.error).toBe("ECONNRESET");
    });

    dialogue(`${paws}: the comparison is circular`, (peer) => {
      const connection = connect(peer, paws, 2 ** 32 - 5);
      peer.send({ flags: "A", seq: 1, data: 10, ...ts(3) });
      peer.expect({ flags: "A", ack: 11 });
      peer.send({ flags: "A", seq: 11, data: 10, ...ts(2 ** 32 - 5) });
      peer.expect({ flags: "A", ack: 11 });
      expect(connection.readableLength).toBe(10);
    });

    dialogue(`${paws}: RFC 7323 §5.5: after 24 days without news the recorded timestamp says nothing`, (peer) => {
      const connection = connect(peer, paws, 500);
      peer.advance(24 * DAY);
      peer.send({ flags: "A", seq: 1, data: 10, ...ts(499 - 10) });
      peer.expect({ flags: "A", ack: 1 });
      peer.advance(1);
      peer.send({ flags: "A", seq: 1, data: 10, ...ts(499 - 10) });
      expect(peer.expect({ flags: "A", ack: 11 }).options.timestamps?.echoReply).toBe(489);
      expect(connection.readableLength).toBe(10);
    });

    dialogue(`${paws}: a peer whose SYN says 0 has not begun to count`, (peer) => {
      connect(peer, paws, 0);
      peer.send({ flags: "A", seq: 1, data: 10, ...ts(2 ** 31 + 5) });
      peer.expect({ flags: "A", ack: 11 });
    });
  }

  dialogue("RFC 2883 §4: the refused text is reported as a duplicate, if it was received before", (peer) => {
    connect(peer, "rfc");
    peer.send({ flags: "A", seq: 1, data: 10, ...ts(510) });
    peer.expect({ flags: "A", ack: 11 });
    peer.send({ flags: "A", seq: 1, data: 10, ...ts(400) });
    expect(peer.blocksOf(peer.expect({ flags: "A", ack: 11 }))).toEqual([[1, 11]]);
  });

  dialogue("answers to segments without text are limited: it may be an answer to our answer", (peer) => {
    connect(peer, "rfc");
    for (let count = 0; count < 30; count += 1) peer.send({ flags: "A", seq: 1, ...ts(400) });
    expect(peer.takeAll().length).toBeLessThanOrEqual(10);
    expect(peer.tcp.counters.PAWSEstab).toBe(30);
    expect(peer.tcp.counters.TCPACKSkippedPAWS).toBeGreaterThanOrEqual(20);
  });

  dialogue("timestamps: false: nothing is checked", (peer) => {
    peer.listen({ timestamps: false, delayedAck: 0 });
    peer.send({ flags: "S", seq: 0, ...ts(500) });
    peer.expect({ flags: "SA" });
    peer.send({ flags: "A", seq: 1, ack: 1, ...ts(500) });
    const connection = peer.accepted();
    peer.send({ flags: "A", seq: 1, data: 10, ...ts(100) });
    peer.expect({ flags: "A", ack: 11 });
    expect(connection.readableLength).toBe(10);
  });
});

describe("RFC 7323 §3.2: a segment without them, where they were agreed on", () => {
  for (const paws of ["rfc", "freebsd"] as const) {
    dialogue(`${paws}: is dropped silently, and the connection goes on`, (peer) => {
      const connection = connect(peer, paws);
      peer.send({ flags: "A", seq: 1, data: 10 });
      peer.expectNothing(100);
      expect([connection.readableLength, connection.state]).toEqual([0, "ESTABLISHED"]);
      expect(peer.tcp.drops.counters["missing-timestamps"]).toBe(1);
      peer.send({ flags: "A", seq: 1, data: 10, ...ts(500) });
      peer.expect({ flags: "A", ack: 11 });
    });
  }

  dialogue("linux: is taken, as there are paths that suppress the option", (peer) => {
    const connection = connect(peer, "linux");
    peer.send({ flags: "A", seq: 1, data: 10 });
    // Ours have it all the same.
    expect(peer.expect({ flags: "A", ack: 11 }).options.timestamps?.echoReply).toBe(500);
    expect(connection.readableLength).toBe(10);
  });

  dialogue("RFC 9293 §3.8.4: a keep-alive without them is answered all the same: Apple's are such", (peer) => {
    connect(peer, "rfc");
    peer.send({ flags: "A", seq: 0 });
    peer.expect({ flags: "A", ack: 1 });
  });

  dialogue("a RST without them is taken", (peer) => {
    const connection = connect(peer, "rfc");
    peer.send({ flags: "R", seq: 1 });
    expect(connection.error).toBe("ECONNRESET");
  });
});

describe("Linux's tolerance", () => {
  dialogue("one tick back is no duplicate", (peer) => {
    connect(peer, "linux");
    peer.send({ flags: "A", seq: 1, data: 10, ...ts(499) });
    // It is taken, and what is echoed does not go back.
    expect(peer.expect({ flags: "A", ack: 11 }).options.timestamps?.echoReply).toBe(500);
  });

  dialogue("for the RFC it is one", (peer) => {
    connect(peer, "rfc");
    peer.send({ flags: "A", seq: 1, data: 10, ...ts(499) });
    peer.expect({ flags: "A", ack: 1 });
  });

  dialogue("a duplicate acknowledgment that was overtaken still counts for loss recovery", (peer) => {
    const connection = connect(peer, "linux");
    connection.send(octets(1448 * 5));
    peer.takeAll();
    peer.send({ flags: "A", seq: 1, ack: 1, data: 10, ...ts(600) });
    peer.expect({ flags: "A", ack: 11 });
    peer.send({ flags: "A", seq: 11, ack: 1, options: { timestamps: { value: 590, echoReply: 0 }, ...peer.sack([1449, 7241]) } });
    expect(peer.expect({ flags: "A", seq: 1, data: 1448 }).seq).toBe(1);
    expect(peer.tcp.counters.PAWSEstab).toBe(0);
  });

  dialogue("an old acknowledgment is dropped without an answer", (peer) => {
    connect(peer, "linux");
    peer.send({ flags: "A", seq: 1, data: 10, ...ts(600) });
    peer.expect({ flags: "A", ack: 11 });
    peer.send({ flags: "A", seq: 1, ...ts(550) });
    peer.expectNothing();
    expect(peer.tcp.counters.PAWSOldAck).toBe(1);
  });

  dialogue("a SYN,ACK that echoes what we never sent belongs to another connection: it is reset", (peer) => {
    peer.advance(5000);
    const connection = peer.open({ paws: "linux", timestampOffset: false });
    peer.expect({ flags: "S" });
    peer.advance(10);
    for (const wrong of [4999, 5011]) {
      peer.send({ flags: "SA", seq: 0, ack: 1, ...ts(1, wrong) });
      peer.expect({ flags: "R" });
    }
    expect(peer.tcp.counters.PAWSActive).toBe(2);
    expect(connection.state).toBe("SYN-SENT");
    peer.send({ flags: "SA", seq: 0, ack: 1, ...ts(1, 5000) });
    peer.expect({ flags: "A" });
  });

  dialogue("for the RFC the acknowledgment number decides", (peer) => {
    peer.open({ timestampOffset: false });
    peer.expect({ flags: "S" });
    peer.send({ flags: "SA", seq: 0, ack: 1, ...ts(1, 77) });
    peer.expect({ flags: "A" });
  });
});

dialogue("FreeBSD answers an old timestamp only where there is text", (peer) => {
  connect(peer, "freebsd");
  peer.send({ flags: "A", seq: 1, ...ts(400) });
  peer.expectNothing();
  expect(peer.tcp.counters.PAWSEstab).toBe(1);
});
