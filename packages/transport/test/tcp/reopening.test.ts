// A new SYN for a connection in TIME-WAIT (RFC 9293 §3.6.1, RFC 1122 §4.2.2.13, RFC 6191).
import { describe, expect } from "vitest";
import type { TcpOptions } from "../../src/index.ts";
import { dialogue, type Peer, type PeerOptions } from "./peer.ts";

function timeWait(peer: Peer): void {
  peer.listen();
  peer.reach("TIME-WAIT");
  // The peer's FIN was its number 1, so it goes on at 2.
}

dialogue("MAY-2: a SYN beyond all that was received opens the connection anew, with numbers beyond the former one's", (peer) => {
  timeWait(peer);
  peer.send({ flags: "S", seq: 70_000 });
  const answer = peer.expect({ flags: "SA", ack: 70_001 });
  expect(answer.seq).toBeGreaterThan(2);
  peer.send({ flags: "A", seq: 70_001, ack: answer.seq + 1 });
  expect(peer.accepted().state).toBe("ESTABLISHED");
  expect(peer.tcp.connectionCount).toBe(1);
});

dialogue("MAY-2: an old SYN is answered with an ACK, and TIME-WAIT goes on", (peer) => {
  timeWait(peer);
  peer.send({ flags: "S", seq: -5000, ack: 0 });
  peer.expect({ flags: "A", seq: 2, ack: 2 });
  expect(peer.transitions.at(-1)).toBe("FIN-WAIT-2 → TIME-WAIT");
});

dialogue("MAY-2: without a listener TIME-WAIT stays as it is", (peer) => {
  timeWait(peer);
  peer.listener?.close();
  peer.send({ flags: "S", seq: 70_000 });
  expect(peer.transitions.at(-1)).toBe("FIN-WAIT-2 → TIME-WAIT");
  peer.takeAll();
});

dialogue(
  'timeWaitReuse: "never": a SYN beyond all that was received is answered with an ACK',
  (peer) => {
    timeWait(peer);
    peer.send({ flags: "S", seq: 70_000 });
    peer.expect({ flags: "A", seq: 2, ack: 2 });
    expect(peer.transitions.at(-1)).toBe("FIN-WAIT-2 → TIME-WAIT");
  },
  { timeWaitReuse: "never" },
);

describe("RFC 6191 §2: with timestamps in the old connection", () => {
  const at = (value: number, echoReply = 0): TcpOptions => ({ timestamps: { value, echoReply } });

  /** TS.Recent of the connection in TIME-WAIT is 900, its RCV.NXT 2. */
  function timeWaitWithTimestamps(peer: Peer): void {
    peer.listen();
    peer.send({ flags: "S", seq: 0, options: at(500) });
    peer.expect({ flags: "SA" });
    peer.send({ flags: "A", seq: 1, ack: 1, options: at(600) });
    peer.accepted().close();
    peer.expect({ flags: "FA" });
    peer.send({ flags: "FA", seq: 1, ack: 2, options: at(900) });
    peer.expect({ flags: "A", ack: 2 });
    expect(peer.transitions.at(-1)).toBe("FIN-WAIT-2 → TIME-WAIT");
  }

  const cases: readonly [title: string, seq: number, value: number | undefined, reopens: boolean][] = [
    ["a newer timestamp reopens it, whatever the number", -5000, 901, true],
    ["the same timestamp and a number beyond reopen it", 70_000, 900, true],
    ["the same timestamp and an older number do not", -5000, 900, false],
    ["an older timestamp does not, whatever the number", 70_000, 899, false],
    ["without timestamps a number beyond reopens it", 70_000, undefined, true],
    ["without timestamps an older number does not", -5000, undefined, false],
  ];
  for (const [title, seq, value, reopens] of cases) {
    dialogue(title, (peer) => {
      timeWaitWithTimestamps(peer);
      peer.send({ flags: "S", seq, options: value === undefined ? {} : at(value) });
      const answers = peer.takeAll();
      expect(answers.map(({ flags }) => flags)).toEqual([reopens ? "SA" : "A"]);
      expect(peer.transitions.at(-1)).toBe(reopens ? "CLOSED → SYN-RECEIVED" : "FIN-WAIT-2 → TIME-WAIT");
      expect(peer.tcp.counters.PAWSTimewait).toBe(value === 899 ? 1 : 0);
    });
  }

  dialogue("without them in the old one, a SYN that has them reopens it", (peer) => {
    timeWait(peer);
    peer.send({ flags: "S", seq: -5000, options: at(5) });
    peer.expect({ flags: "SA" });
  });
});

describe("opening from a port whose last connection lingers", () => {
  const ALWAYS: PeerOptions = { timeWaitReuse: "always" };

  /** The stack opens from port 4444 and closes first. */
  function lingering(peer: Peer, timestamps: boolean): void {
    const connection = peer.open({ local: { port: 4444 } });
    peer.expect({ flags: "S" });
    const options = (value: number): TcpOptions => (timestamps ? { timestamps: { value, echoReply: 0 } } : {});
    peer.send({ flags: "SA", seq: 0, ack: 1, options: options(500) });
    peer.expect({ flags: "A" });
    connection.close();
    peer.expect({ flags: "FA" });
    peer.send({ flags: "FA", seq: 1, ack: 2, options: options(600) });
    peer.expect({ flags: "A", ack: 2 });
    expect(connection.state).toBe("TIME-WAIT");
  }

  const again = (peer: Peer): unknown => peer.tcp.open({ address: peer.address, port: peer.port }, {}, { local: { port: 4444 } });

  dialogue("is refused", (peer) => {
    lingering(peer, true);
    peer.advance(5000);
    expect(again(peer)).toBe("EADDRINUSE");
  });

  dialogue(
    'timeWaitReuse: "always": is allowed a second after the last segment, when the peer can tell them by their timestamps',
    (peer) => {
      lingering(peer, true);
      peer.advance(999);
      expect(again(peer)).toBe("EADDRINUSE");
      peer.advance(1);
      expect(again(peer)).toBeTypeOf("object");
      // Beyond the former connection's numbers.
      expect(peer.expect({ flags: "S" }).seq).toBeGreaterThan(2);
      expect(peer.tcp.connectionCount).toBe(1);
    },
    ALWAYS,
  );

  dialogue(
    "not without timestamps",
    (peer) => {
      lingering(peer, false);
      peer.advance(5000);
      expect(again(peer)).toBe("EADDRINUSE");
    },
    ALWAYS,
  );
});
