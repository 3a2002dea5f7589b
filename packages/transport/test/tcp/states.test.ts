// The states and arrows of RFC 9293 §3.3.2, Figure 5.
import { describe, expect, test } from "vitest";
import { isArrow, type TcpState } from "../../src/index.ts";
import { canReceive, canSend, isSynchronized } from "../../src/tcp/state.ts";
import { dialogue, octets, Peer, SEQUENCE_STARTS } from "./peer.ts";

const STATES: readonly TcpState[] = [
  "CLOSED",
  "LISTEN",
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
];

/** Read off the figure and its notes by hand; the way to CLOSED stands open everywhere (note 3). */
const FIGURE_5 = [
  "CLOSED → LISTEN",
  "CLOSED → SYN-SENT",
  "LISTEN → SYN-RECEIVED",
  "LISTEN → SYN-SENT",
  "SYN-SENT → SYN-RECEIVED",
  "SYN-SENT → ESTABLISHED",
  "SYN-RECEIVED → LISTEN",
  "SYN-RECEIVED → ESTABLISHED",
  "SYN-RECEIVED → FIN-WAIT-1",
  // §3.10.7.4, eighth: a FIN in SYN-RECEIVED.
  "SYN-RECEIVED → CLOSE-WAIT",
  "ESTABLISHED → FIN-WAIT-1",
  "ESTABLISHED → CLOSE-WAIT",
  "FIN-WAIT-1 → FIN-WAIT-2",
  "FIN-WAIT-1 → CLOSING",
  // Note 2: FIN and the ACK of ours in one segment.
  "FIN-WAIT-1 → TIME-WAIT",
  "FIN-WAIT-2 → TIME-WAIT",
  "CLOSE-WAIT → LAST-ACK",
  "CLOSING → TIME-WAIT",
  // A listener stays in LISTEN here: the connections it makes begin with their SYN.
  "CLOSED → SYN-RECEIVED",
];

test("the arrows are those of the figure, and no others", () => {
  const arrows = STATES.flatMap((from) => STATES.filter((to) => isArrow(from, to)).map((to) => `${from} → ${to}`));
  expect(new Set(arrows)).toEqual(new Set([...FIGURE_5, ...STATES.map((from) => `${from} → CLOSED`)]));
});

test("the groups of states are those of §3.5.2 and of the user calls", () => {
  expect(STATES.filter(isSynchronized)).toEqual(STATES.slice(4));
  expect(STATES.filter(canSend)).toEqual(["SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT"]);
  expect(STATES.filter(canReceive)).toEqual(["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"]);
});

/** A way through the figure for each arrow that a connection can take here. */
const WAYS: Readonly<Record<string, (peer: Peer) => void>> = {
  "CLOSED → SYN-SENT": (peer) => peer.reach("SYN-SENT"),
  "CLOSED → SYN-RECEIVED": (peer) => peer.reach("ESTABLISHED"),
  "SYN-SENT → SYN-RECEIVED": (peer) => peer.reach("SYN-RECEIVED"),
  "SYN-SENT → ESTABLISHED": (peer) => peer.connected(),
  "SYN-SENT → CLOSED": (peer) => peer.reach("SYN-SENT").close(),
  "SYN-RECEIVED → ESTABLISHED": (peer) => peer.reach("ESTABLISHED"),
  "SYN-RECEIVED → CLOSED": (peer) => {
    peer.reach("SYN-RECEIVED");
    peer.send({ flags: "R", seq: 1 });
  },
  "ESTABLISHED → FIN-WAIT-1": (peer) => peer.reach("FIN-WAIT-1"),
  "ESTABLISHED → CLOSE-WAIT": (peer) => peer.reach("CLOSE-WAIT"),
  "ESTABLISHED → CLOSED": (peer) => {
    peer.connect().abort();
    peer.expect({ flags: "R", seq: 1 });
  },
  "FIN-WAIT-1 → FIN-WAIT-2": (peer) => peer.reach("FIN-WAIT-2"),
  "FIN-WAIT-1 → CLOSING": (peer) => peer.reach("CLOSING"),
  "FIN-WAIT-2 → TIME-WAIT": (peer) => peer.reach("TIME-WAIT"),
  "CLOSE-WAIT → LAST-ACK": (peer) => peer.reach("LAST-ACK"),
  "CLOSING → TIME-WAIT": (peer) => {
    peer.reach("CLOSING");
    peer.send({ flags: "A", seq: 2, ack: 2 });
  },
  "LAST-ACK → CLOSED": (peer) => {
    peer.reach("LAST-ACK");
    peer.send({ flags: "A", seq: 2, ack: 2 });
  },
  "TIME-WAIT → CLOSED": (peer) => {
    peer.reach("TIME-WAIT");
    peer.advance(240_000);
  },
};

describe("arrows that connections take", () => {
  for (const [arrow, way] of Object.entries(WAYS)) {
    dialogue(arrow, (peer) => {
      way(peer);
      expect(peer.transitions).toContain(arrow);
    });
  }

  dialogue("FIN and the ACK of ours in one segment pass FIN-WAIT-2 on the way to TIME-WAIT (note 2)", (peer) => {
    peer.reach("FIN-WAIT-1");
    peer.send({ flags: "FA", seq: 1, ack: 2 });
    peer.expect({ flags: "A", seq: 2, ack: 2 });
    expect(peer.transitions.slice(-2)).toEqual(["FIN-WAIT-1 → FIN-WAIT-2", "FIN-WAIT-2 → TIME-WAIT"]);
  });
});

describe("user calls by state (§3.10.2 to §3.10.5)", () => {
  type Reachable = Parameters<Peer["reach"]>[0];
  const reachable = STATES.slice(2) as readonly Reachable[];
  const aborted = new Set(["SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT"]);

  test.each(reachable)("SEND in %s", (state) => {
    const peer = new Peer(SEQUENCE_STARTS[1]);
    const connection = peer.reach(state);
    expect(connection.send(octets(1))).toBe(canSend(state) ? 1 : "EPIPE");
  });

  test.each(reachable)("a second CLOSE in %s is harmless", (state) => {
    const peer = new Peer(SEQUENCE_STARTS[2]);
    const connection = peer.reach(state);
    connection.close();
    peer.takeAll();
    const { state: then } = connection;
    connection.close();
    expect([connection.state, peer.takeAll()]).toEqual([then, []]);
  });

  dialogue("ABORT in LAST-ACK tells the peer when text and FIN have not left (§3.10.5 takes it that they have)", (peer) => {
    const connection = peer.reach("CLOSE-WAIT");
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.send(octets(10));
    connection.close();
    expect(connection.state).toBe("LAST-ACK");
    connection.abort();
    peer.expect({ flags: "R", seq: 1 });
  });

  for (const state of reachable) {
    const tells = aborted.has(state);
    dialogue(`ABORT in ${state} ${tells ? "sends <SEQ=SND.NXT><CTL=RST>" : "is silent"}`, (peer) => {
      const connection = peer.reach(state);
      const finIsOut = ["FIN-WAIT-1", "FIN-WAIT-2"].includes(state);
      connection.abort();
      if (tells) peer.expect({ flags: "R", seq: finIsOut ? 2 : 1, ack: undefined });
      peer.expectNothing();
      expect([connection.state, connection.isClosed, connection.error]).toEqual(["CLOSED", true, undefined]);
      expect([peer.tcp.connectionCount, peer.clock.armedTimers]).toEqual([0, 0]);
      connection.abort();
      expect(peer.told.filter((told) => told.startsWith("closed"))).toEqual(["closed"]);
    });
  }
});
