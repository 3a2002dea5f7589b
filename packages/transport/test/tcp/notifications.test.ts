// Notifications: when the user hears what, and what it may do meanwhile (docs/decisions/0009-tcp-events-and-notifications.md).
import { randomBelow, SeededRandom } from "@netstrata/core";
import { FaultInjector } from "@netstrata/link";
import { describe, expect, test } from "vitest";
import { isArrow, type TcpConnection, type TcpEvent, type TcpUser } from "../../src/index.ts";
import { twoHosts } from "../two-hosts.ts";
import { dialogue, octets, type Peer, readText, textOf } from "./peer.ts";

type Call = (connection: TcpConnection) => unknown;

const CALLS: Readonly<Record<string, Call>> = {
  send: (connection) => connection.send(octets(3)),
  close: (connection) => connection.close(),
  closeRead: (connection) => connection.closeRead(),
  abort: (connection) => connection.abort(),
  "close and abort": (connection) => {
    connection.close();
    connection.abort();
  },
  set: (connection) => connection.set({ receiveBuffer: 100, keepAlive: true }),
};

/** A dialogue in which each notification comes once: opened, urgent, readable, soft error, writable, closed. */
function everyNotification(peer: Peer, user: TcpUser): TcpConnection {
  const connection = peer.open({ sendBuffer: 2000 });
  connection.user = user;
  peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460 } });
  connection.send(octets(3000));
  peer.sendIcmp({ type: 3, code: 0, rest: 0 }, { seq: 1 });
  peer.send({ flags: "UPA", seq: 1, ack: 1, urgent: 2, data: "text" });
  peer.send({ flags: "A", seq: 5, ack: 1001 });
  peer.send({ flags: "FA", seq: 5, ack: 1001 });
  peer.send({ flags: "R", seq: 6 });
  peer.takeAll();
  return connection;
}

const NOTIFICATIONS = ["opened", "readable", "writable", "urgent", "softError", "closed"] as const;

describe("user calls from within notifications", () => {
  dialogue("the dialogue below has them all", (peer) => {
    const heard = new Set<string>();
    const user = Object.fromEntries(NOTIFICATIONS.map((name) => [name, () => heard.add(name)]));
    everyNotification(peer, user);
    expect(heard).toEqual(new Set(NOTIFICATIONS));
  });

  for (const notification of NOTIFICATIONS) {
    for (const [name, call] of Object.entries(CALLS)) {
      dialogue(`${name} in ${notification}`, (peer) => {
        let closed = 0;
        let calls = 0;
        const user: TcpUser = {
          closed: () => (closed += 1),
          [notification]: (connection: TcpConnection) => {
            if (notification === "closed") closed += 1;
            calls += 1;
            call(connection);
          },
        };
        const connection = everyNotification(peer, user);
        // Where the call has turned the dialogue into another one, the end of it is still to come.
        connection.abort();
        peer.takeAll();
        expect(calls).toBeGreaterThan(0);
        // Told once that it is over, and nothing is left.
        expect([connection.state, closed, peer.tcp.connectionCount, peer.clock.armedTimers]).toEqual(["CLOSED", 1, 0, 0]);
      });
    }
  }

  dialogue("what is called in a notification goes out when the event is over, in one segment with the acknowledgment", (peer) => {
    const connection = peer.connect();
    let during = -1;
    connection.user = {
      readable: () => {
        connection.receive();
        connection.send(textOf("answer"));
        connection.close();
        during = peer.takeAll().length;
      },
    };
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "question" });
    expect(during).toBe(0);
    peer.expect({ flags: "FPA", seq: 1, ack: 9, data: "answer" });
  });

  dialogue("another connection may be used as well: it has events of its own", (peer) => {
    const first = peer.connect();
    peer.send({ flags: "S", seq: 0, port: 5001 });
    peer.expect({ flags: "SA", port: 5001 });
    peer.send({ flags: "A", seq: 1, ack: 1, port: 5001 });
    const second = peer.accepted();
    first.user = {
      readable: () => {
        second.send(octets(5));
        second.abort();
      },
    };
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "x" });
    peer.expect({ flags: "PA", data: 5, port: 5001 });
    peer.expect({ flags: "R", port: 5001 });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 2, port: 5000 });
  });
});

describe("a user that throws", () => {
  const failing = (): never => {
    throw new Error("the user's own");
  };

  for (const notification of NOTIFICATIONS) {
    dialogue(`in ${notification}: the peer is answered, and the user hears of the rest`, (peer) => {
      const connection = peer.open({ sendBuffer: 2000, noDelay: true });
      const heard: string[] = [];
      const others = Object.fromEntries(NOTIFICATIONS.map((name) => [name, () => heard.push(name)]));
      connection.user = { ...others, [notification]: failing };
      const survive = (action: () => void): void => {
        try {
          action();
        } catch (error) {
          expect((error as Error).message).toBe("the user's own");
        }
      };
      survive(() => peer.send({ flags: "SA", seq: 0, ack: 1, options: { maximumSegmentSize: 1460 } }));
      connection.send(octets(3000));
      survive(() => peer.sendIcmp({ type: 3, code: 0, rest: 0 }, { seq: 1 }));
      survive(() => peer.send({ flags: "UPA", seq: 1, ack: 1, urgent: 2, data: "text" }));
      survive(() => peer.send({ flags: "FA", seq: 5, ack: 2001 }));
      expect(peer.takeAll().at(-1)).toMatchObject({ flags: "A", seq: 2001, ack: 6 });
      connection.close();
      survive(() => peer.send({ flags: "A", seq: 6, ack: 2002 }));
      peer.takeAll();
      expect(new Set([...heard, notification])).toEqual(new Set(NOTIFICATIONS));
      expect([connection.state, connection.isClosed]).toEqual(["CLOSED", true]);
    });
  }

  dialogue("two of a kind in one event: both are given, the first error is thrown", (peer) => {
    const connection = peer.connect();
    const heard: string[] = [];
    connection.user = {
      readable: () => {
        heard.push("readable");
        failing();
      },
      closed: () => heard.push("closed"),
    };
    expect(() => peer.send({ flags: "R", seq: 1 })).toThrow("the user's own");
    expect(heard).toEqual(["readable", "closed"]);
  });
});

describe("order and number", () => {
  dialogue("the state is that of the whole segment when the first notification comes", (peer) => {
    const connection = peer.connect();
    const states: string[] = [];
    connection.user = { readable: () => states.push(connection.state, readText(connection), String(connection.endOfStream)) };
    peer.send({ flags: "FPA", seq: 1, ack: 1, data: "bye" });
    expect(states).toEqual(["CLOSE-WAIT", "bye", "true"]);
    peer.expect({ flags: "A", ack: 5 });
  });

  dialogue("closed is the last notification, and comes once", (peer) => {
    const connection = peer.reach("LAST-ACK");
    peer.send({ flags: "A", seq: 2, ack: 2 });
    connection.abort();
    connection.close();
    connection.closeRead();
    peer.advance(1_000_000);
    expect(peer.told).toEqual(["readable", "readable", "closed"]);
  });

  dialogue("the user may be replaced at any time; the new one hears what comes", (peer) => {
    const connection = peer.connect();
    const heard: string[] = [];
    connection.user = { readable: () => heard.push("first") };
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "a" });
    connection.user = { readable: () => heard.push("second") };
    peer.send({ flags: "PA", seq: 2, ack: 1, data: "b" });
    expect(heard).toEqual(["first", "second"]);
    peer.expect({ flags: "A", ack: 3 });
  });
});

test("random calls from every notification, over a network with faults: nothing throws, nothing hangs, nothing is left", () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const random = new SeededRandom(seed);
    const below = (bound: number): number => randomBelow(random, bound);
    const problems: string[] = [];
    const net = twoHosts({
      seed,
      wrap: (device, host) =>
        new FaultInjector(
          device,
          { clock: host.clock, random: host.random },
          { out: { drop: 0.05, duplicate: 0.05, reorder: 0.1, corrupt: 0.02 } },
        ),
      a: { timeWait: 1000, receiveBuffer: 2000, sendBuffer: 3000 },
      b: { timeWait: 1000, receiveBuffer: 5000 },
    });
    for (const { host } of [net.a, net.b]) {
      host.observer = {
        observe: (event) => {
          const tcp = event as TcpEvent;
          if (tcp.layer === "tcp" && tcp.kind === "state" && !isArrow(tcp.from, tcp.to)) problems.push(`${tcp.from} → ${tcp.to}`);
        },
      };
    }
    const closed = new Map<TcpConnection, number>();
    const meddle = (connection: TcpConnection): void => {
      const calls: (() => unknown)[] = [
        () => connection.send(octets(below(4000))),
        () => connection.send(octets(below(4000))),
        () => connection.receive(1 + below(3000)),
        () => connection.receive(),
        () => connection.sendUrgent(octets(below(5))),
        () => connection.set({ receiveBuffer: 500 + below(5000), keepAlive: below(2) === 0, keepAliveIdle: 1000 }),
        () => below(15) === 0 && connection.close(),
        () => below(40) === 0 && connection.closeRead(),
        () => below(60) === 0 && connection.abort(),
      ];
      for (let call = below(4); call > 0; call -= 1) calls[below(calls.length)]();
    };
    const user: TcpUser = {
      opened: meddle,
      readable: meddle,
      writable: meddle,
      urgent: meddle,
      softError: meddle,
      closed: (connection) => {
        closed.set(connection, (closed.get(connection) ?? 0) + 1);
        meddle(connection);
      },
    };
    const all: TcpConnection[] = [];
    const listener = net.b.tcp.listen(
      { address: net.b.address, port: 80 },
      {
        acceptable: (listening) => {
          const connection = listening.accept() as TcpConnection;
          connection.user = user;
          all.push(connection);
          meddle(connection);
        },
      },
    );
    if (typeof listener === "string") throw new Error(listener);
    for (let count = 0; count < 3; count += 1) {
      const connection = net.a.tcp.open({ address: net.b.address, port: 80 }, user);
      if (typeof connection === "string") throw new Error(connection);
      all.push(connection);
    }
    // Now and then somebody calls from outside as well.
    for (let time = 0; time < 60; time += 1) {
      net.clock.advance(below(400));
      meddle(all[below(all.length)]);
    }
    for (const connection of all) connection.abort();
    net.clock.advance(1_000_000);
    listener.close();
    for (const connection of all)
      if (closed.get(connection) !== 1) problems.push(`${connection.state} was closed ${closed.get(connection)} times`);
    expect({ seed, problems, ...net.close() }).toEqual({ seed, problems: [], timers: 0, connections: 0 });
  }
});
