// A peer that obeys no rule: whatever it sends, nothing throws, nothing grows without bound, and the stack goes on serving.
import { randomBelow, SeededRandom } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import type { TcpConnection } from "../../src/index.ts";
import { octets, Peer, type PeerSegment, SEQUENCE_STARTS } from "./peer.ts";

const WORLDS = Number(process.env.NETSTRATA_WORLDS ?? 150);
const EVENTS = 400;
const STATES = [
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSE-WAIT",
  "CLOSING",
  "LAST-ACK",
  "TIME-WAIT",
] as const;
const FLAGS = ["", "A", "A", "A", "A", "PA", "FA", "F", "S", "SA", "R", "RA", "UA", "SFRPUA", "SF", "FR"];
/** Segments that one arriving segment may cause: what the windows let out, and no more. */
const MOST_ANSWERS = 250;

class HostilePeer {
  readonly peer: Peer;
  private readonly random: SeededRandom;
  private readonly connections: TcpConnection[] = [];

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.peer = new Peer(SEQUENCE_STARTS[seed % SEQUENCE_STARTS.length], { seed, receiveBuffer: 1 + this.below(100_000) });
    const first = this.peer.reach(STATES[this.below(STATES.length)], { keepAlive: this.below(2) === 0, keepAliveIdle: 5000 });
    this.connections.push(first);
    if (this.peer.listener === undefined) this.peer.listen({ backlog: 3 });
  }

  /** One thing happens: a segment, some time, or a call of the user. */
  step(): void {
    const { peer } = this;
    const kind = this.below(10);
    if (kind < 7) peer.send(this.segment());
    else if (kind === 7) peer.advance(this.below(this.below(20) === 0 ? 100_000 : 500));
    else this.userCall();
    const accepted = peer.listener?.accept();
    if (accepted !== undefined) this.connections.push(accepted);
    expect(peer.takeAll().length).toBeLessThan(MOST_ANSWERS);
  }

  private segment(): PeerSegment {
    const edge = (near: number): number =>
      [near, near - 1, near + 1, near + this.below(70_000), near - this.below(70_000), this.random.uint32()][this.below(6)];
    const options = new Uint8Array(4 * this.below(11));
    for (let index = 0; index < options.length; index += 1) options[index] = this.below(3) === 0 ? this.below(12) : this.random.uint32();
    return {
      flags: FLAGS[this.below(FLAGS.length)],
      seq: edge(this.peer.seq),
      ack: edge(this.peer.ack),
      window: this.below(3) === 0 ? 0 : this.below(65536),
      urgent: this.below(65536),
      data: octets([0, 0, 1, 1 + this.below(1400)][this.below(4)]),
      options,
      port: this.below(4) === 0 ? 5000 + this.below(10) : this.peer.port,
    };
  }

  private userCall(): void {
    const connection = this.connections[this.below(this.connections.length)];
    const calls: (() => unknown)[] = [
      () => connection.send(octets(this.below(5000))),
      () => connection.send(octets(this.below(5000))),
      () => connection.sendUrgent(octets(this.below(10))),
      () => connection.receive(1 + this.below(3000)),
      () => connection.receive(),
      () => connection.info(),
      () => this.below(10) === 0 && connection.close(),
      () => this.below(20) === 0 && connection.closeRead(),
      () => this.below(40) === 0 && connection.abort(),
      () => connection.set({ receiveBuffer: 1 + this.below(50_000), noDelay: this.below(2) === 0 }),
    ];
    calls[this.below(calls.length)]();
  }

  /** It still serves somebody who behaves. */
  isServing(): boolean {
    const { peer } = this;
    peer.takeAll();
    peer.advance(2000);
    peer.takeAll();
    for (let port = 7000; port < 7010; port += 1) {
      peer.transmit(peer.packet({ flags: "S", seq: 0, port, localPort: 80 }));
      const answer = peer.takeAll().find((segment) => segment.port === port);
      if (answer?.flags === "SA") return true;
      // Half-open connections of the others make room once they have let a SYN,ACK be repeated.
      peer.advance(1500);
    }
    return false;
  }

  private below(bound: number): number {
    return randomBelow(this.random, bound);
  }
}

describe("a peer that obeys no rule", () => {
  test(`${WORLDS} worlds of ${EVENTS} events each`, { timeout: 600_000 }, () => {
    const failures: string[] = [];
    for (let seed = 1; seed <= WORLDS; seed += 1) {
      try {
        const hostile = new HostilePeer(seed);
        for (let event = 0; event < EVENTS; event += 1) hostile.step();
        if (!hostile.isServing()) failures.push(`seed ${seed}: does not serve any more`);
        hostile.peer.takeAll();
        hostile.peer.tcp.close();
        hostile.peer.advance(1);
        const { armedTimers } = hostile.peer.clock;
        if (armedTimers + hostile.peer.tcp.connectionCount > 0) failures.push(`seed ${seed}: ${armedTimers} timers left`);
      } catch (error) {
        failures.push(`seed ${seed}: ${(error as Error).stack}`);
      }
    }
    expect(failures).toEqual([]);
  });
});
