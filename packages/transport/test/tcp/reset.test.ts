// Resets, half-open connections and blind attacks (RFC 9293 §3.5, §3.5.1 to §3.5.3; RFC 5961).
import { describe, expect } from "vitest";
import { DEFAULT_TCP_OPTIONS } from "../../src/index.ts";
import { dialogue, octets, readText } from "./peer.ts";

describe("old duplicates and half-open connections", () => {
  dialogue("an old duplicate SYN at a listener is undone by the peer's RST (Figure 8)", (peer) => {
    peer.listen();
    peer.send({ flags: "S", seq: -1000 });
    peer.expect({ flags: "SA", seq: 0, ack: -999 });
    // The peer did not send it lately, and says so.
    peer.send({ flags: "R", seq: -999 });
    expect(peer.tcp.connectionCount).toBe(0);
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SA", seq: 0, ack: 1 });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    expect(peer.accepted().state).toBe("ESTABLISHED");
  });

  dialogue("a peer that has crashed opens again: our ACK makes it reset us, then it succeeds (Figure 9)", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "S", seq: 100 });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    peer.send({ flags: "R", seq: 1 });
    expect([connection.state, connection.error]).toEqual(["CLOSED", "ECONNRESET"]);
    peer.send({ flags: "S", seq: 100 });
    peer.expect({ flags: "SA", seq: 0, ack: 101 });
  });

  dialogue("we send to a peer that has crashed: its RST ends the connection (Figure 10)", (peer) => {
    const connection = peer.connect();
    connection.send(octets(10));
    peer.expect({ flags: "PA", seq: 1, ack: 1, data: 10 });
    peer.send({ flags: "R", seq: 1 });
    expect(connection.error).toBe("ECONNRESET");
    peer.expectNothing(100_000);
  });

  dialogue("we have crashed: the peer's text is answered with a RST that it will accept", (peer) => {
    peer.send({ flags: "PA", seq: 1, ack: 500, data: 10 });
    peer.expect({ flags: "R", seq: 500 });
  });

  dialogue("an old duplicate SYN,ACK is answered with a RST, and the attempt goes on (§3.10.7.3)", (peer) => {
    const connection = peer.open();
    peer.expect({ flags: "S", seq: 0 });
    peer.send({ flags: "SA", seq: -1000, ack: -99 });
    peer.expect({ flags: "R", seq: -99 });
    peer.send({ flags: "SA", seq: 0, ack: 1 });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    expect(connection.state).toBe("ESTABLISHED");
  });
});

describe("what a RST may carry", () => {
  dialogue("SHLD-2: text, which says why", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "RA", seq: 1, ack: 1, data: "no more" });
    expect([connection.state, connection.error, connection.readableLength]).toEqual(["CLOSED", "ECONNRESET", 0]);
  });

  dialogue("text that was received before it can still be read", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "last words" });
    peer.send({ flags: "R", seq: 11 });
    expect([connection.error, readText(connection), connection.endOfStream]).toEqual(["ECONNRESET", "last words", false]);
  });
});

describe("MUST-66: with a closed window", () => {
  dialogue("MUST-66: a RST ends the connection, and urgent data is announced", (peer) => {
    const connection = peer.connect({ receiveBuffer: 4 });
    peer.send({ flags: "PA", seq: 1, ack: 1, data: "full" });
    peer.advance(40);
    peer.expect({ flags: "A", ack: 5, window: 0 });
    peer.send({ flags: "UA", seq: 5, ack: 1, urgent: 7 });
    expect([peer.told.at(-1), connection.urgentLength]).toEqual(["urgent", 11]);
    peer.send({ flags: "UPA", seq: 5, ack: 1, urgent: 9, data: "x" });
    peer.expect({ flags: "A", ack: 5, window: 0 });
    expect([connection.urgentLength, connection.readableLength]).toEqual([13, 4]);
    peer.send({ flags: "R", seq: 5 });
    expect(connection.error).toBe("ECONNRESET");
  });
});

describe("blind attacks", () => {
  dialogue("RFC 5961 §3.2: a RST counts by its own number, not by where its text reaches", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "R", seq: -1000, data: octets(1400) });
    peer.expectNothing();
    expect([connection.state, peer.tcp.drops.counters["reset-out-of-window"]]).toEqual(["ESTABLISHED", 1]);
  });

  dialogue("RFC 5961 §3.2: a true peer answers the challenge with a RST that fits", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "R", seq: 500 });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    peer.send({ flags: "R", seq: 1 });
    expect(connection.state).toBe("CLOSED");
  });

  dialogue("RFC 5961 §7: challenges are throttled, for each connection by itself", (peer) => {
    const connection = peer.connect();
    for (let index = 0; index < 100; index += 1) peer.send({ flags: "R", seq: 2 + index });
    expect(peer.takeAll()).toHaveLength(DEFAULT_TCP_OPTIONS.challengeAcks);
    expect(peer.tcp.counters).toMatchObject({
      TCPChallengeACK: DEFAULT_TCP_OPTIONS.challengeAcks,
      TCPACKSkippedChallenge: 100 - DEFAULT_TCP_OPTIONS.challengeAcks,
    });
    peer.send({ flags: "S", seq: 0, port: 5001 });
    peer.expect({ flags: "SA", port: 5001 });
    peer.send({ flags: "A", seq: 1, ack: 1, port: 5001 });
    peer.send({ flags: "R", seq: 9, port: 5001 });
    peer.expect({ flags: "A", port: 5001 });
    peer.advance(1000);
    peer.send({ flags: "R", seq: 2 });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    expect(connection.state).toBe("ESTABLISHED");
  });

  dialogue(
    "answers to empty segments outside the window are throttled, so that two ends out of step do not answer each other for ever",
    (peer) => {
      peer.connect();
      for (let index = 0; index < 100; index += 1) peer.send({ flags: "A", seq: -5, ack: 1 });
      expect(peer.takeAll()).toHaveLength(DEFAULT_TCP_OPTIONS.challengeAcks);
      expect(peer.tcp.counters.TCPACKSkippedSeq).toBe(100 - DEFAULT_TCP_OPTIONS.challengeAcks);
    },
  );

  dialogue("MAY-12: RFC 5961 §5: text in the window with an ACK from nowhere is not taken", (peer) => {
    const connection = peer.connect();
    peer.send({ flags: "PA", seq: 1, ack: 1 - 65536, data: "forged" });
    peer.expect({ flags: "A", seq: 1, ack: 1 });
    expect(connection.readableLength).toBe(0);
  });
});

dialogue(
  "RFC 5961 §7: all connections together have a limit, too, which is another one each second",
  (peer) => {
    const answered = (): number => {
      let count = 0;
      for (let port = 6001; port <= 6060; port += 1) {
        peer.send({ flags: "R", seq: 100, port });
        count += peer.takeAll().length;
      }
      peer.advance(1000);
      return count;
    };
    peer.listen();
    for (let port = 6001; port <= 6060; port += 1) {
      peer.send({ flags: "S", seq: 0, port });
      peer.expect({ flags: "SA" });
      peer.send({ flags: "A", seq: 1, ack: 1, port });
    }
    const seconds = [1, 2, 3, 4, 5].map(answered);
    for (const count of seconds) {
      expect(count).toBeGreaterThanOrEqual(10);
      expect(count).toBeLessThan(30);
    }
    expect(new Set(seconds).size).toBeGreaterThan(1);
    expect(peer.tcp.counters.TCPACKSkippedChallenge).toBe(300 - seconds.reduce((sum, count) => sum + count));
    peer.tcp.close();
    peer.takeAll();
  },
  { challengeAcksPerSecond: 20 },
);

dialogue(
  "linux: one challenge in half a second",
  (peer) => {
    peer.connect();
    for (const answers of [1, 0]) {
      peer.send({ flags: "R", seq: 100 });
      expect(peer.takeAll().length).toBe(answers);
    }
    peer.advance(500);
    peer.send({ flags: "R", seq: 100 });
    expect(peer.takeAll().length).toBe(1);
  },
  { personality: "linux" },
);
