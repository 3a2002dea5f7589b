// Accurate ECN (RFC 9768): the handshake with every way back, counters there and back, the option and what strips it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccurateEcnOption, TcpConnection } from "../../src/index.ts";
import { newMarks } from "../../src/tcp/ecn/ace.ts";
import { dialogue, type Peer, type PeerOptions } from "./peer.ts";

const NOT_ECT = 0;
const ECT_1 = 1;
const ECT_0 = 2;
const CE = 3;
const MSS = 1460;

/** The ACE field as letters: AE is N, CWR is C, ECE is E. */
function ace(value: number): string {
  return `${value & 1 ? "E" : ""}${value & 2 ? "C" : ""}${value & 4 ? "N" : ""}`;
}

/** EE1B, ECEB, EE0B: as we send them. */
function octets(ect1: number, ce: number, ect0: number): AccurateEcnOption {
  return { order: 1, counters: [ect1, ce, ect0] };
}

const SYN_OPTIONS = { maximumSegmentSize: MSS, sackPermitted: true };

/** An established connection that the peer opened; our SYN,ACK had the option, and the peer's acknowledgment of it has too. */
function accepted(peer: Peer, options: PeerOptions = {}): TcpConnection {
  peer.listen({ ecn: "accurate", ...options });
  peer.send({ flags: "SECN", seq: 0, options: SYN_OPTIONS });
  peer.expect({ flags: `S${ace(0b010)}A`, seq: 0, ack: 1, trafficClass: NOT_ECT });
  const withOption = options.accurateEcnOption === false ? {} : { accurateEcn: octets(1, 0, 1) };
  peer.send({ flags: `${ace(0b010)}A`, seq: 1, ack: 1, trafficClass: ECT_0, options: withOption });
  return peer.accepted();
}

describe("the handshake", () => {
  dialogue("RFC 9768 §3.1.2: a SYN with all three flags is answered by a reflection of its field, and the option", (peer) => {
    peer.listen({ ecn: "accurate" });
    peer.send({ flags: "SECN", seq: 0, options: SYN_OPTIONS });
    const answer = peer.expect({ flags: "SCA", seq: 0, ack: 1 });
    expect(answer.options.accurateEcn).toEqual(octets(1, 0, 1));
  });

  for (const [field, reflection] of [
    [NOT_ECT, 0b010],
    [ECT_1, 0b011],
    [ECT_0, 0b100],
    [CE, 0b110],
  ]) {
    dialogue(`RFC 9768 §3.2.2.1 table 3: field ${field} of the SYN comes back as ${reflection}`, (peer) => {
      peer.listen({ ecn: "accurate" });
      peer.send({ flags: "SECN", seq: 0, trafficClass: field });
      peer.expect({ flags: `S${ace(reflection)}A`, seq: 0, ack: 1 });
    });

    dialogue(`RFC 9768 §3.2.2.1 table 3: field ${field} of the SYN,ACK comes back in the acknowledgment as ${reflection}`, (peer) => {
      const connection = peer.open({ ecn: "accurate" });
      peer.expect({ flags: "SECN", seq: 0, trafficClass: NOT_ECT });
      peer.send({ flags: "SCA", seq: 0, ack: 1, trafficClass: field, options: { accurateEcn: octets(1, 0, 1) } });
      const acknowledgment = peer.expect({ flags: `${ace(reflection)}A`, seq: 1, ack: 1, trafficClass: ECT_0 });
      expect(acknowledgment.options.accurateEcn).toEqual(octets(1, 0, 1));
      // From then on it counts, a mark on the SYN,ACK with it.
      connection.send(new Uint8Array(10));
      peer.expect({ flags: `P${ace(field === CE ? 6 : 5)}A`, data: 10, trafficClass: ECT_0 });
      // The SYN,ACK comes again: what was lost may be the acknowledgment that said so.
      peer.send({ flags: "SCA", seq: 0, ack: 1, trafficClass: field });
      peer.expect({ flags: `${ace(reflection)}A`, ack: 1 });
    });
  }

  const CLIENT: readonly (readonly [number, "none" | "classic" | "accurate"])[] = [
    [0b000, "none"],
    [0b001, "classic"],
    [0b010, "accurate"],
    [0b101, "accurate"],
    [0b111, "none"],
  ];
  for (const [value, agreed] of CLIENT) {
    dialogue(`RFC 9768 §3.1.2 table 2: a SYN,ACK that says ${value} means ${agreed}`, (peer) => {
      const connection = peer.open({ ecn: "accurate" });
      peer.expect({ flags: "SECN" });
      peer.send({ flags: `S${ace(value)}A`, seq: 0, ack: 1 });
      peer.takeAll();
      connection.send(new Uint8Array(10));
      const counts = agreed === "accurate" ? ace(5) : "";
      peer.expect({ flags: `P${counts}A`, data: 10, trafficClass: agreed === "none" ? NOT_ECT : ECT_0 });
      peer.send({ flags: "A", data: 10, ack: 11, trafficClass: CE });
      peer.advance(100);
      peer.expect({ flags: `${agreed === "accurate" ? ace(6) : agreed === "classic" ? "E" : ""}A`, ack: 11 });
    });
  }

  for (const [mode, flags, answer] of [
    ["accurate", "", ""],
    ["accurate", "EC", "E"],
    // RFC 9768 §3.1.2: what has no meaning yet is taken for Accurate ECN.
    ["accurate", "N", "C"],
    ["accurate", "EN", "C"],
    ["on", "ECN", "E"],
    ["on", "N", ""],
    ["accurate-answer", "ECN", "C"],
    ["accurate-passive", "ECN", "C"],
    ["passive", "ECN", "E"],
    ["off", "ECN", ""],
  ] as const) {
    dialogue(`RFC 9768 §3.1.2: "${mode}" answers a SYN with "${flags}" by "${answer}"`, (peer) => {
      peer.listen({ ecn: mode });
      peer.send({ flags: `S${flags}`, seq: 0 });
      peer.expect({ flags: `S${answer}A`, seq: 0, ack: 1 });
    });
  }

  for (const [mode, flags] of [
    ["accurate-answer", "EC"],
    ["accurate-passive", ""],
    ["off", ""],
  ] as const) {
    dialogue(`"${mode}" asks by "${flags}"`, (peer) => {
      peer.open({ ecn: mode });
      peer.expect({ flags: `S${flags}`, seq: 0 });
    });
  }

  dialogue("RFC 9768 §3.1.4.1: the first retransmission of the SYN still asks, the second does not", (peer) => {
    peer.open({ ecn: "accurate" });
    peer.expect({ flags: "SECN", seq: 0 });
    peer.advance(1000);
    peer.expect({ flags: "SECN", seq: 0 });
    peer.advance(2000);
    peer.expect({ flags: "S", seq: 0 });
  });

  dialogue("RFC 9768 §3.2.3.2.2: the SYN,ACK is sent again first without the option, then without the flags", (peer) => {
    peer.listen({ ecn: "accurate" });
    peer.send({ flags: "SECN", seq: 0 });
    expect(peer.expect({ flags: "SCA", seq: 0 }).options.accurateEcn).toBeDefined();
    peer.advance(1000);
    expect(peer.expect({ flags: "SCA", seq: 0 }).options.accurateEcn).toBeUndefined();
    peer.advance(2000);
    peer.expect({ flags: "SA", seq: 0 });
  });

  dialogue("RFC 9768 §3.1.5: a peer whose SYN asks no more is answered as before, but nothing is marked", (peer) => {
    peer.listen({ ecn: "accurate" });
    peer.send({ flags: "SECN", seq: 0 });
    peer.expect({ flags: "SCA", seq: 0 });
    peer.send({ flags: "S", seq: 0 });
    peer.expect({ flags: "SCA", seq: 0 });
    peer.send({ flags: "CA", seq: 1, ack: 1, options: { accurateEcn: octets(1, 0, 1) } });
    peer.accepted().send(new Uint8Array(10));
    peer.expect({ flags: `P${ace(5)}A`, data: 10, trafficClass: NOT_ECT });
  });

  dialogue("RFC 9768 §3.2.2.1: an acknowledgment of the SYN,ACK that says 0 went past somebody who clears flags", (peer) => {
    peer.listen({ ecn: "accurate" });
    peer.send({ flags: "SECN", seq: 0 });
    peer.expect({ flags: "SCA", seq: 0 });
    peer.send({ flags: "A", seq: 1, ack: 1 });
    peer.accepted().send(new Uint8Array(10));
    peer.expect({ flags: `P${ace(5)}A`, data: 10, trafficClass: NOT_ECT });
  });

  for (const fallback of [true, false]) {
    dialogue(`RFC 9768 §3.2.2.3: a SYN,ACK that arrived as marked although it could not be; with fallback ${fallback}`, (peer) => {
      peer.listen({ ecn: "accurate", ecnFallback: fallback });
      peer.send({ flags: "SECN", seq: 0 });
      peer.expect({ flags: "SCA", seq: 0 });
      peer.send({ flags: `${ace(0b110)}A`, seq: 1, ack: 1 });
      const connection = peer.accepted();
      connection.send(new Uint8Array(10));
      peer.expect({ flags: `P${ace(5)}A`, data: 10, trafficClass: fallback ? NOT_ECT : ECT_0 });
    });
  }
});

describe("the receiver's counters", () => {
  dialogue("RFC 9768 §3.2.2: ACE counts marked packets modulo 8, and the option octets by field", (peer) => {
    accepted(peer);
    const steps = [
      [CE, 6, octets(1, 100, 1)],
      [ECT_0, 6, octets(1, 100, 101)],
      [CE, 7, octets(1, 200, 101)],
      [ECT_1, 7, octets(101, 200, 101)],
      [CE, 0, octets(101, 300, 101)],
      [NOT_ECT, 0, octets(101, 300, 101)],
      [CE, 1, octets(101, 400, 101)],
    ] as const;
    for (const [field, count, option] of steps) {
      peer.send({ flags: `P${ace(5)}A`, data: 100, trafficClass: field, options: { accurateEcn: octets(1, 0, 1) } });
      peer.advance(100);
      const acknowledgment = peer.expect({ flags: `${ace(count)}A`, trafficClass: ECT_0 });
      expect(acknowledgment.options.accurateEcn).toEqual(option);
    }
  });

  dialogue("RFC 9768 §3.2.2.5.1: marks that begin are acknowledged at once, and every second one after", (peer) => {
    accepted(peer);
    const mark = (): void => peer.send({ flags: `${ace(5)}A`, data: 10, trafficClass: CE });
    mark();
    peer.expect({ flags: `${ace(6)}A`, ack: 11 });
    mark();
    peer.expectNothing();
    mark();
    peer.expect({ flags: `${ace(0)}A`, ack: 31 });
  });

  dialogue("RFC 9768 §3.2.2.5.1: of marked acknowledgments every third is, so that two ends do not answer each other for ever", (peer) => {
    accepted(peer);
    for (let count = 0; count < 2; count += 1) peer.send({ flags: `${ace(5)}A`, trafficClass: CE });
    peer.expectNothing(1000);
    peer.send({ flags: `${ace(5)}A`, trafficClass: CE });
    peer.expect({ flags: `${ace(0)}A` });
  });

  dialogue("RFC 9768 §3.2.3.3: SACK blocks make room for the option, but two stay; else it is left out", (peer) => {
    accepted(peer);
    const blocksAfter = (at: number, field: number): [number, AccurateEcnOption | undefined] => {
      peer.send({ flags: `${ace(5)}A`, seq: at, data: 10, trafficClass: field });
      const [acknowledgment] = peer.takeAll();
      return [acknowledgment.options.sackBlocks?.length ?? 0, acknowledgment.options.accurateEcn];
    };
    expect(blocksAfter(101, ECT_0)).toEqual([1, octets(1, 0, 11)]);
    expect(blocksAfter(201, ECT_0)).toEqual([2, octets(1, 0, 21)]);
    expect(blocksAfter(301, ECT_0)).toEqual([3, octets(1, 0, 31)]);
    // Four blocks would take 36 octets.
    expect(blocksAfter(401, ECT_0)).toEqual([3, octets(1, 0, 41)]);
  });

  dialogue("the option can be switched off, and is not sent to a peer that never sends it (RFC 9768 §3.2.3.2)", (peer) => {
    accepted(peer, { accurateEcnOption: false });
    peer.send({ flags: `${ace(5)}A`, data: 100, trafficClass: CE });
    expect(peer.expect({ flags: `${ace(6)}A` }).options.accurateEcn).toBeUndefined();
  });

  dialogue("RFC 9768 §3.2.3.2: what strips the option from the handshake is believed until one comes through", (peer) => {
    peer.listen({ ecn: "accurate" });
    peer.send({ flags: "SECN", seq: 0, options: SYN_OPTIONS });
    peer.expect({ flags: "SCA" });
    peer.send({ flags: "CA", seq: 1, ack: 1 });
    const connection = peer.accepted();
    connection.send(new Uint8Array(3 * MSS));
    expect(peer.takeAll().map(({ text, options }) => [text.length, options.accurateEcn])).toEqual(new Array(3).fill([MSS, undefined]));
    peer.ack = 1 + 3 * MSS;
    peer.send({ flags: `${ace(5)}A`, options: { accurateEcn: octets(1, 0, 1) } });
    connection.send(new Uint8Array(2 * MSS));
    // From now on text makes room for it.
    expect(peer.takeAll()[0]).toMatchObject({ text: { length: MSS - 12 }, options: { accurateEcn: octets(1, 0, 1) } });
  });

  dialogue(
    "RFC 9768 §3.2.3.2.5: text that comes a third time shows that our acknowledgments, with the option, do not get through",
    (peer) => {
      accepted(peer);
      const seen: boolean[] = [];
      for (let count = 0; count < 4; count += 1) {
        peer.send({ flags: `P${ace(5)}A`, seq: 1, data: 100, trafficClass: ECT_0 });
        peer.advance(100);
        seen.push(peer.takeAll()[0].options.accurateEcn !== undefined);
      }
      expect(seen).toEqual([true, true, false, false]);
    },
  );
});

describe("the sender's answer", () => {
  /** Ten segments are out. */
  function sending(peer: Peer, options: PeerOptions = {}): TcpConnection {
    const connection = accepted(peer, options);
    connection.send(new Uint8Array(40 * MSS));
    expect(peer.takeAll().every(({ trafficClass }) => trafficClass === ECT_0)).toBe(true);
    return connection;
  }

  dialogue("RFC 9768 §3.3: the window shrinks once a round trip, however many marks are reported", (peer) => {
    const connection = sending(peer);
    const { congestionWindow } = connection.info();
    peer.send({ flags: `${ace(6)}A`, ack: 1 + MSS - 12, options: { accurateEcn: octets(1, MSS - 12, 1) } });
    const reduced = connection.info().congestionWindow;
    expect(reduced).toBeLessThan(congestionWindow);
    peer.send({ flags: `${ace(0)}A`, ack: 1 + 3 * (MSS - 12), options: { accurateEcn: octets(1, 3 * (MSS - 12), 1) } });
    expect(connection.info().congestionWindow).toBe(reduced);
    peer.takeAll();
  });

  dialogue("RFC 9768 §3.2.2.5.2: an acknowledgment without anything new says nothing: it may be an old one", (peer) => {
    const connection = sending(peer);
    const { congestionWindow } = connection.info();
    peer.send({ flags: `${ace(6)}A`, ack: 1, options: { accurateEcn: octets(1, 1000, 1) } });
    expect(connection.info().congestionWindow).toBe(congestionWindow);
    peer.takeAll();
  });

  dialogue("RFC 9768 appendix A.2: of more packets than ACE can count, what the option rules out has not happened", (peer) => {
    const length = 10 * (MSS - 12);
    const connection = sending(peer);
    const { congestionWindow } = connection.info();
    // ACE has not moved, or by eight; no octet was marked.
    peer.send({ flags: `${ace(5)}A`, ack: 1 + length, options: { accurateEcn: octets(1, 0, 1 + length) } });
    expect(connection.info().congestionWindow).toBeGreaterThanOrEqual(congestionWindow);
    peer.takeAll();
  });

  for (const [packets, believed] of [
    [1, "the worse case counts"],
    [9, "the better case counts where acknowledgments cover many packets as a rule"],
  ] as const) {
    dialogue(`RFC 9768 appendix A.2: without the option ${believed}`, (peer) => {
      const connection = sending(peer, { accurateEcnOption: false });
      peer.send({ flags: `${ace(5)}A`, ack: 1 + packets * MSS });
      const { length } = peer.takeAll();
      const { congestionWindow } = connection.info();
      // All the others at once: eight or more, so that eight marks would look like none.
      expect(10 - packets + length).toBeGreaterThanOrEqual(9);
      peer.send({ flags: `${ace(5)}A`, ack: 1 + (10 + length) * MSS });
      if (packets === 1) expect(connection.info().congestionWindow).toBeLessThan(congestionWindow);
      else expect(connection.info().congestionWindow).toBeGreaterThanOrEqual(congestionWindow);
      peer.takeAll();
    });
  }

  dialogue("marks that exceed all that was sent are not believed: a reflection of the handshake that comes late", (peer) => {
    peer.listen({ ecn: "accurate", timestamps: true });
    peer.send({ flags: "SECN", seq: 0, options: { ...SYN_OPTIONS, timestamps: { value: 1, echoReply: 0 } } });
    const echoReply = peer.expect({ flags: "SCA", seq: 0 }).options.timestamps?.value ?? 0;
    const reflect = (value: number): void => peer.send({ flags: "CA", seq: 1, ack: 1, options: { timestamps: { value, echoReply } } });
    reflect(2);
    const connection = peer.accepted();
    const { congestionWindow } = connection.info();
    reflect(3);
    expect(connection.info().congestionWindow).toBe(congestionWindow);
  });

  dialogue("what is sent again is ECN-capable too, and after a timeout has no option (RFC 8311 §4.3, RFC 9768 §3.2.3.2.5)", (peer) => {
    const connection = accepted(peer, { sack: false });
    connection.send(new Uint8Array(100));
    expect(peer.expect({ flags: `P${ace(5)}A`, data: 100, trafficClass: ECT_0 }).options.accurateEcn).toBeDefined();
    peer.advance(1100);
    expect(peer.expect({ flags: `P${ace(5)}A`, data: 100, trafficClass: ECT_0 }).options.accurateEcn).toBeUndefined();
  });
});

test("RFC 9768 appendix A.2: the counter is decoded as the least and the most that it can mean", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(100), fc.nat(100), (known, packets, fresh) => {
      const marks = Math.min(fresh, packets);
      const { least, most } = newMarks((5 + known + marks) & 7, known, packets);
      expect(least).toBeLessThanOrEqual(marks);
      expect(most).toBeGreaterThanOrEqual(marks);
      expect((marks - least) % 8).toBe(0);
      expect((most - marks) % 8).toBe(0);
      expect(most).toBeLessThanOrEqual(Math.max(packets, 7));
    }),
  );
});
