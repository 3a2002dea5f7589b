// Listeners, limits and ports (RFC 9293 §3.9.1.1, §3.10.1; RFC 4987; RFC 6056).
import { IPV4_ANY, ip, prefix } from "@netstrata/core";
import { describe, expect } from "vitest";
import type { TcpConnection, TcpListener } from "../../src/index.ts";
import { dialogue, octets, type Peer, readText } from "./peer.ts";

const ignore = { acceptable: (): void => {} };

/** A whole handshake from this port of the peer. */
function shakeHands(peer: Peer, port: number): void {
  peer.send({ flags: "S", seq: 0, port });
  peer.expect({ flags: "SA", seq: 0, ack: 1, port });
  peer.send({ flags: "A", seq: 1, ack: 1, port });
}

function isListener(result: TcpListener | string): TcpListener {
  if (typeof result === "string") throw new Error(result);
  return result;
}

describe("accepting", () => {
  dialogue("connections are handed out in the order in which they were established", (peer) => {
    const listener = peer.listen();
    const told: TcpListener[] = [];
    listener.user = { acceptable: (which) => told.push(which) };
    for (const port of [5001, 5002]) shakeHands(peer, port);
    expect(told).toEqual([listener, listener]);
    expect([listener.accept()?.remote.port, listener.accept()?.remote.port, listener.accept()]).toEqual([5001, 5002, undefined]);
  });

  dialogue("what is changed at a listener is so for connections from the next SYN on", (peer) => {
    const listener = peer.listen();
    shakeHands(peer, 5001);
    listener.set({ receiveBuffer: 3000, keepAlive: true });
    shakeHands(peer, 5002);
    const chosen = [listener.accept(), listener.accept()].map((connection) => connection?.options);
    expect(chosen.map((options) => options?.keepAlive)).toEqual([false, true]);
    expect(chosen[1]).toMatchObject({ receiveBuffer: 3000, receiveBufferMaximum: 3000 });
  });

  dialogue("a connection is acceptable after the text that came with its last acknowledgment was taken", (peer) => {
    const listener = peer.listen();
    const heard: string[] = [];
    listener.user = {
      acceptable: () => {
        const connection = listener.accept() as TcpConnection;
        heard.push(`accepted ${readText(connection)}`);
        connection.send(octets(3));
      },
    };
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0 });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "hello" });
    expect(heard).toEqual(["accepted hello"]);
    peer.expect({ flags: "PA", seq: 1, ack: 6, data: 3 });
  });

  dialogue("a connection that ended while it waited is handed out all the same, with what it received", (peer) => {
    const listener = peer.listen();
    shakeHands(peer, 5000);
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "gone" });
    peer.send({ flags: "R", seq: 5 });
    const connection = listener.accept() as TcpConnection;
    expect([connection.state, connection.isClosed, connection.error, readText(connection)]).toEqual(["CLOSED", true, "ECONNRESET", "gone"]);
    expect(peer.tcp.connectionCount).toBe(0);
  });

  dialogue("when as many wait as may, another SYN is dropped in silence: the peer tries again", (peer) => {
    const listener = peer.listen({ backlog: 2 });
    for (const port of [5001, 5002]) shakeHands(peer, port);
    peer.send({ flags: "S", seq: 0, port: 5003 });
    peer.expectNothing();
    expect([peer.tcp.counters.ListenOverflows, peer.tcp.drops.counters["accept-queue-full"]]).toEqual([1, 1]);
    listener.accept();
    shakeHands(peer, 5003);
    expect([listener.accept()?.remote.port, listener.accept()?.remote.port]).toEqual([5002, 5003]);
  });

  dialogue("closing a listener resets what was not accepted, and leaves alone what was", (peer) => {
    const listener = peer.listen();
    shakeHands(peer, 5001);
    const accepted = listener.accept() as TcpConnection;
    shakeHands(peer, 5002);
    peer.send({ flags: "S", seq: 0, port: 5003 });
    peer.expect({ flags: "SA", port: 5003 });
    listener.close();
    expect(peer.takeAll().map(({ flags, port }) => [flags, port])).toEqual([
      ["R", 5003],
      ["R", 5002],
    ]);
    expect([accepted.state, peer.tcp.connectionCount, peer.tcp.listenerCount]).toEqual(["ESTABLISHED", 1, 0]);
    peer.send({ flags: "S", seq: 0, port: 5004 });
    expect(peer.expect({ flags: "RA", ack: 1, port: 5004 }).absoluteSeq).toBe(0);
    listener.close();
  });

  dialogue("a listener may be closed, and everything aborted, from within its own notification", (peer) => {
    const listener = peer.listen();
    shakeHands(peer, 5001);
    listener.user = {
      acceptable: () => {
        listener.close();
        peer.tcp.close();
      },
    };
    peer.send({ flags: "S", seq: 0, port: 5002 });
    peer.expect({ flags: "SA", port: 5002 });
    peer.send({ flags: "A", seq: 1, ack: 1, port: 5002 });
    expect(
      peer
        .takeAll()
        .map(({ flags, port }) => `${flags} ${port}`)
        .sort(),
    ).toEqual(["R 5001", "R 5002"]);
    expect([peer.tcp.connectionCount, peer.tcp.listenerCount, peer.clock.armedTimers]).toEqual([0, 0, 0]);
  });

  dialogue("a user that throws does not break the connection that it was told of", (peer) => {
    const listener = peer.listen();
    listener.user = {
      acceptable: () => {
        throw new Error("the user's own");
      },
    };
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0 });
    expect(() => peer.send({ flags: "PA", seq: 1, ack: 1, data: "hello" })).toThrow("the user's own");
    peer.advance(40);
    peer.expect({ flags: "A", seq: 1, ack: 6 });
    expect(readText(peer.accepted())).toBe("hello");
  });
});

describe("addresses and ports", () => {
  dialogue("a listener on the address itself goes before one on all addresses, which it excludes on the same port", (peer) => {
    const all = isListener(peer.tcp.listen({ address: IPV4_ANY, port: 80 }, ignore));
    expect(peer.tcp.listen({ address: peer.stackAddress, port: 80 }, ignore)).toBe("EADDRINUSE");
    expect(peer.tcp.listen({ address: IPV4_ANY, port: 80 }, ignore)).toBe("EADDRINUSE");
    shakeHands(peer, 5001);
    expect(all.accept()?.local.address).toBe(peer.stackAddress);
    all.close();
    peer.internet.addAddress(peer.internet.interfaces[0], prefix("10.0.0.7/24"));
    const one = isListener(peer.tcp.listen({ address: peer.stackAddress, port: 80 }, ignore));
    const other = isListener(peer.tcp.listen({ address: ip("10.0.0.7"), port: 80 }, ignore));
    shakeHands(peer, 5002);
    expect([one.accept()?.remote.port, other.accept()]).toEqual([5002, undefined]);
    expect(peer.tcp.listenerCount).toBe(2);
    one.close();
    expect(peer.tcp.listenerCount).toBe(1);
    other.close();
  });

  dialogue("a foreign address cannot be listened on", (peer) => {
    expect(peer.tcp.listen({ address: ip("10.9.9.9"), port: 80 }, ignore)).toBe("EADDRNOTAVAIL");
  });

  dialogue(
    "RFC 6056: port 0 gets a free port out of the range, until there is none",
    (peer) => {
      const listeners = [1, 2, 3].map(() => isListener(peer.tcp.listen({ address: peer.stackAddress, port: 0 }, ignore)));
      expect(new Set(listeners.map(({ local }) => local.port))).toEqual(new Set([40_000, 40_001, 40_002]));
      expect(peer.tcp.listen({ address: peer.stackAddress, port: 0 }, ignore)).toBe("EADDRINUSE");
      expect(peer.tcp.open({ address: peer.address, port: 80 }, {})).toBe("EADDRNOTAVAIL");
      for (const listener of listeners) listener.close();
    },
    { portRange: { first: 40_000, last: 40_002 } },
  );

  dialogue(
    "RFC 6056: an open gets a port that its pair of ends does not use yet; another peer may share it",
    (peer) => {
      const ports = [1, 2].map(() => peer.open().local.port);
      expect(new Set(ports)).toEqual(new Set([40_000, 40_001]));
      expect(peer.tcp.open({ address: peer.address, port: peer.port }, {})).toBe("EADDRNOTAVAIL");
      const other = peer.tcp.open({ address: peer.address, port: 81 }, {});
      expect(typeof other === "string" ? other : ports.includes(other.local.port)).toBe(true);
      expect(peer.takeAll()).toHaveLength(3);
    },
    { portRange: { first: 40_000, last: 40_001 } },
  );

  dialogue("a port that was asked for and is taken by the same pair of ends is in use, also in TIME-WAIT", (peer) => {
    peer.reach("TIME-WAIT");
    expect(peer.tcp.open({ address: peer.address, port: peer.port }, {}, { local: { port: 80 } })).toBe("EADDRINUSE");
    peer.advance(240_000);
    expect(peer.tcp.open({ address: peer.address, port: peer.port }, {}, { local: { port: 80 } })).toBeTypeOf("object");
    peer.expect({ flags: "S", localPort: 80 });
  });
});

describe("limits", () => {
  dialogue(
    "the number of connections is limited: an open fails with EMFILE, a SYN is dropped and counted",
    (peer) => {
      peer.listen();
      shakeHands(peer, 5001);
      peer.send({ flags: "S", seq: 0, port: 5002 });
      peer.expect({ flags: "SA", port: 5002 });
      peer.send({ flags: "S", seq: 0, port: 5003 });
      peer.expectNothing();
      expect(peer.tcp.open({ address: peer.address, port: 80 }, {})).toBe("EMFILE");
      expect(peer.tcp.drops.counters["connection-limit"]).toBe(1);
      peer.send({ flags: "R", seq: 1, port: 5002 });
      peer.send({ flags: "S", seq: 0, port: 5003 });
      peer.expect({ flags: "SA", port: 5003 });
    },
    { maxConnections: 2 },
  );

  dialogue(
    "a flood of SYNs takes no more memory than the backlog, and leaves nothing behind",
    (peer) => {
      const listener = peer.listen({ backlog: 10 });
      for (let second = 0; second < 20; second += 1) {
        for (let port = 1; port <= 50; port += 1) peer.send({ flags: "S", seq: 0, port: 1000 + 50 * second + port });
        expect(peer.tcp.connectionCount).toBeLessThanOrEqual(10);
        peer.advance(1000);
      }
      const { halfOpen } = listener as unknown as { halfOpen: unknown[] };
      expect(halfOpen.length).toBe(peer.tcp.connectionCount);
      expect(peer.tcp.drops.counters["backlog-full"]).toBeGreaterThan(500);
      listener.close();
      peer.takeAll();
      expect([peer.tcp.connectionCount, halfOpen.length, peer.clock.armedTimers]).toEqual([0, 0, 0]);
    },
    { synCookies: "never" },
  );
});
