// TCP Fast Open (RFC 7413), both sides.
import { type IpAddress, ip, SeededRandom, VirtualClock } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import type { FastOpenOption } from "../../src/index.ts";
import { FastOpenCache, MAX_FAST_OPEN_SERVERS } from "../../src/tcp/fast-open/fast-open-cache.ts";
import { FastOpenCookies } from "../../src/tcp/fast-open/fast-open-cookies.ts";
import { dialogue, octets, type Peer, readText } from "./peer.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const option = (cookie: Uint8Array, experimental = false): FastOpenOption => ({ cookie, experimental });
const ASK = option(new Uint8Array(0));
const COOKIE = hex("0102030405060708");

describe("cookies", () => {
  test.each([
    ["192.168.0.1", "192.0.2.1", "3021b9d889017eeb"],
    ["fd3d:a0b:17d6::1", "fd3d:fa7b:d17d::1", "c1d1e9742a47a9bc"],
  ])("RFC 7413 §4.1.2: with the same key they are Linux's (%s)", (server, client, cookie) => {
    const cookies = new FastOpenCookies(
      { name: "server", clock: new VirtualClock(), random: new SeededRandom(1) },
      Number.POSITIVE_INFINITY,
    );
    cookies.setKeys(hex("a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4"));
    const end = (address: string): { address: IpAddress; port: number } => ({ address: ip(address), port: 1 });
    expect(Buffer.from(cookies.cookieFor(end(server), end(client))).toString("hex")).toBe(cookie);
  });

  test("RFC 7413 §4.1.2: the key changes by and by, and cookies of the one before are good a while longer", () => {
    const clock = new VirtualClock();
    const cookies = new FastOpenCookies({ name: "server", clock, random: new SeededRandom(1) }, 1000);
    const [local, remote] = ["192.0.2.1", "192.0.2.2"].map((address) => ({ address: ip(address), port: 1 }));
    const cookie = cookies.cookieFor(local, remote);
    expect(cookies.judge(cookie, local, remote)).toBe("valid");
    expect(cookies.judge(cookie, remote, local)).toBe("invalid");
    clock.advance(1000);
    expect(cookies.judge(cookie, local, remote)).toBe("old");
    clock.advance(1000);
    expect(cookies.judge(cookie, local, remote)).toBe("invalid");
    const idle = cookies.cookieFor(local, remote);
    clock.advance(5000);
    expect(cookies.judge(idle, local, remote)).toBe("invalid");
  });

  test("a key has 16 octets", () => {
    const cookies = new FastOpenCookies({ name: "server", clock: new VirtualClock(), random: new SeededRandom(1) }, 1000);
    expect(() => cookies.setKeys(new Uint8Array(15))).toThrow(RangeError);
  });
});

test("a client remembers so many servers and no more", () => {
  const cache = new FastOpenCache(new VirtualClock());
  for (let index = 0; index < MAX_FAST_OPEN_SERVERS + 10; index += 1) cache.answered(index as IpAddress, option(COOKIE), 1460);
  expect(cache.size).toBe(MAX_FAST_OPEN_SERVERS);
  expect(cache.lookUp(0 as IpAddress)?.cookie).toBeUndefined();
});

describe("a server", () => {
  /** Gets a cookie by a handshake of its own. */
  function cookieOf(peer: Peer): Uint8Array {
    peer.send({ flags: "S", seq: 0, port: 5999, options: { maximumSegmentSize: 1460, fastOpen: ASK } });
    const answer = peer.expect({ flags: "SA", ack: 1, port: 5999 });
    expect(answer.options.fastOpen?.experimental).toBe(false);
    peer.send({ flags: "R", seq: 1, port: 5999 });
    return answer.options.fastOpen?.cookie ?? new Uint8Array(0);
  }

  dialogue("RFC 7413 §4.2.2: takes text with a good cookie before the handshake is complete, and may answer it", (peer) => {
    peer.listen({ fastOpenBacklog: 5 });
    const cookie = cookieOf(peer);
    expect(cookie.length).toBe(8);
    peer.send({ flags: "S", seq: 0, data: "question", options: { maximumSegmentSize: 1460, fastOpen: option(cookie) } });
    const answer = peer.expect({ flags: "SA", seq: 0, ack: 9 });
    expect(answer.options.fastOpen).toBeUndefined();
    const connection = peer.accepted();
    expect(connection.state).toBe("SYN-RECEIVED");
    expect(readText(connection)).toBe("question");
    connection.send(new TextEncoder().encode("answer"));
    peer.expect({ flags: "PA", seq: 1, ack: 9, data: "answer" });
    peer.send({ flags: "A", seq: 9, ack: 7 });
    expect(connection.state).toBe("ESTABLISHED");
    expect(peer.tcp.counters).toMatchObject({ TCPFastOpenCookieReqd: 1, TCPFastOpenPassive: 1, TCPFastOpenPassiveFail: 0 });
  });

  dialogue("RFC 7413 §4.2.2: a wrong cookie is answered by the right one, and the text is left to come again", (peer) => {
    peer.listen({ fastOpenBacklog: 5 });
    const cookie = cookieOf(peer);
    peer.send({ flags: "S", seq: 0, data: "question", options: { fastOpen: option(COOKIE) } });
    const answer = peer.expect({ flags: "SA", ack: 1 });
    expect(answer.options.fastOpen?.cookie).toEqual(cookie);
    expect(peer.listener?.accept()).toBeUndefined();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "question" });
    expect(readText(peer.accepted())).toBe("question");
    expect(peer.tcp.counters.TCPFastOpenPassiveFail).toBe(1);
    peer.advance(100);
    peer.expect({ flags: "A", ack: 9 });
  });

  dialogue("a listener that was not asked to gives no cookie", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0, data: "question", options: { fastOpen: ASK } });
    expect(peer.expect({ flags: "SA", ack: 1 }).options.fastOpen).toBeUndefined();
  });

  dialogue("RFC 7413 §4.1.1: the option at the place for experiments is answered there", (peer) => {
    peer.listen({ fastOpenBacklog: 5 });
    peer.send({ flags: "S", seq: 0, options: { fastOpen: option(new Uint8Array(0), true) } });
    const given = peer.expect({ flags: "SA", ack: 1 }).options.fastOpen;
    expect(given?.experimental).toBe(true);
    peer.send({ flags: "S", seq: 0, port: 6001, data: "hi", options: { fastOpen: option(given?.cookie ?? COOKIE, true) } });
    peer.expect({ flags: "SA", ack: 3, port: 6001 });
  });

  dialogue(
    "RFC 7413 §6.3.3: takes text without a cookie where that is wanted",
    (peer) => {
      peer.listen({ fastOpenBacklog: 5 });
      peer.send({ flags: "S", seq: 0, data: "question" });
      peer.expect({ flags: "SA", ack: 9 });
      expect(readText(peer.accepted())).toBe("question");
    },
    { fastOpen: { serverWithoutCookie: true } },
  );

  dialogue("RFC 7413 §5.1: as many as the queue holds, and those that were reset keep their place for a minute", (peer) => {
    peer.listen({ fastOpenBacklog: 1 });
    const cookie = cookieOf(peer);
    const fast = (port: number, ack: number): void => {
      peer.send({ flags: "S", seq: 0, port, data: "hi", options: { fastOpen: option(cookie) } });
      peer.expect({ flags: "SA", port, ack });
    };
    fast(6001, 3);
    fast(6002, 1);
    expect(peer.tcp.counters.TCPFastOpenListenOverflow).toBe(1);
    peer.send({ flags: "RA", seq: 3, ack: 1, port: 6001 });
    fast(6003, 1);
    peer.advance(60_000);
    peer.takeAll();
    fast(6004, 3);
    // Whoever completes the handshake makes room at once.
    peer.send({ flags: "A", seq: 3, ack: 1, port: 6004 });
    fast(6005, 3);
    peer.tcp.close();
    peer.takeAll();
  });

  dialogue("RFC 7413 §4.2.2: the SYN,ACK is sent again as any other, and text that follows it waits for its answer", (peer) => {
    peer.listen({ fastOpenBacklog: 5, noDelay: true });
    const cookie = cookieOf(peer);
    peer.send({ flags: "S", seq: 0, data: "hi", options: { maximumSegmentSize: 1460, fastOpen: option(cookie) } });
    peer.expect({ flags: "SA", ack: 3 });
    const connection = peer.accepted();
    connection.send(octets(2000));
    peer.expect({ flags: "A", seq: 1, data: 1460 });
    peer.expect({ flags: "PA", seq: 1461, data: 540 });
    peer.expectNothing(999);
    peer.advance(1);
    peer.expect({ flags: "SA", seq: 0, ack: 3 });
    peer.expectNothing();
    peer.send({ flags: "A", seq: 3, ack: 2001 });
    expect(connection.info().unacknowledged).toBe(0);
  });

  dialogue("seed 5469: a FIN that went out before the end of the handshake is acknowledged by the segment that ends it", (peer) => {
    peer.listen({ fastOpenBacklog: 5 });
    const cookie = cookieOf(peer);
    peer.send({ flags: "S", seq: 0, data: "hi", options: { fastOpen: option(cookie) } });
    peer.expect({ flags: "SA", ack: 3 });
    const connection = peer.accepted();
    connection.close();
    peer.expect({ flags: "FA", seq: 1, ack: 3 });
    peer.send({ flags: "FA", seq: 3, ack: 2 });
    expect(connection.state).toBe("TIME-WAIT");
    peer.expect({ flags: "A", seq: 2, ack: 4 });
  });

  dialogue("a RST after the text leaves what was read readable, and the connection dead", (peer) => {
    peer.listen({ fastOpenBacklog: 5 });
    const cookie = cookieOf(peer);
    peer.send({ flags: "S", seq: 0, data: "hi", options: { fastOpen: option(cookie) } });
    peer.expect({ flags: "SA", ack: 3 });
    peer.send({ flags: "RA", seq: 3, ack: 1 });
    const connection = peer.accepted();
    expect([connection.state, connection.error]).toEqual(["CLOSED", "ECONNRESET"]);
    expect(readText(connection)).toBe("hi");
  });
});

describe("a client", () => {
  const text = new TextEncoder().encode("question");

  /** The stack learns the peer's cookie by a handshake. */
  function meet(peer: Peer): void {
    const connection = peer.open({ fastOpen: new Uint8Array(0) });
    expect(peer.expect({ flags: "S", seq: 0 }).options.fastOpen).toEqual(ASK);
    peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460, fastOpen: option(COOKIE) } });
    peer.expect({ flags: "A" });
    connection.abort();
    peer.expect({ flags: "R" });
    peer.seq = 0;
    peer.ack = 0;
    peer.told.length = 0;
  }

  dialogue("RFC 7413 §4.2.1: asks for a cookie, and sends the text after the handshake", (peer) => {
    expect(peer.tcp.canFastOpen(peer.address)).toBe(false);
    peer.open({ fastOpen: text });
    expect(peer.expect({ flags: "S", seq: 0 }).options.fastOpen).toEqual(ASK);
    peer.send({ flags: "SA", seq: 0, ack: 1, options: { fastOpen: option(COOKIE) } });
    peer.expect({ flags: "PA", seq: 1, ack: 1, data: "question" });
    expect(peer.tcp.canFastOpen(peer.address)).toBe(true);
  });

  dialogue("RFC 7413 §4.2.1: brings text with the cookie that it knows", (peer) => {
    meet(peer);
    peer.open({ fastOpen: text });
    expect(peer.expect({ flags: "S", seq: 0, data: "question" }).options.fastOpen).toEqual(option(COOKIE));
    peer.send({ flags: "SA", seq: 0, ack: 9 });
    peer.expect({ flags: "A", seq: 9, ack: 1 });
    expect(peer.told).toEqual(["opened"]);
    expect(peer.tcp.counters).toMatchObject({ TCPFastOpenActive: 1, TCPFastOpenActiveFail: 0 });
  });

  dialogue("RFC 7413 §4.1.3.1: a SYN carries no more than the server's MSS lets it, options taken off; the rest follows", (peer) => {
    meet(peer);
    peer.open({ fastOpen: octets(2000) });
    peer.expect({ flags: "S", seq: 0, data: 1420 });
    peer.send({ flags: "SA", seq: 0, ack: 1421, options: { maximumSegmentSize: 1460 } });
    peer.expect({ flags: "PA", seq: 1421, data: 580 });
  });

  dialogue("RFC 7413 §4.1.3: text that the SYN,ACK does not acknowledge is sent again at once", (peer) => {
    meet(peer);
    peer.open({ fastOpen: text });
    peer.expect({ flags: "S", seq: 0, data: "question" });
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "PA", seq: 1, ack: 1, data: "question" });
    expect(peer.retransmissions.map(({ reason }) => reason)).toEqual(["fast-open"]);
    expect(peer.tcp.counters.TCPFastOpenActiveFail).toBe(1);
  });

  dialogue("RFC 7413 §4.1.3: a SYN that is sent again is a plain one, and two such in a row make the next plain from the start", (peer) => {
    meet(peer);
    for (const _attempt of [1, 2]) {
      const connection = peer.open({ fastOpen: text });
      peer.expect({ flags: "S", seq: 0, data: "question" });
      peer.advance(1000);
      expect(peer.expect({ flags: "S", seq: 0 }).options.fastOpen).toBeUndefined();
      peer.send({ flags: "SA", seq: 0, ack: 1 });
      peer.expect({ flags: "PA", seq: 1, data: "question" });
      connection.abort();
      peer.expect({ flags: "R" });
      peer.seq = 0;
      peer.ack = 0;
    }
    expect(peer.tcp.canFastOpen(peer.address)).toBe(false);
    peer.open({ fastOpen: text });
    expect(peer.expect({ flags: "S", seq: 0 }).options.fastOpen).toBeUndefined();
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "PA", seq: 1, data: "question" });
    peer.send({ flags: "A", seq: 1, ack: 9 });
    peer.advance(240_000);
    expect(peer.tcp.canFastOpen(peer.address)).toBe(true);
  });

  dialogue("RFC 7413 §4.1.1: asks in the other form when a cookie did not come", (peer) => {
    const connection = peer.open({ fastOpen: new Uint8Array(0) });
    peer.expect({ flags: "S" });
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "A" });
    connection.abort();
    peer.expect({ flags: "R" });
    peer.seq = 0;
    peer.open({ fastOpen: new Uint8Array(0) });
    expect(peer.expect({ flags: "S" }).options.fastOpen?.experimental).toBe(true);
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "A" });
  });

  dialogue(
    "switched off it neither asks nor brings anything",
    (peer) => {
      peer.open({ fastOpen: text });
      expect(peer.expect({ flags: "S", seq: 0 }).options.fastOpen).toBeUndefined();
      peer.send({ flags: "SA", seq: 0, ack: 1 });
      peer.expect({ flags: "PA", seq: 1, data: "question" });
    },
    { fastOpen: { client: false } },
  );

  dialogue(
    "RFC 7413 §4.1.3: brings text without a cookie where that is wanted",
    (peer) => {
      peer.open({ fastOpen: octets(1000) });
      expect(peer.expect({ flags: "S", seq: 0, data: 496 }).options.fastOpen).toBeUndefined();
      peer.send({ flags: "SA", seq: 0, ack: 497, options: { maximumSegmentSize: 1460 } });
      peer.expect({ flags: "PA", seq: 497, data: 504 });
    },
    { fastOpen: { clientWithoutCookie: true } },
  );
});
