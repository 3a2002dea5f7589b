// The user timeout option (RFC 5482).
import { describe, expect } from "vitest";
import type { TcpConnection, TcpOptions, UserTimeoutOption } from "../../src/index.ts";
import { dialogue, octets, type Peer } from "./peer.ts";

function seconds(value: number): TcpOptions {
  return { userTimeout: { inMinutes: false, value } };
}

/** The option in the stack's next segment. */
function said(peer: Peer, flags: string): UserTimeoutOption | undefined {
  return peer.expect({ flags }).options.userTimeout;
}

/** What the peer's SYN and first ACK say. */
function connect(peer: Peer, options: object, inSyn: TcpOptions = {}): TcpConnection {
  peer.listen(options);
  peer.send({ flags: "S", seq: 0, options: { maximumSegmentSize: 1460, ...inSyn } });
  peer.expect({ flags: "SA" });
  peer.send({ flags: "A", seq: 1, ack: 1 });
  return peer.accepted();
}

describe("sending", () => {
  dialogue("RFC 5482 §3: off by default, and what comes is not looked at", (peer) => {
    const connection = connect(peer, {}, seconds(1000));
    connection.send(octets(10));
    expect(peer.expect({ flags: "AP", data: 10 }).options.userTimeout).toBeUndefined();
    expect(connection.options.userTimeout).toBe(300_000);
  });

  dialogue("RFC 5482 §3: it stands in the SYN and in the first segment after it, and not in the next ones", (peer) => {
    const connection = peer.open({ userTimeoutOption: 120_000 });
    expect(said(peer, "S")).toEqual({ inMinutes: false, value: 120 });
    peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460 } });
    expect(said(peer, "A")).toEqual({ inMinutes: false, value: 120 });
    connection.send(octets(10));
    expect(peer.expect({ flags: "AP", data: 10 }).options.userTimeout).toBeUndefined();
  });

  dialogue("RFC 5482 §3: a new value goes with the next segment that leaves room for it", (peer) => {
    const connection = connect(peer, { userTimeoutOption: 120_000 });
    connection.send(octets(1500));
    expect(peer.expect({ flags: "A", data: 1460 }).options.userTimeout).toBeUndefined();
    peer.send({ flags: "A", ack: 1461 });
    expect(peer.expect({ flags: "AP", data: 40 }).options.userTimeout).toEqual({ inMinutes: false, value: 120 });
    connection.set({ userTimeoutOption: 3_000_000 * 60 });
    connection.send(octets(10));
    peer.send({ flags: "A", ack: peer.ack });
    expect(peer.expect({ flags: "AP", data: 10 }).options.userTimeout).toEqual({ inMinutes: true, value: 3000 });
  });
});

describe("adopting", () => {
  dialogue("RFC 5482 §3.1: the longer of both, within the limits", (peer) => {
    const connection = connect(peer, { userTimeoutOption: 120_000 }, seconds(200));
    expect(connection.options.userTimeout).toBe(200_000);
    for (const [received, adopted] of [
      [150, 150_000],
      [60, 120_000],
      [32_000, 3_600_000],
    ]) {
      peer.send({ flags: "A", options: seconds(received) });
      expect(connection.options.userTimeout).toBe(adopted);
    }
    peer.send({ flags: "A", options: { userTimeout: { inMinutes: true, value: 3 } } });
    expect(connection.options.userTimeout).toBe(180_000);
  });

  dialogue("RFC 5482 §3.1: not below 100 seconds", (peer) => {
    const connection = connect(peer, { userTimeoutOption: 5000 }, seconds(1));
    expect(connection.options.userTimeout).toBe(100_000);
  });

  dialogue("RFC 5482 §3.4: a value of 0 is ignored", (peer) => {
    const connection = connect(peer, { userTimeoutOption: 120_000 }, seconds(0));
    expect(connection.options.userTimeout).toBe(300_000);
  });

  dialogue("RFC 5482 §3: not where the user has chosen a timeout; but it is told", (peer) => {
    const connection = connect(peer, { userTimeout: 50_000, userTimeoutOption: 120_000 }, seconds(200));
    expect(connection.options.userTimeout).toBe(50_000);
    expect(peer.events.filter(({ kind }) => kind === "user-timeout")).toMatchObject([{ received: 200_000, userTimeout: 50_000 }]);
    connection.set({ userTimeoutChangeable: true });
    peer.send({ flags: "A", options: seconds(200) });
    expect(connection.options.userTimeout).toBe(200_000);
    connection.set({ userTimeout: 70_000 });
    peer.send({ flags: "A", options: seconds(200) });
    expect(connection.options.userTimeout).toBe(70_000);
  });

  dialogue("RFC 5961 §5: a segment that acknowledges what was never sent changes nothing", (peer) => {
    const connection = connect(peer, { userTimeoutOption: 120_000 });
    peer.send({ flags: "A", ack: 5000, options: seconds(200) });
    peer.takeAll();
    expect(connection.options.userTimeout).toBe(300_000);
  });

  dialogue("the adopted timeout is the one that ends the connection", (peer) => {
    const connection = connect(peer, { userTimeoutOption: 120_000 }, seconds(60));
    connection.send(octets(10));
    peer.advance(119_000);
    expect(connection.state).toBe("ESTABLISHED");
    peer.advance(1001);
    expect(connection.error).toBe("ETIMEDOUT");
    peer.takeAll();
  });
});
