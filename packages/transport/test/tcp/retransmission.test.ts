// Retransmission by timeout, and giving up (RFC 6298; RFC 9293 §3.8.1, §3.8.3).
import { ip, prefix } from "@netstrata/core";
import { describe, expect } from "vitest";
import type { TcpConnection } from "../../src/index.ts";
import { dialogue, octets, type Peer, readText } from "./peer.ts";

/** When each segment was sent, and its flags. */
function sent(peer: Peer): [string, number][] {
  return peer.takeAll().map(({ flags, at }) => [flags, at]);
}

/** Opens a connection over a path whose round trip takes so many ms. */
function connectOver(peer: Peer, roundTrip: number, options: Parameters<Peer["open"]>[0] = {}): TcpConnection {
  const connection = peer.open(options);
  peer.expect({ flags: "S", seq: 0 });
  peer.advance(roundTrip);
  peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1000 } });
  peer.expect({ flags: "A", seq: 1, ack: 1 });
  return connection;
}

describe("the timeout", () => {
  dialogue("MUST-18: it is worked out from round trips: R + 4 R/2 after the first", (peer) => {
    const connection = connectOver(peer, 500);
    expect(connection.info()).toMatchObject({ smoothedRoundTripTime: 500, roundTripTimeVariation: 250, retransmissionTimeout: 1500 });
    connection.send(octets(100));
    peer.expect({ flags: "PA", seq: 1, data: octets(100) });
    peer.expectNothing(1499);
    peer.advance(1);
    peer.expect({ flags: "PA", seq: 1, data: octets(100) });
  });

  dialogue("MUST-18: Karn's rule: what was sent twice measures nothing", (peer) => {
    const connection = connectOver(peer, 100);
    for (let seq = 1; seq < 201; seq += 10) {
      connection.send(octets(10));
      peer.expect({ flags: "PA", seq, data: 10 });
      peer.advance(100);
      peer.send({ flags: "A", ack: seq + 10 });
    }
    // From now on the path takes a second and a half.
    connection.send(octets(100));
    peer.expect({ flags: "PA", seq: 201, data: 100 });
    peer.advance(1000);
    peer.expect({ flags: "PA", seq: 201, data: 100 });
    peer.advance(500);
    peer.send({ flags: "A", ack: 301 });
    expect(connection.info().smoothedRoundTripTime).toBe(100);
    // Nor does the back-off end: only with it the next segment can be measured, and need not be sent twice.
    connection.send(octets(100));
    peer.expect({ flags: "PA", seq: 301, data: 100 });
    peer.expectNothing(1500);
    peer.send({ flags: "A", ack: 401 });
    expect(connection.info().smoothedRoundTripTime).toBe(100 + (1500 - 100) / 8);
  });

  dialogue("MUST-19: it doubles with each expiry, up to a minute, and measures anew when the peer is back", (peer) => {
    const connection = connectOver(peer, 100);
    connection.send(octets(100));
    peer.advance(200_000);
    expect(sent(peer).map(([, at]) => at)).toEqual([100, 1100, 3100, 7100, 15_100, 31_100, 63_100, 123_100, 183_100]);
    peer.send({ flags: "A", ack: 101 });
    connection.send(octets(100));
    peer.expect({ flags: "PA", seq: 101, data: 100 });
    peer.advance(100);
    peer.send({ flags: "A", ack: 201 });
    expect(connection.info().retransmissionTimeout).toBe(1000);
  });

  dialogue("the earliest segment is sent again, and with it the latest acknowledgment and window (RFC 6298 §5.4)", (peer) => {
    const connection = connectOver(peer, 100);
    connection.send(octets(3000));
    expect(peer.takeAll()).toHaveLength(3);
    peer.send({ flags: "PA", ack: 1, data: "text" });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 5 });
    peer.advance(960);
    peer.expect({ flags: "A", seq: 1, ack: 5, data: octets(1000) });
    peer.expectNothing();
    expect(readText(connection)).toBe("text");
  });

  dialogue("it is counted anew when something new is acknowledged (RFC 6298 §5.3)", (peer) => {
    const connection = connectOver(peer, 100);
    connection.send(octets(2000));
    expect(peer.takeAll()).toHaveLength(2);
    peer.advance(900);
    peer.send({ flags: "A", ack: 1001 });
    // SRTT = 7/8·100 + 1/8·900, RTTVAR = 3/4·50 + 1/4·800
    expect(connection.info().retransmissionTimeout).toBe(200 + 4 * 237.5);
    peer.expectNothing(1149);
    peer.advance(1);
    peer.expect({ flags: "PA", seq: 1001, data: 1000 });
  });

  dialogue("it is off when all is acknowledged (RFC 6298 §5.2)", (peer) => {
    const connection = connectOver(peer, 100);
    connection.send(octets(1000));
    peer.expect({ flags: "PA", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001 });
    expect(peer.clock.armedTimers).toBe(0);
    expect(connection.info().unacknowledged).toBe(0);
  });

  dialogue("the rest follows by slow start, one segment and then two for each acknowledgment (RFC 5681 §3.1)", (peer) => {
    const connection = connectOver(peer, 100);
    connection.send(octets(8000));
    expect(peer.takeAll()).toHaveLength(8);
    peer.advance(1000);
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001 });
    peer.expect({ flags: "A", seq: 1001, data: 1000 });
    peer.expect({ flags: "A", seq: 2001, data: 1000 });
    peer.send({ flags: "A", ack: 2001 });
    peer.expect({ flags: "A", seq: 3001, data: 1000 });
    peer.expect({ flags: "A", seq: 4001, data: 1000 });
    // What arrived the first time is acknowledged with the hole, and need not be sent again.
    peer.send({ flags: "A", ack: 8001 });
    peer.expectNothing(10_000);
    expect(connection.info().segmentsRetransmitted).toBe(5);
  });

  dialogue("a segment of which a part was acknowledged is sent again without that part", (peer) => {
    const connection = connectOver(peer, 100);
    connection.send(octets(1000));
    peer.expect({ flags: "PA", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 401 });
    peer.advance(1000);
    peer.expect({ flags: "PA", seq: 401, data: octets(600, 400) });
  });

  dialogue("the least timeout can be chosen (RFC 6298 §2.4 asks for a second, others use less)", (peer) => {
    const connection = connectOver(peer, 10, { rtoMinimum: 200 });
    connection.send(octets(10));
    peer.expect({ flags: "PA", seq: 1, data: 10 });
    peer.advance(200);
    peer.expect({ flags: "PA", seq: 1, data: 10 });
  });
});

describe("the SYN", () => {
  dialogue("MUST-22, MUST-23: it is tried for three minutes, then the connection fails", (peer) => {
    const connection = peer.open();
    peer.advance(179_999);
    expect(sent(peer)).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000].map((at) => ["S", at]));
    expect(connection.state).toBe("SYN-SENT");
    peer.advance(1);
    expect([connection.state, peer.told]).toEqual(["CLOSED", ["soft error ETIMEDOUT", "readable", "closed ETIMEDOUT"]]);
    peer.expectNothing(1_000_000);
  });

  dialogue("MUST-22: so is the SYN,ACK of a listener, and the peer is told when it is given up", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.advance(180_000);
    expect(sent(peer)).toEqual([...[0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 123_000].map((at) => ["SA", at]), ["R", 180_000]]);
    expect([peer.tcp.connectionCount, peer.clock.armedTimers]).toEqual([0, 0]);
  });

  dialogue(
    "after a lost SYN the timeout is three seconds (RFC 6298 §5.7) and after a second one the window is one segment (RFC 6928 §2)",
    (peer) => {
      const connection = peer.open();
      peer.advance(3000);
      expect(peer.takeAll()).toHaveLength(3);
      peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1000 } });
      peer.expect({ flags: "A", seq: 1, ack: 1 });
      expect(connection.info()).toMatchObject({
        smoothedRoundTripTime: undefined,
        retransmissionTimeout: 3000,
        congestionWindow: 1000,
      });
      connection.send(octets(5000));
      peer.expect({ flags: "A", seq: 1, data: 1000 });
      peer.expectNothing(2999);
      peer.advance(1);
      peer.expect({ flags: "A", seq: 1, data: 1000 });
    },
  );
});

describe("giving up", () => {
  dialogue("MUST-20, SHLD-9, SHLD-10: after three retransmissions the user is told and IP looks for another way", (peer) => {
    const far = ip("192.0.2.1");
    const [networkInterface] = peer.internet.interfaces;
    for (const [nextHop, metric] of [
      ["10.0.0.2", 1],
      ["10.0.0.3", 2],
    ] as const) {
      peer.internet.routes.add({
        prefix: prefix("192.0.2.0/24"),
        interface: networkInterface,
        nextHop: ip(nextHop),
        metric,
        origin: "static",
      });
    }
    const router = (): string => String(peer.internet.destinations.lookup(far)?.nextHop === ip("10.0.0.2") ? "first" : "second");
    const connection = peer.tcp.open({ address: far, port: 80 }, {});
    if (typeof connection === "string") throw new Error(connection);
    peer.watch(connection);
    peer.advance(6999);
    expect([sent(peer).length, router(), peer.told]).toEqual([3, "first", []]);
    peer.advance(1);
    expect([sent(peer).length, router(), peer.told]).toEqual([1, "second", ["soft error ETIMEDOUT"]]);
  });

  dialogue("MUST-20, SHLD-11: R2 is five minutes, after which the connection is reset", (peer) => {
    const connection = connectOver(peer, 0);
    connection.send(octets(10));
    peer.advance(299_999);
    expect(connection.state).toBe("ESTABLISHED");
    peer.advance(1);
    expect(sent(peer).at(-1)).toEqual(["R", 300_000]);
    expect(peer.told).toEqual(["opened", "soft error ETIMEDOUT", "readable", "closed ETIMEDOUT"]);
    expect(peer.clock.armedTimers).toBe(0);
  });

  dialogue("MUST-21: R2 can be chosen for a connection, also later", (peer) => {
    const connection = connectOver(peer, 0, { userTimeout: 2500 });
    connection.send(octets(10));
    peer.advance(2500);
    expect(sent(peer)).toEqual([
      ["PA", 0],
      ["PA", 1000],
      ["R", 2500],
    ]);
    expect(connection.error).toBe("ETIMEDOUT");
    peer.seq = 0;
    peer.ack = 0;
    const other = connectOver(peer, 0);
    other.send(octets(10));
    other.set({ userTimeout: 1500 });
    peer.advance(10_000);
    expect(other.error).toBe("ETIMEDOUT");
    expect(sent(peer).at(-1)?.[0]).toBe("R");
  });

  dialogue("progress starts the patience anew", (peer) => {
    const connection = connectOver(peer, 500, { userTimeout: 5000, noDelay: true });
    // Something is always unacknowledged, but nothing for long.
    for (let seq = 1; seq < 500; seq += 10) {
      connection.send(octets(10));
      peer.expect({ flags: "PA", seq, data: 10 });
      peer.advance(500);
      peer.send({ flags: "A", ack: seq });
    }
    expect(peer.clock.now()).toBeGreaterThan(4 * 5000);
    expect(connection.state).toBe("ESTABLISHED");
  });
});
