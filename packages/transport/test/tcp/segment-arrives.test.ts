// SEGMENT ARRIVES (RFC 9293 §3.10.7), check by check and state by state.
import { describe, expect } from "vitest";
import type { TcpState } from "../../src/index.ts";
import { dialogue, octets, type Peer, readText } from "./peer.ts";

type Reachable = Parameters<Peer["reach"]>[0];

/** The states of §3.10.7.4, with the next number of the stack and of the peer when nothing but SYN and FIN was exchanged. */
const STATES: readonly (readonly [Reachable, number, number])[] = [
  ["SYN-RECEIVED", 1, 1],
  ["ESTABLISHED", 1, 1],
  ["FIN-WAIT-1", 2, 1],
  ["FIN-WAIT-2", 2, 1],
  ["CLOSE-WAIT", 1, 2],
  ["CLOSING", 2, 2],
  ["LAST-ACK", 2, 2],
  ["TIME-WAIT", 2, 2],
];
const SYNCHRONIZED = STATES.slice(1);
const WINDOW = 65535;

describe("§3.10.7.1 CLOSED", () => {
  dialogue("a RST is discarded", (peer) => {
    peer.send({ flags: "R", seq: 5 });
    peer.send({ flags: "RA", seq: 5, ack: 7 });
    peer.expectNothing();
    expect(peer.tcp.drops.counters["no-connection"]).toBe(2);
  });

  dialogue("with an ACK: <SEQ=SEG.ACK><CTL=RST>", (peer) => {
    peer.send({ flags: "A", seq: 5, ack: 7, data: "x" });
    peer.expect({ flags: "R", seq: 7, ack: undefined, window: 0 });
    peer.send({ flags: "SA", seq: 5, ack: 7 });
    peer.expect({ flags: "R", seq: 7 });
  });

  dialogue("without: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>", (peer) => {
    peer.send({ flags: "S", seq: 5 });
    expect(peer.expect({ flags: "RA", ack: 6 }).absoluteSeq).toBe(0);
    peer.send({ flags: "SF", seq: 5, data: "abc" });
    expect(peer.expect({ flags: "RA", ack: 10 }).absoluteSeq).toBe(0);
    peer.send({ flags: "", seq: 5, data: "abc" });
    expect(peer.expect({ flags: "RA", ack: 8 }).absoluteSeq).toBe(0);
  });
});

describe("§3.10.7.2 LISTEN", () => {
  dialogue("first, a RST is ignored, whatever else is set", (peer) => {
    peer.listen();
    for (const flags of ["R", "RA", "SR", "SRA"]) peer.send({ flags, seq: 0, ack: 1 });
    peer.expectNothing();
    expect(peer.tcp.connectionCount).toBe(0);
  });

  dialogue("second, an ACK is answered with a RST", (peer) => {
    peer.listen();
    peer.send({ flags: "A", seq: 5, ack: 9 });
    peer.expect({ flags: "R", seq: 9, ack: undefined });
    peer.send({ flags: "SA", seq: 5, ack: 9 });
    peer.expect({ flags: "R", seq: 9 });
    expect(peer.tcp.connectionCount).toBe(0);
  });

  dialogue("third, a SYN is answered with <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
  });

  dialogue("fourth, anything else is dropped", (peer) => {
    peer.listen();
    for (const flags of ["", "F", "P", "U", "FPU"]) peer.send({ flags, seq: 5, data: "x" });
    peer.expectNothing();
  });
});

describe("§3.10.7.3 SYN-SENT", () => {
  dialogue("first, an ACK of what was not sent is answered with a RST, and the attempt goes on", (peer) => {
    const connection = peer.reach("SYN-SENT");
    for (const flags of ["A", "SA"]) {
      for (const ack of [0, -1, 2, 1000]) {
        peer.send({ flags, seq: 0, ack });
        peer.expect({ flags: "R", seq: ack, ack: undefined });
      }
    }
    expect([connection.state, peer.tcp.drops.counters["acknowledgment-out-of-range"]]).toEqual(["SYN-SENT", 8]);
  });

  dialogue("first, but a RST is not answered", (peer) => {
    const connection = peer.reach("SYN-SENT");
    peer.send({ flags: "RA", seq: 0, ack: 2 });
    peer.expectNothing();
    expect(connection.state).toBe("SYN-SENT");
  });

  dialogue("second, a RST whose ACK is acceptable refuses the connection", (peer) => {
    const connection = peer.reach("SYN-SENT");
    peer.send({ flags: "RA", seq: 0, ack: 1 });
    peer.expectNothing();
    expect([connection.state, peer.told]).toEqual(["CLOSED", ["readable", "closed ECONNREFUSED"]]);
  });

  dialogue("second, a RST without ACK is dropped: it is blind", (peer) => {
    const connection = peer.reach("SYN-SENT");
    peer.send({ flags: "R", seq: 0 });
    peer.expectNothing();
    expect([connection.state, peer.tcp.drops.counters["reset-out-of-window"]]).toEqual(["SYN-SENT", 1]);
  });

  dialogue("fifth, without SYN or RST it is dropped, also when it acknowledges our SYN", (peer) => {
    const connection = peer.reach("SYN-SENT");
    for (const flags of ["A", "FA", "PA", "F", ""]) peer.send({ flags, seq: 1, ack: 1, data: "x" });
    peer.expectNothing();
    expect(connection.state).toBe("SYN-SENT");
  });
});

describe("first, check sequence number", () => {
  for (const [state, stackNext, peerNext] of STATES) {
    dialogue(`${state}: what lies before the window is answered with <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "A", seq: peerNext - 1, ack: stackNext, data: "x" });
      peer.expect({ flags: "A", seq: stackNext, ack: peerNext });
      expect([connection.state, connection.readableLength]).toEqual([state, 0]);
    });

    dialogue(`${state}: so is what lies beyond it`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "A", seq: peerNext + WINDOW, ack: stackNext, data: "x" });
      peer.expect({ flags: "A", seq: stackNext, ack: peerNext });
      peer.send({ flags: "FA", seq: peerNext + WINDOW + 1000, ack: stackNext });
      peer.expect({ flags: "A", seq: stackNext, ack: peerNext });
      expect([connection.state, peer.tcp.drops.counters["out-of-window"]]).toEqual([state, 2]);
    });

    dialogue(`${state}: but a RST is dropped in silence`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "R", seq: peerNext - 1 });
      peer.send({ flags: "RA", seq: peerNext + WINDOW, ack: stackNext });
      peer.expectNothing();
      expect(connection.state).toBe(state);
    });
  }

  dialogue("Table 6, length 0 and window 0: SEG.SEQ = RCV.NXT", (peer) => {
    const connection = peer.connect({ receiveBuffer: 10 });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: octets(10) });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 11, window: 0 });
    peer.send({ flags: "A", seq: 11, ack: 1 });
    peer.expectNothing(100);
    for (const seq of [10, 12]) {
      peer.send({ flags: "A", seq, ack: 1 });
      peer.expect({ flags: "A", ack: 11, window: 0 });
    }
    expect(connection.readableLength).toBe(10);
  });

  dialogue("Table 6, length 0 and an open window: RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND", (peer) => {
    peer.connect({ receiveBuffer: 100 });
    for (const [seq, acceptable] of [
      [0, false],
      [1, true],
      [100, true],
      [101, false],
    ] as const) {
      peer.send({ flags: "A", seq, ack: 1 });
      if (acceptable) peer.expectNothing(100);
      else peer.expect({ flags: "A", ack: 1 });
    }
  });

  dialogue("an ACK at the right edge is answered as unacceptable, but what it acknowledges counts", (peer) => {
    const connection = peer.connect({ receiveBuffer: 100 });
    connection.send(octets(10));
    peer.expect({ flags: "PA", seq: 1, data: 10 });
    peer.send({ flags: "A", seq: 101, ack: 11 });
    peer.expect({ flags: "A", seq: 11, ack: 1 });
    expect(connection.info()).toMatchObject({ unacknowledged: 0, bytesAcknowledged: 10 });
    // A RST there is as bad as any outside.
    peer.send({ flags: "R", seq: 101 });
    expect(connection.state).toBe("ESTABLISHED");
  });

  dialogue("Table 6, text and window 0: not acceptable, but its ACK counts", (peer) => {
    const connection = peer.connect({ receiveBuffer: 10 });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: octets(10) });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 11, window: 0 });
    connection.send(octets(4));
    peer.expect({ flags: "PA", seq: 1, ack: 11, data: 4 });
    peer.send({ flags: "PA", seq: 11, ack: 5, data: "x" });
    peer.expect({ flags: "A", seq: 5, ack: 11, window: 0 });
    expect([connection.readableLength, connection.info().unacknowledged]).toEqual([10, 0]);
  });

  dialogue("Table 6, text and an open window: its first or its last octet must lie in it; what lies outside is cut off", (peer) => {
    const connection = peer.connect({ receiveBuffer: 10 });
    peer.send({ flags: "PA", seq: -3, ack: 1, data: "abcd" });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "PA", seq: -3, ack: 1, data: "abcdef" });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 3 });
    peer.send({ flags: "FPA", seq: 3, ack: 1, data: "ghijklmnopqrst" });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 11 });
    expect([readText(connection), connection.state]).toEqual(["efghijklmn", "ESTABLISHED"]);
    peer.expect({ flags: "A", ack: 11, window: 10 });
  });
});

describe("second, check the RST bit", () => {
  const outcome: Readonly<Record<string, readonly string[]>> = {
    "SYN-RECEIVED": ["readable", "closed ECONNREFUSED"],
    ESTABLISHED: ["readable", "closed ECONNRESET"],
    "FIN-WAIT-1": ["readable", "closed ECONNRESET"],
    "FIN-WAIT-2": ["readable", "closed ECONNRESET"],
    "CLOSE-WAIT": ["readable", "readable", "closed ECONNRESET"],
    CLOSING: ["readable", "readable", "closed"],
    "LAST-ACK": ["readable", "readable", "closed"],
    "TIME-WAIT": ["readable", "closed", "readable"],
  };

  for (const [state, stackNext, peerNext] of STATES) {
    dialogue(`${state}: at RCV.NXT it ends the connection`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "R", seq: peerNext });
      peer.expectNothing();
      expect([connection.state, connection.isClosed, peer.told]).toEqual(["CLOSED", true, outcome[state]]);
      expect([peer.tcp.connectionCount, peer.clock.armedTimers]).toEqual([0, 0]);
    });

    dialogue(`${state}: elsewhere in the window it is answered with a challenge`, (peer) => {
      const connection = peer.reach(state);
      for (const seq of [peerNext + 1, peerNext + WINDOW - 10]) {
        peer.send({ flags: "R", seq });
        peer.expect({ flags: "A", seq: stackNext, ack: peerNext });
      }
      expect([connection.state, peer.tcp.counters.TCPChallengeACK]).toEqual([state, 2]);
    });
  }
});

describe("fourth, check the SYN bit", () => {
  dialogue("SYN-RECEIVED from a passive open: back to LISTEN", (peer) => {
    const listener = peer.listen();
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "S", seq: 1 });
    peer.expectNothing();
    expect([peer.tcp.connectionCount, listener.accept()]).toEqual([0, undefined]);
  });

  for (const [state, stackNext, peerNext] of STATES) {
    dialogue(`${state}: a SYN in the window is challenged, with or without ACK`, (peer) => {
      const connection = peer.reach(state);
      // In TIME-WAIT a SYN without ACK may open the connection anew (MAY-2, reopening.test.ts).
      const challenged = state === "TIME-WAIT" ? ["SA"] : ["S", "SA"];
      for (const flags of challenged) {
        peer.send({ flags, seq: peerNext + 5, ack: stackNext });
        peer.expect({ flags: "A", seq: stackNext, ack: peerNext });
      }
      expect([connection.state, peer.tcp.drops.counters["syn-challenged"]]).toEqual([state, challenged.length]);
    });
  }
});

describe("fifth, check the ACK field", () => {
  for (const [state, , peerNext] of STATES) {
    dialogue(`${state}: without ACK it is dropped`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "F", seq: peerNext, data: "x" });
      peer.expectNothing(100);
      expect([connection.state, connection.readableLength]).toEqual([state, 0]);
      expect(peer.tcp.drops.counters["missing-acknowledgment"]).toBe(1);
    });
  }

  for (const [state, stackNext, peerNext] of SYNCHRONIZED) {
    dialogue(`MAY-12: ${state}: an ACK of what was never sent is answered with an ACK, and nothing else is taken`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "A", seq: peerNext, ack: stackNext + 1, data: "x" });
      peer.expect({ flags: "A", seq: stackNext, ack: peerNext });
      expect([connection.state, connection.readableLength]).toEqual([state, 0]);
    });

    dialogue(`MAY-12: ${state}: so is one older than SND.UNA - MAX.SND.WND`, (peer) => {
      const connection = peer.reach(state);
      const { unacknowledged } = connection.info();
      peer.send({ flags: "A", seq: peerNext, ack: stackNext - unacknowledged - WINDOW - 1, data: "x" });
      peer.expect({ flags: "A", seq: stackNext, ack: peerNext });
      expect([connection.readableLength, peer.tcp.drops.counters["acknowledgment-out-of-range"]]).toEqual([0, 1]);
    });
  }

  dialogue("SYN-RECEIVED: an unacceptable ACK is answered with <SEQ=SEG.ACK><CTL=RST>", (peer) => {
    const connection = peer.reach("SYN-RECEIVED");
    for (const ack of [0, -5, 2, 1000]) {
      peer.send({ flags: "A", seq: 1, ack });
      peer.expect({ flags: "R", seq: ack, ack: undefined });
    }
    expect(connection.state).toBe("SYN-RECEIVED");
  });

  dialogue("SYN-RECEIVED: an acceptable one establishes the connection and sets the window", (peer) => {
    const connection = peer.reach("SYN-RECEIVED");
    peer.send({ flags: "A", seq: 1, ack: 1, window: 1234 });
    expect([connection.state, connection.info().sendWindow]).toEqual(["ESTABLISHED", 1234]);
  });

  dialogue("ESTABLISHED: an old ACK is ignored, but the text that comes with it is taken", (peer) => {
    const connection = peer.connect();
    connection.send(octets(10));
    peer.expect({ flags: "PA", data: 10 });
    peer.send({ flags: "A", ack: 11 });
    peer.send({ flags: "PA", seq: 1, ack: 1, window: 5, data: "x" });
    expect([readText(connection), connection.info().sendWindow, connection.info().unacknowledged]).toEqual(["x", WINDOW, 0]);
    peer.advance(40);
    peer.expect({ flags: "A", seq: 11, ack: 2 });
  });

  dialogue("ESTABLISHED: the window is taken from the newest segment: by SND.WL1, then by SND.WL2", (peer) => {
    const connection = peer.connect();
    const window = (): number => connection.info().sendWindow;
    connection.send(octets(10));
    peer.expect({ flags: "PA", data: 10 });
    // Same sequence number, newer acknowledgment.
    peer.send({ flags: "A", seq: 1, ack: 5, window: 500 });
    expect(window()).toBe(500);
    // Newer sequence number, older acknowledgment would be ignored altogether; the same one is taken.
    peer.send({ flags: "PA", seq: 2, ack: 5, window: 400, data: "b" });
    peer.expect({ flags: "A", ack: 1 });
    expect(window()).toBe(400);
    // Older sequence number: it was sent before the last one.
    peer.send({ flags: "PA", seq: 1, ack: 5, window: 300, data: "a" });
    expect(window()).toBe(400);
    peer.expect({ flags: "A", ack: 3 });
    expect(readText(connection)).toBe("ab");
  });

  dialogue("FIN-WAIT-1: the ACK of our FIN leads to FIN-WAIT-2, an ACK of less does not", (peer) => {
    const connection = peer.connect();
    connection.send(octets(5));
    connection.close();
    peer.expect({ flags: "PA", seq: 1, data: 5 });
    peer.expect({ flags: "FA", seq: 6 });
    expect(connection.state).toBe("FIN-WAIT-1");
    peer.send({ flags: "A", ack: 6 });
    expect(connection.state).toBe("FIN-WAIT-1");
    peer.send({ flags: "A", ack: 7 });
    expect(connection.state).toBe("FIN-WAIT-2");
  });

  dialogue("CLOSING: the ACK of our FIN leads to TIME-WAIT, anything else is ignored", (peer) => {
    const connection = peer.reach("CLOSING");
    peer.send({ flags: "A", seq: 2, ack: 1 });
    expect(connection.state).toBe("CLOSING");
    peer.send({ flags: "A", seq: 2, ack: 2 });
    expect(connection.state).toBe("TIME-WAIT");
    peer.expectNothing();
  });

  dialogue("LAST-ACK: the ACK of our FIN ends the connection", (peer) => {
    const connection = peer.reach("LAST-ACK");
    peer.send({ flags: "A", seq: 2, ack: 1 });
    expect(connection.state).toBe("LAST-ACK");
    peer.send({ flags: "A", seq: 2, ack: 2 });
    expect([connection.state, peer.told]).toEqual(["CLOSED", ["readable", "readable", "closed"]]);
  });

  dialogue("TIME-WAIT: a FIN that comes again is acknowledged, and the wait starts anew", (peer) => {
    const connection = peer.reach("TIME-WAIT");
    peer.advance(200_000);
    peer.send({ flags: "FA", seq: 1, ack: 2 });
    peer.expect({ flags: "A", seq: 2, ack: 2 });
    peer.advance(239_999);
    expect(connection.state).toBe("TIME-WAIT");
    peer.advance(1);
    expect(connection.state).toBe("CLOSED");
  });
});

describe("sixth, check the URG bit", () => {
  for (const [state, stackNext, peerNext] of SYNCHRONIZED) {
    const takes = ["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"].includes(state);
    dialogue(`${state}: urgent data is ${takes ? "announced" : "ignored"}`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "UA", seq: peerNext, ack: stackNext, urgent: 3 });
      expect([peer.told.includes("urgent"), connection.urgentLength]).toEqual(takes ? [true, 3] : [false, 0]);
    });
  }
});

describe("seventh, process the segment text", () => {
  for (const [state, stackNext, peerNext] of SYNCHRONIZED) {
    const takes = ["ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2"].includes(state);
    dialogue(`${state}: text is ${takes ? "delivered and acknowledged" : "ignored: the peer has sent its FIN"}`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "PA", seq: peerNext, ack: stackNext - (state === "LAST-ACK" || state === "CLOSING" ? 1 : 0), data: "text" });
      peer.advance(40);
      if (takes) peer.expect({ flags: "A", seq: stackNext, ack: peerNext + 4 });
      peer.expectNothing();
      expect(readText(connection)).toBe(takes ? "text" : "");
    });
  }

  dialogue("SYN-RECEIVED: the text comes with the segment that establishes the connection", (peer) => {
    const connection = peer.reach("SYN-RECEIVED");
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "text" });
    expect([connection.state, readText(connection)]).toEqual(["ESTABLISHED", "text"]);
    peer.advance(40);
    peer.expect({ flags: "A", ack: 5 });
  });
});

describe("eighth, check the FIN bit", () => {
  const next: readonly (readonly [Reachable, number, TcpState])[] = [
    ["SYN-RECEIVED", 1, "CLOSE-WAIT"],
    ["ESTABLISHED", 1, "CLOSE-WAIT"],
    ["FIN-WAIT-1", 1, "CLOSING"],
    ["FIN-WAIT-1", 2, "TIME-WAIT"],
    ["FIN-WAIT-2", 2, "TIME-WAIT"],
  ];
  for (const [state, ack, then] of next) {
    dialogue(`${state}: with ACK ${ack} it leads to ${then} and is acknowledged at once`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "FA", seq: 1, ack });
      peer.expect({ flags: "A", ack: 2 });
      expect([connection.state, connection.endOfStream]).toEqual([then, true]);
    });
  }

  for (const state of ["CLOSE-WAIT", "CLOSING", "LAST-ACK"] as const) {
    dialogue(`${state}: a FIN that comes again is acknowledged, and the state stays`, (peer) => {
      const connection = peer.reach(state);
      peer.send({ flags: "FA", seq: 1, ack: 1 });
      peer.expect({ flags: "A", ack: 2 });
      expect(connection.state).toBe(state);
    });
  }
});
