// Closing a connection (RFC 9293 §3.6, §3.10.4).
import { describe, expect } from "vitest";
import { dialogue, octets, readAll, readText } from "./peer.ts";

describe("normal close", () => {
  dialogue("MUST-13: the stack closes first and stays in TIME-WAIT for 2 MSL, four minutes (Figure 12)", (peer) => {
    const connection = peer.connect();
    connection.close();
    peer.expect({ flags: "FA", seq: 1, ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 2 });
    peer.send({ flags: "FA", seq: 1, ack: 2 });
    peer.expect({ flags: "A", seq: 2, ack: 2 });
    expect([connection.state, peer.told]).toEqual(["TIME-WAIT", ["readable", "closed"]]);
    peer.expectNothing(239_999);
    expect(peer.tcp.connectionCount).toBe(1);
    peer.advance(1);
    expect([connection.state, peer.tcp.connectionCount]).toEqual(["CLOSED", 0]);
    expect(peer.transitions.slice(2)).toEqual([
      "ESTABLISHED → FIN-WAIT-1",
      "FIN-WAIT-1 → FIN-WAIT-2",
      "FIN-WAIT-2 → TIME-WAIT",
      "TIME-WAIT → CLOSED",
    ]);
  });

  dialogue("the peer closes first: nobody waits here", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "FA", seq: 1, ack: 1 });
    peer.expect({ flags: "A", seq: 1, ack: 2 });
    expect([connection.endOfStream, peer.told]).toEqual([true, ["readable"]]);
    connection.close();
    peer.expect({ flags: "FA", seq: 1, ack: 2 });
    peer.send({ flags: "A", seq: 2, ack: 2 });
    expect([connection.state, connection.error, peer.told]).toEqual(["CLOSED", undefined, ["readable", "readable", "closed"]]);
  });

  dialogue("both close at once (Figure 13)", (peer) => {
    const connection = peer.connect();
    connection.close();
    peer.expect({ flags: "FA", seq: 1, ack: 1 });
    peer.send({ flags: "FA", seq: 1, ack: 1 });
    peer.expect({ flags: "A", seq: 2, ack: 2 });
    expect(connection.state).toBe("CLOSING");
    peer.send({ flags: "A", seq: 2, ack: 2 });
    expect([connection.state, peer.told]).toEqual(["TIME-WAIT", ["readable", "closed"]]);
  });

  dialogue("both close at once, each with text that is still on its way", (peer) => {
    const connection = peer.connect();
    connection.send(octets(2000));
    connection.close();
    peer.expect({ flags: "A", seq: 1, data: 1460 });
    peer.expect({ flags: "FPA", seq: 1461, data: 540 });
    peer.send({ flags: "FPA", seq: 1, ack: 1, data: "peer's" });
    peer.expect({ flags: "A", seq: 2002, ack: 8 });
    expect([connection.state, readText(connection), connection.endOfStream]).toEqual(["CLOSING", "peer's", true]);
    peer.send({ flags: "A", seq: 8, ack: 1461 });
    expect(connection.state).toBe("CLOSING");
    peer.send({ flags: "A", seq: 8, ack: 2002 });
    expect(connection.state).toBe("TIME-WAIT");
  });

  dialogue("a FIN and the ACK of ours come in one segment", (peer) => {
    const connection = peer.reach("FIN-WAIT-1");
    peer.send({ flags: "FPA", seq: 1, ack: 2, data: "bye" });
    peer.expect({ flags: "A", seq: 2, ack: 5 });
    expect([connection.state, readText(connection)]).toEqual(["TIME-WAIT", "bye"]);
  });

  dialogue("the time a connection waits can be chosen", (peer) => {
    const connection = peer.reach("TIME-WAIT", { timeWait: 1000 });
    peer.advance(1000);
    expect(connection.state).toBe("CLOSED");
  });
});

describe("half close", () => {
  dialogue("after CLOSE the peer goes on sending and the user goes on reading", (peer) => {
    const connection = peer.reach("FIN-WAIT-2");
    for (const text of ["still ", "here"]) peer.send({ flags: "PA", ack: 2, data: text });
    expect([connection.state, readText(connection), connection.endOfStream]).toEqual(["FIN-WAIT-2", "still here", false]);
    peer.advance(40);
    peer.expect({ flags: "A", seq: 2, ack: 11 });
    peer.send({ flags: "FA", ack: 2 });
    peer.expect({ flags: "A", seq: 2, ack: 12 });
    expect([connection.state, connection.endOfStream]).toEqual(["TIME-WAIT", true]);
  });

  dialogue("after the peer's FIN the user goes on sending", (peer) => {
    const connection = peer.reach("CLOSE-WAIT");
    expect(connection.send(octets(100))).toBe(100);
    peer.expect({ flags: "PA", seq: 1, ack: 2, data: 100 });
    peer.send({ flags: "A", seq: 2, ack: 101 });
    connection.close();
    peer.expect({ flags: "FA", seq: 101, ack: 2 });
    peer.send({ flags: "A", seq: 2, ack: 102 });
    expect(connection.state).toBe("CLOSED");
  });

  dialogue("what was given to SEND goes out before the FIN, however long the window keeps it back", (peer) => {
    const connection = peer.connect({}, { window: 1000 });
    connection.send(octets(2500));
    connection.close();
    expect([connection.state, connection.send(octets(1))]).toEqual(["FIN-WAIT-1", "EPIPE"]);
    peer.expect({ flags: "A", seq: 1, data: 1000 });
    peer.send({ flags: "A", ack: 1001, window: 1000 });
    peer.expect({ flags: "A", seq: 1001, data: 1000 });
    peer.send({ flags: "A", ack: 2001, window: 1000 });
    peer.expect({ flags: "FPA", seq: 2001, data: 500 });
    peer.send({ flags: "A", ack: 2502 });
    expect(connection.state).toBe("FIN-WAIT-2");
  });

  dialogue("text that was received can be read when all is over", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "FPA", seq: 1, ack: 1, data: octets(1000) });
    peer.expect({ flags: "A", ack: 1002 });
    connection.close();
    peer.expect({ flags: "FA", seq: 1, ack: 1002 });
    peer.send({ flags: "A", ack: 2 });
    expect([connection.state, connection.endOfStream]).toEqual(["CLOSED", false]);
    expect(readAll(connection)).toEqual(octets(1000));
    expect(connection.endOfStream).toBe(true);
  });
});

describe("a FIN that is lost, early or late", () => {
  dialogue("ours is sent again", (peer) => {
    peer.reach("FIN-WAIT-1");
    peer.advance(1000);
    peer.expect({ flags: "FA", seq: 1, ack: 1 });
    peer.advance(2000);
    peer.expect({ flags: "FA", seq: 1, ack: 1 });
  });

  dialogue("the last acknowledgment is lost: the peer's FIN comes again and is acknowledged again (MUST-13)", (peer) => {
    const connection = peer.reach("TIME-WAIT");
    for (let time = 0; time < 3; time += 1) {
      peer.advance(1000);
      peer.send({ flags: "FA", seq: 1, ack: 2 });
      peer.expect({ flags: "A", seq: 2, ack: 2 });
    }
    peer.advance(239_999);
    expect(connection.state).toBe("TIME-WAIT");
  });

  dialogue("the peer's comes before its text: it counts when the text is complete", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "FPA", seq: 6, ack: 1, data: "world" });
    peer.expect({ flags: "A", ack: 1 });
    expect([connection.state, connection.endOfStream]).toEqual(["ESTABLISHED", false]);
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "hello" });
    peer.expect({ flags: "A", ack: 12 });
    expect([connection.state, readText(connection), connection.endOfStream]).toEqual(["CLOSE-WAIT", "helloworld", true]);
  });

  dialogue("a bare FIN that comes early counts too", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "FA", seq: 6, ack: 1 });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "hello" });
    peer.expect({ flags: "A", ack: 7 });
    expect([connection.state, readText(connection)]).toEqual(["CLOSE-WAIT", "hello"]);
  });

  dialogue("text behind the peer's FIN is no text", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "FA", seq: 6, ack: 1 });
    peer.expect({ flags: "A", ack: 1 });
    peer.send({ flags: "PA", seq: 3, ack: 1, data: "too long" });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "hello" });
    peer.expect({ flags: "A", ack: 7 });
    peer.send({ flags: "PA", seq: 7, ack: 1, data: "more" });
    expect([readText(connection), connection.endOfStream, peer.tcp.drops.counters["after-fin"]]).toEqual(["hello", true, 2]);
  });

  dialogue("with a full receive buffer the FIN waits for room (RFC 9293 §3.10.7.4)", (peer) => {
    const connection = peer.connect({ receiveBuffer: 5 });
    peer.send({ flags: "FPA", seq: 1, ack: 1, data: "hello" });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 6, window: 0 });
    peer.send({ flags: "FA", seq: 6, ack: 1 });
    peer.expect({ flags: "A", ack: 6, window: 0 });
    expect([readText(connection), connection.state]).toEqual(["hello", "ESTABLISHED"]);
    peer.expect({ flags: "A", ack: 6, window: 5 });
    peer.send({ flags: "FA", seq: 6, ack: 1 });
    peer.expect({ flags: "A", ack: 7 });
    expect(connection.state).toBe("CLOSE-WAIT");
  });

  dialogue("our FIN into a closed window goes out as the probe of that window", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "A", ack: 1, window: 0 });
    connection.close();
    peer.expectNothing(999);
    peer.advance(1);
    peer.expect({ flags: "FA", seq: 1, ack: 1 });
    peer.send({ flags: "A", ack: 2, window: 0 });
    expect(connection.state).toBe("FIN-WAIT-2");
  });

  dialogue("our FIN is sent again with its text cut to what the path takes now", (peer) => {
    const connection = peer.connect();
    connection.send(octets(1));
    peer.expect({ flags: "PA", seq: 1, data: 1 });
    connection.send(octets(1000));
    connection.close();
    // With the FIN there is no more to wait for, so Nagle lets it go.
    peer.expect({ flags: "FPA", seq: 2, data: 1000 });
    peer.send({ flags: "A", ack: 2 });
    peer.sendIcmp({ type: 3, code: 4, rest: 640 }, { seq: 2 });
    peer.expect({ flags: "A", seq: 2, data: 600 });
    peer.expect({ flags: "FPA", seq: 602, data: 400 });
    peer.send({ flags: "A", ack: 1003 });
    expect(connection.state).toBe("FIN-WAIT-2");
  });
});

describe("MUST-12: how it ended", () => {
  dialogue("MUST-12: in order, by a reset, or by the user's own abort", (peer) => {
    const inOrder = peer.reach("LAST-ACK");
    peer.send({ flags: "A", seq: 2, ack: 2 });
    expect([inOrder.isClosed, inOrder.error]).toEqual([true, undefined]);
    peer.seq = 0;
    peer.ack = 0;
    const reset = peer.connect();
    peer.send({ flags: "R", seq: 1 });
    expect([reset.isClosed, reset.error, reset.send(octets(1))]).toEqual([true, "ECONNRESET", "ECONNRESET"]);
    peer.seq = 0;
    peer.ack = 0;
    const aborted = peer.connect();
    aborted.abort();
    peer.expect({ flags: "R" });
    expect([aborted.isClosed, aborted.error, aborted.send(octets(1))]).toEqual([true, undefined, "EPIPE"]);
  });

  for (const state of ["CLOSING", "LAST-ACK"] as const) {
    dialogue(`MUST-12: a RST in ${state} is an error while text is unacknowledged`, (peer) => {
      const connection = peer.connect();
      connection.send(octets(10));
      peer.expect({ flags: "PA", data: 10 });
      if (state === "CLOSING") {
        connection.close();
        peer.expect({ flags: "FA", seq: 11 });
      }
      peer.send({ flags: "FA", seq: 1, ack: 1 });
      peer.expect({ flags: "A", ack: 2 });
      if (state === "LAST-ACK") {
        connection.close();
        peer.expect({ flags: "FA", seq: 11 });
      }
      expect(connection.state).toBe(state);
      peer.send({ flags: "R", seq: 2 });
      expect(peer.told.at(-1)).toBe("closed ECONNRESET");
    });
  }
});

describe("closing with unread data", () => {
  dialogue("SHLD-3: the user closes both ways while text is unread: the peer is reset", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "unread" });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 7 });
    connection.close();
    peer.expect({ flags: "FA", seq: 1 });
    connection.closeRead();
    peer.expect({ flags: "R", seq: 2 });
    expect([connection.state, peer.told.at(-1), peer.tcp.counters.TCPAbortOnClose]).toEqual(["CLOSED", "closed", 1]);
  });

  dialogue("SHLD-3: text that arrives after the user has closed both ways is answered with a RST", (peer) => {
    const connection = peer.connect();
    connection.close();
    connection.closeRead();
    peer.expect({ flags: "FA", seq: 1 });
    peer.send({ flags: "PA", seq: 1, ack: 2, data: "late" });
    peer.expect({ flags: "R", seq: 2 });
    expect([connection.state, connection.error, peer.tcp.counters.TCPAbortOnData]).toEqual(["CLOSED", "ECONNRESET", 1]);
  });

  dialogue("text that comes a second time is no reason", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "text" });
    expect(readText(connection)).toBe("text");
    connection.close();
    connection.closeRead();
    peer.expect({ flags: "FA", seq: 1, ack: 5 });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "text" });
    peer.expect({ flags: "A", seq: 2, ack: 5 });
    expect(connection.state).toBe("FIN-WAIT-1");
  });

  dialogue("a user who only stops reading lets the peer finish, and throws its text away", (peer) => {
    const connection = peer.connect();
    connection.closeRead();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: octets(1460) });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 1461, window: 65535 });
    expect([connection.readableLength, connection.endOfStream, connection.state]).toEqual([0, true, "ESTABLISHED"]);
  });

  dialogue("a user who stops reading a full buffer opens the window", (peer) => {
    const connection = peer.connect({ receiveBuffer: 1000 });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: octets(1000) });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 1001, window: 0 });
    connection.closeRead();
    peer.expect({ flags: "A", ack: 1001, window: 1000 });
  });

  dialogue("MUST-13: unread text does not cut TIME-WAIT short", (peer) => {
    const connection = peer.reach("FIN-WAIT-2");
    peer.send({ flags: "FPA", seq: 1, ack: 2, data: "unread" });
    peer.expect({ flags: "A", seq: 2, ack: 8 });
    connection.closeRead();
    peer.expectNothing();
    expect([connection.state, connection.readableLength]).toEqual(["TIME-WAIT", 0]);
  });

  dialogue("nobody waits for ever in FIN-WAIT-2 for a connection that nobody holds", (peer) => {
    const connection = peer.reach("FIN-WAIT-2");
    peer.advance(1_000_000);
    expect(connection.state).toBe("FIN-WAIT-2");
    connection.closeRead();
    peer.advance(59_999);
    expect(connection.state).toBe("FIN-WAIT-2");
    peer.advance(1);
    expect(connection.state).toBe("CLOSED");
    // Whoever sends after that hears that it is too late.
    peer.send({ flags: "PA", seq: 1, ack: 2, data: "late" });
    peer.expect({ flags: "R", seq: 2 });
  });

  dialogue("the same when reading was closed before", (peer) => {
    const connection = peer.connect({ finWait2: 1000 });
    connection.closeRead();
    connection.close();
    peer.expect({ flags: "FA", seq: 1 });
    peer.send({ flags: "A", ack: 2 });
    expect(connection.state).toBe("FIN-WAIT-2");
    peer.advance(1000);
    expect(connection.state).toBe("CLOSED");
  });
});
