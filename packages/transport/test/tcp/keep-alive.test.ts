// Keep-alives (RFC 9293 §3.8.4).
import { describe, expect } from "vitest";
import { dialogue, octets } from "./peer.ts";

const HOUR = 3_600_000;

describe("when they are sent", () => {
  dialogue("MUST-25: keep-alives are off by default", (peer) => {
    const connection = peer.connect();
    peer.expectNothing(100 * HOUR);
    expect([connection.options.keepAlive, peer.clock.armedTimers]).toEqual([false, 0]);
  });

  dialogue("MUST-28: asked for, the first comes after two hours", (peer) => {
    peer.connect({ keepAlive: true });
    peer.expectNothing(2 * HOUR - 1);
    peer.advance(1);
    peer.expect({ flags: "A", seq: 0, ack: 1 });
  });

  dialogue("MUST-24, MUST-27: each connection has its own switch and interval, at any time", (peer) => {
    const connection = peer.connect();
    peer.advance(5000);
    connection.set({ keepAlive: true, keepAliveIdle: 10_000 });
    peer.expectNothing(9999);
    peer.advance(1);
    peer.expect({ flags: "A", seq: 0, ack: 1 });
    connection.set({ keepAlive: false });
    peer.expectNothing(100 * HOUR);
    expect(connection.state).toBe("ESTABLISHED");
  });

  dialogue("SHLD-12: the probe has no data, and a number that makes every peer answer", (peer) => {
    const connection = peer.connect({ keepAlive: true, keepAliveIdle: 1000 });
    connection.send(octets(10));
    peer.expect({ flags: "PA", seq: 1, data: 10 });
    peer.send({ flags: "A", ack: 11 });
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 10, ack: 1 });
  });

  dialogue("MUST-26: whatever arrives puts them off", (peer) => {
    peer.connect({ keepAlive: true, keepAliveIdle: 10_000 });
    for (let second = 0; second < 100; second += 9) {
      peer.expectNothing(9000);
      peer.send({ flags: "A", ack: 1 });
    }
    peer.expectNothing(9999);
    peer.advance(1);
    peer.expect({ flags: "A", seq: 0 });
  });

  dialogue("MUST-26: while something is outstanding, retransmissions watch the peer instead", (peer) => {
    const connection = peer.connect({ keepAlive: true, keepAliveIdle: 1500 });
    connection.send(octets(10));
    peer.advance(100_000);
    const sent = peer.takeAll();
    expect(sent.length).toBeGreaterThan(5);
    expect(sent.every(({ seq }) => seq === 1)).toBe(true);
    expect(peer.tcp.counters.TCPKeepAlive).toBe(0);
  });
});

describe("what becomes of the peer", () => {
  dialogue("MUST-29: one that is not answered proves nothing; nine do", (peer) => {
    const connection = peer.connect({ keepAlive: true, keepAliveIdle: 10_000 });
    peer.advance(10_000 + 9 * 75_000 - 1);
    expect(peer.takeAll().map(({ seq, at }) => [seq, at])).toEqual(Array.from({ length: 9 }, (_, index) => [0, 10_000 + 75_000 * index]));
    expect(connection.state).toBe("ESTABLISHED");
    peer.advance(1);
    peer.expect({ flags: "R", seq: 1 });
    expect(peer.told).toEqual(["readable", "closed ETIMEDOUT"]);
  });

  dialogue("the number and the interval of probes can be chosen", (peer) => {
    const connection = peer.connect({ keepAlive: true, keepAliveIdle: 1000, keepAliveInterval: 100, keepAliveProbes: 2 });
    peer.advance(1200);
    expect(peer.takeAll().map(({ flags, at }) => [flags, at])).toEqual([
      ["A", 1000],
      ["A", 1100],
      ["R", 1200],
    ]);
    expect(connection.error).toBe("ETIMEDOUT");
  });

  dialogue("MUST-29: a peer that answers lives for ever, also when probes are further apart than the idle time", (peer) => {
    const connection = peer.connect({ keepAlive: true, keepAliveIdle: 10_000, keepAliveInterval: 75_000 });
    peer.advance(10_000);
    for (let probe = 0; probe < 30; probe += 1) {
      peer.expect({ flags: "A", seq: 0, ack: 1 });
      peer.advance(50);
      peer.send({ flags: "A", seq: 1, ack: 1 });
      peer.advance(75_000 - 50);
    }
    peer.takeAll();
    expect(connection.state).toBe("ESTABLISHED");
  });

  dialogue("a peer that has crashed answers with a RST", (peer) => {
    const connection = peer.connect({ keepAlive: true, keepAliveIdle: 1000 });
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 0, ack: 1 });
    peer.send({ flags: "R", seq: 1 });
    expect(connection.error).toBe("ECONNRESET");
  });

  dialogue("the probe of a peer is answered (MUST-26, the other side)", (peer) => {
    peer.connect();
    peer.send({ flags: "A", seq: 0, ack: 1 });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    // MAY-6: some send one octet of garbage with it.
    peer.send({ flags: "A", seq: 0, ack: 1, data: "?" });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
  });

  dialogue("MAY-5: in every state in which there is a peer to lose, and in no other", (peer) => {
    peer.reach("FIN-WAIT-2", { keepAlive: true, keepAliveIdle: 1000 });
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    peer.send({ flags: "FA", seq: 1, ack: 2 });
    peer.expect({ flags: "A", seq: 2, ack: 2 });
    // TIME-WAIT
    peer.expectNothing(200_000);
  });
});
