// What becomes of a window that is not used: RFC 7661, RFC 5681 §4.1, and Linux's way after RFC 2861.
import { describe, expect } from "vitest";
import type { TcpConnection, TcpListenOptions } from "../../src/index.ts";
import { dialogue, octets, type Peer } from "./peer.ts";

const MSS = 1000;

function connect(peer: Peer, options: TcpListenOptions): TcpConnection {
  peer.listen({ sendBuffer: 1_000_000, congestionControl: "newreno", noDelay: true, ...options });
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: MSS, windowScale: 7 } });
  peer.expect({ flags: "SA", seq: 0, ack: 1 });
  peer.advance(100);
  peer.send({ flags: "A", seq: 1, ack: 1 });
  return peer.accepted();
}

/** Sends so many segments, and lets the peer acknowledge them one by one 100 ms later. */
function exchange(peer: Peer, connection: TcpConnection, segments: number): void {
  connection.send(octets(segments * MSS));
  peer.advance(100);
  for (;;) {
    const sent = peer.takeAll();
    if (sent.length === 0) return;
    for (const { seq, text } of sent) peer.send({ flags: "A", ack: seq + text.length });
  }
}

function window(connection: TcpConnection): number {
  return connection.info().congestionWindow / MSS;
}

describe("RFC 7661: a window that is not used", () => {
  dialogue("does not grow while less than half of it is acknowledged in a round trip (§4.4)", (peer) => {
    const connection = connect(peer, {});
    for (let round = 0; round < 20; round += 1) exchange(peer, connection, 4);
    expect(window(connection)).toBe(10);
  });

  dialogue("grows when half of it is (§4.3)", (peer) => {
    const connection = connect(peer, {});
    exchange(peer, connection, 5);
    exchange(peer, connection, 5);
    expect(window(connection)).toBeGreaterThan(10);
  });

  dialogue("windowValidation none: as RFC 5681 has it, every acknowledgment lets it grow", (peer) => {
    const connection = connect(peer, { windowValidation: "none" });
    for (let round = 0; round < 5; round += 1) exchange(peer, connection, 4);
    expect(window(connection)).toBe(30);
  });

  dialogue("is preserved for five minutes, and halved then (§4.4.3)", (peer) => {
    const connection = connect(peer, { slowStartAfterIdle: false });
    for (let round = 0; round < 3; round += 1) exchange(peer, connection, 30);
    // The sampling period of a second passes, and from then on it is not validated.
    const start = peer.clock.now();
    while (peer.clock.now() < start + 1200) exchange(peer, connection, 1);
    const before = window(connection);
    expect(before).toBeGreaterThan(30);
    while (peer.clock.now() < start + 299_000) exchange(peer, connection, 1);
    expect(window(connection)).toBe(before);
    while (peer.clock.now() < start + 303_000) exchange(peer, connection, 1);
    expect(connection.info()).toMatchObject({ congestionWindow: Math.floor((before * MSS) / 2) });
    expect(connection.info().slowStartThreshold).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a pause", () => {
  dialogue("RFC 5681 §4.1: longer than a retransmission timeout makes the window start anew", (peer) => {
    const connection = connect(peer, {});
    for (let round = 0; round < 3; round += 1) exchange(peer, connection, 30);
    peer.advance(1100);
    connection.send(octets(MSS));
    expect([peer.takeAll().length, window(connection)]).toEqual([1, 10]);
  });

  dialogue("slowStartAfterIdle off: it stays", (peer) => {
    const connection = connect(peer, { slowStartAfterIdle: false });
    for (let round = 0; round < 3; round += 1) exchange(peer, connection, 30);
    const before = window(connection);
    peer.advance(1100);
    connection.send(octets(MSS));
    expect([peer.takeAll().length, window(connection)]).toEqual([1, before]);
  });
});

describe("as Linux does it", () => {
  const linux = {
    congestionAccounting: "segments",
    windowValidation: "linux",
    slowStartLimit: Number.POSITIVE_INFINITY,
    rtoMinimum: 200,
  } as const;

  dialogue("slow start goes on when the window was full once, and up to twice what was used", (peer) => {
    const connection = connect(peer, linux);
    exchange(peer, connection, 10);
    expect(window(connection)).toBe(20);
    const other = window(connection);
    exchange(peer, connection, 9);
    // 18 is twice nine: less than the window, so it stays.
    expect(window(connection)).toBe(other);
  });

  dialogue("nine of ten let it grow to eighteen", (peer) => {
    const connection = connect(peer, linux);
    exchange(peer, connection, 9);
    expect(window(connection)).toBe(18);
  });

  dialogue("a pause halves it for each timeout that passed, and the threshold remembers", (peer) => {
    const connection = connect(peer, linux);
    exchange(peer, connection, 10);
    exchange(peer, connection, 26);
    const before = window(connection);
    expect(before).toBe(46);
    const timeout = connection.info().retransmissionTimeout;
    peer.advance(1.5 * timeout - 100);
    connection.send(octets(MSS));
    peer.takeAll();
    expect(window(connection)).toBe(23);
  });

  dialogue("small segments count as whole ones", (peer) => {
    const connection = connect(peer, linux);
    for (let index = 0; index < 12; index += 1) connection.send(octets(10));
    expect(peer.takeAll()).toHaveLength(10);
  });

  dialogue("in octets they do not", (peer) => {
    const connection = connect(peer, {});
    for (let index = 0; index < 12; index += 1) connection.send(octets(10));
    expect(peer.takeAll()).toHaveLength(12);
  });
});
