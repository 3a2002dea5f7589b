// SYN cookies (RFC 4987 §3.6), accept queues and who waits in them, TCP_DEFER_ACCEPT.
import { type IpAddress, ip, SeededRandom, VirtualClock } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import type { TcpOptions } from "../../src/index.ts";
import { packCookieOptions, SynCookies, unpackCookieOptions } from "../../src/tcp/syn-cookies.ts";
import { dialogue, type Peer, type ReceivedSegment, readText } from "./peer.ts";

const end = (address: string, port: number): { address: IpAddress; port: number } => ({ address: ip(address), port });

describe("a cookie", () => {
  const clock = new VirtualClock();
  const cookies = new SynCookies({ name: "server", clock, random: new SeededRandom(1) }, "always");
  const local = end("192.0.2.1", 80);
  const remote = end("192.0.2.2", 5000);

  test.each([
    ["192.0.2.2", 1460, 1460],
    ["192.0.2.2", 1459, 1440],
    ["192.0.2.2", 65535, 1460],
    ["192.0.2.2", 536, 536],
    ["192.0.2.2", 1, 64],
    ["2001:db8::2", 8940, 8940],
    ["2001:db8::2", 1440, 1440],
  ])("RFC 4987 §3.6: from %s with an MSS of %d remembers %d", (address, mss, remembered) => {
    const peer = end(address, 5000);
    const server = end(address.includes(":") ? "2001:db8::1" : "192.0.2.1", 80);
    expect(cookies.check(server, peer, 7, cookies.make(server, peer, 7, mss))).toBe(remembered);
  });

  test("is good for nobody else, for no other SYN, and not altered", () => {
    const cookie = cookies.make(local, remote, 7, 1460);
    expect(cookies.check(local, remote, 7, cookie)).toBe(1460);
    expect(cookies.check(local, remote, 8, cookie)).toBeUndefined();
    expect(cookies.check(local, { ...remote, port: 5001 }, 7, cookie)).toBeUndefined();
    expect(cookies.check({ ...local, port: 81 }, remote, 7, cookie)).toBeUndefined();
    for (let bit = 0; bit < 32; bit += 1) expect(cookies.check(local, remote, 7, (cookie ^ (1 << bit)) >>> 0)).toBeUndefined();
  });

  test("lives for a minute at least, and for little more than two", () => {
    const cookie = cookies.make(local, remote, 7, 1460);
    clock.advance(64_000);
    expect(cookies.check(local, remote, 7, cookie)).toBe(1460);
    clock.advance(64_000);
    expect(cookies.check(local, remote, 7, cookie)).toBeUndefined();
  });

  test("options go into the low bits of the timestamp, which never runs ahead of the clock", () => {
    for (const clockValue of [0, 1, 63, 64, 4000, 2 ** 31, 2 ** 32 - 1]) {
      for (const options of [
        { windowScale: undefined, sackPermitted: false, ecn: false },
        { windowScale: 14, sackPermitted: true, ecn: true },
        { windowScale: 0, sackPermitted: true, ecn: false },
      ]) {
        const packed = packCookieOptions(clockValue, options);
        expect(unpackCookieOptions(packed)).toEqual(options);
        const behind = (clockValue - packed) | 0;
        expect(behind).toBeGreaterThanOrEqual(0);
        expect(behind).toBeLessThan(128);
      }
    }
  });
});

const SYN_OPTIONS: TcpOptions = { maximumSegmentSize: 1460, windowScale: 7, sackPermitted: true, timestamps: { value: 100, echoReply: 0 } };

/** The handshake of a client that is answered by a cookie. */
function cookieFor(peer: Peer, options: TcpOptions = SYN_OPTIONS): ReceivedSegment {
  peer.send({ flags: "S", seq: 0, options });
  return peer.expect({ flags: "SA", ack: 1 });
}

dialogue(
  "RFC 4987 §3.6: always, nothing is remembered of a SYN, and the answer to the cookie makes the connection",
  (peer) => {
    peer.listen();
    const cookie = cookieFor(peer);
    expect([peer.tcp.connectionCount, peer.clock.armedTimers]).toEqual([0, 0]);
    const timestamps = { value: 110, echoReply: cookie.options.timestamps?.value ?? 0 };
    peer.send({ flags: "PA", seq: 1, ack: cookie.seq + 1, data: "hello", options: { timestamps } });
    const connection = peer.accepted();
    expect(readText(connection)).toBe("hello");
    expect(connection.info().sendMaximumSegmentSize).toBe(1448);
    // Read, so that the window opens beyond what a SYN,ACK can say.
    peer.expect({ flags: "A", ack: 6 });
    connection.send(new Uint8Array(3));
    const answer = peer.expect({ flags: "PA", seq: cookie.seq + 1, ack: 6, data: 3 });
    expect(answer.options.timestamps?.echoReply).toBe(110);
    const { SyncookiesSent, SyncookiesRecv, SyncookiesFailed } = peer.tcp.counters;
    expect([SyncookiesSent, SyncookiesRecv, SyncookiesFailed]).toEqual([1, 1, 0]);
    // The window of 65535 in the header is worth 2^7 as much: the scale was remembered.
    expect(connection.info().sendWindow).toBe(65535 * 128);
    // So was SACK.
    peer.send({ flags: "PA", seq: 16, ack: cookie.seq + 4, data: "later", options: { timestamps } });
    expect(peer.blocksOf(peer.expect({ flags: "A", ack: 6 }))).toEqual([[16, 21]]);
  },
  { synCookies: "always" },
);

dialogue(
  "RFC 4987 §3.6: without timestamps only the MSS is remembered, so nothing else is agreed on",
  (peer) => {
    peer.listen();
    const cookie = cookieFor(peer, { maximumSegmentSize: 1000, windowScale: 7, sackPermitted: true });
    expect(cookie.options).toEqual({ maximumSegmentSize: 1460 });
    peer.send({ flags: "A", seq: 1, ack: cookie.seq + 1 });
    const connection = peer.accepted();
    expect(connection.info()).toMatchObject({ sendMaximumSegmentSize: 536, sendWindow: 65535 });
  },
  { synCookies: "always" },
);

dialogue(
  "an ACK that answers no cookie is reset, and counted while cookies are out",
  (peer) => {
    peer.listen();
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.expect({ flags: "R", seq: 1 });
    expect(peer.tcp.counters.SyncookiesFailed).toBe(0);
    peer.send({ flags: "S", seq: 0, port: 6000 });
    peer.send({ flags: "S", seq: 0, port: 6001 });
    peer.takeAll();
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.expect({ flags: "R", seq: 1 });
    peer.takeAll();
    // The half-open one alone was no reason for a cookie.
    expect(peer.tcp.counters.SyncookiesSent).toBe(0);
    peer.listener?.close();
    peer.takeAll();
  },
  { synCookies: "pressure" },
);

dialogue("RFC 4987 §3.6: under pressure, cookies begin where the backlog ends", (peer) => {
  peer.listen({ backlog: 2 });
  for (const port of [6001, 6002]) {
    peer.send({ flags: "S", seq: 0, port });
    peer.expect({ flags: "SA", port, seq: 0 });
  }
  const cookie = cookieFor(peer);
  expect(peer.tcp.connectionCount).toBe(2);
  expect(peer.tcp.counters).toMatchObject({ SyncookiesSent: 1, TCPReqQFullDoCookies: 1, ListenDrops: 0 });
  peer.send({ flags: "A", seq: 1, ack: 99 });
  peer.expect({ flags: "R", seq: 99 });
  expect(peer.tcp.counters.SyncookiesFailed).toBe(1);
  const timestamps = { value: 110, echoReply: cookie.options.timestamps?.value ?? 0 };
  peer.send({ flags: "A", seq: 1, ack: cookie.seq + 1, options: { timestamps } });
  expect(peer.accepted().state).toBe("ESTABLISHED");
});

test("RFC 4987: 100,000 spoofed SYNs take no memory, and a true client gets in", async () => {
  const { Peer } = await import("./peer.ts");
  const peer = new Peer();
  const listener = peer.listen({ backlog: 16 });
  for (let index = 0; index < 100_000; index += 1) {
    const source = ip(`10.0.0.${2 + (index % 250)}`) as typeof peer.address;
    peer.send({ flags: "S", seq: 0, port: 1 + (index % 65535), source, options: SYN_OPTIONS });
    if (index % 1000 === 0) peer.takeAll();
  }
  peer.takeAll();
  expect(peer.tcp.connectionCount).toBe(16);
  expect(peer.clock.armedTimers).toBeLessThan(64);
  expect(peer.tcp.counters.SyncookiesSent).toBeGreaterThan(99_900);
  const cookie = cookieFor(peer);
  const timestamps = { value: 110, echoReply: cookie.options.timestamps?.value ?? 0 };
  peer.send({ flags: "PA", seq: 1, ack: cookie.seq + 1, data: "let me in", options: { timestamps } });
  expect(readText(peer.accepted())).toBe("let me in");
  listener.close();
  peer.tcp.close();
  peer.takeAll();
});

describe("the accept queue", () => {
  /** Completes the handshake of one more client. */
  const connect = (peer: Peer, port: number): void => {
    peer.send({ flags: "S", seq: 0, port });
    for (const answer of peer.takeAll()) if (answer.flags === "SA") peer.send({ flags: "A", seq: 1, ack: 1, port });
  };
  const waiting = (peer: Peer): number => {
    let count = 0;
    while (peer.listener?.accept() !== undefined) count += 1;
    return count;
  };

  for (const [personality, backlog, expected] of [
    ["rfc", 2, 2],
    ["linux", 2, 3],
    ["freebsd", 2, 4],
  ] as const) {
    dialogue(
      `${personality}: a backlog of ${backlog} lets ${expected} wait`,
      (peer) => {
        peer.listen({ backlog });
        for (let port = 6001; port < 6010; port += 1) connect(peer, port);
        expect(waiting(peer)).toBe(expected);
        peer.tcp.close();
        peer.takeAll();
      },
      { personality },
    );
  }

  for (const abortOnOverflow of [false, true]) {
    dialogue(`a handshake that ends at a full queue ${abortOnOverflow ? "is reset" : "may be completed later"}`, (peer) => {
      peer.listen({ backlog: 1, abortOnOverflow });
      peer.send({ flags: "S", seq: 0, port: 6001 });
      peer.expect({ flags: "SA" });
      // Half open at the same time, because the listener's place is taken only by the first that completes.
      peer.send({ flags: "A", seq: 1, ack: 1, port: 6001 });
      expect(waiting(peer)).toBe(1);
      peer.send({ flags: "S", seq: 0, port: 6002 });
      peer.expect({ flags: "SA", port: 6002 });
      connectLate(peer);
      peer.send({ flags: "A", seq: 1, ack: 1, port: 6002 });
      if (abortOnOverflow) {
        peer.expect({ flags: "R", seq: 1, port: 6002 });
        expect(waiting(peer)).toBe(1);
      } else {
        peer.expectNothing();
        expect(waiting(peer)).toBe(1);
        peer.send({ flags: "PA", seq: 1, ack: 1, port: 6002, data: "again" });
        expect(waiting(peer)).toBe(1);
      }
      expect(peer.tcp.counters.ListenOverflows).toBeGreaterThan(0);
      peer.tcp.close();
      peer.takeAll();
    });
  }

  /** Another client gets in by a cookie meanwhile, and takes the place. */
  function connectLate(peer: Peer): void {
    peer.send({ flags: "S", seq: 0, port: 6003 });
    const cookie = peer.expect({ flags: "SA", port: 6003 });
    peer.send({ flags: "A", seq: 1, ack: cookie.seq + 1, port: 6003 });
  }
});

describe("TCP_DEFER_ACCEPT", () => {
  dialogue("hands out a connection when its text has come", (peer) => {
    peer.listen({ deferAccept: 3000 });
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA" });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    expect(peer.listener?.accept()).toBeUndefined();
    expect(peer.tcp.counters.TCPDeferAcceptDrop).toBe(1);
    peer.expectNothing(900);
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "now" });
    expect(readText(peer.accepted())).toBe("now");
    peer.takeAll();
  });

  dialogue("asks a last time when the wait is over, and takes the answer without text then", (peer) => {
    peer.listen({ deferAccept: 3000 });
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA" });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.expectNothing(2999);
    peer.advance(1);
    peer.expect({ flags: "SA", seq: 0 });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    expect(peer.accepted().state).toBe("ESTABLISHED");
  });
});

for (const personality of ["rfc", "linux"] as const) {
  dialogue(
    `a listener that closes ${personality === "rfc" ? "resets" : "forgets"} what is half open (RFC 9293 §3.10.4)`,
    (peer) => {
      const listener = peer.listen();
      peer.send({ flags: "S", seq: 0 });
      peer.expect({ flags: "SA" });
      listener.close();
      if (personality === "rfc") peer.expect({ flags: "R", seq: 1 });
      peer.expectNothing();
      expect([peer.tcp.connectionCount, peer.clock.armedTimers]).toEqual([0, 0]);
    },
    { personality },
  );
}
