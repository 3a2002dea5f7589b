// A host and around it nobody but attackers, whose every frame is followed by a look at what the host has made of it.
import { type IpAddress, ip, prefix, SeededRandom } from "@netstrata/core";
import type { TcpConnection } from "@netstrata/transport";
import type { EchoClient } from "../src/index.ts";
import { AttackedHost, OWN_ADDRESSES } from "./attacked-host.ts";
import { judgeFrame } from "./frame-judge.ts";
import { HonestNeighbour } from "./honest-neighbour.ts";
import { Chance } from "./hostile-chance.ts";
import { HostileDatagrams } from "./hostile-datagrams.ts";
import { HostileFrames } from "./hostile-frames.ts";

const NEIGHBOURS = ["192.0.2.2", "192.0.2.3", "198.51.100.2", "203.0.113.2", "192.0.2.254", "8.8.8.8"];
const SPECIAL = [
  ...["192.0.2.255", "192.0.2.0", "198.51.100.255", "203.0.113.255", "255.255.255.255", "0.0.0.0", "0.1.2.3"],
  ...["127.0.0.1", "127.1.2.3", "224.0.0.1", "239.1.2.3", "240.0.0.1", "169.254.1.1"],
];
/** To whom the host's user speaks: to itself, to those who may answer, to those who are not there. */
const PEERS = [...OWN_ADDRESSES, ...NEIGHBOURS, "192.0.2.77", "198.51.100.77", "203.0.113.77"];
const LARGEST_ECHO = 3000;
const OPEN_CONNECTIONS = 10;

/** Octets that the narrowest path takes in one fragment: an error may say, true or not, that a path has an MTU of 68. */
const LEAST_IN_A_FRAGMENT = 48;
const LONGEST_FRAME = 1600;
/** Octets that a connection has to send: after an error about its path MTU they go out again at once. */
const TEXT = 100;

export class HostileWorld {
  readonly host: AttackedHost;
  /** Frames that came, and calls of the user. */
  events = 0;
  /** Frames that the host sent. */
  outputs = 0;
  private readonly chance: Chance;
  private readonly datagrams: HostileDatagrams;
  private readonly frames: HostileFrames;
  private readonly ping: EchoClient;
  private readonly opened: TcpConnection[] = [];

  constructor(seed: number) {
    this.host = new AttackedHost(seed);
    this.chance = new Chance(new SeededRandom(seed).fork("attacker"));
    this.datagrams = new HostileDatagrams(this.chance, { own: OWN_ADDRESSES, neighbours: NEIGHBOURS, special: SPECIAL });
    this.frames = new HostileFrames(this.chance, this.datagrams);
    this.ping = this.host.layer.echo.open({ reply: () => {}, error: () => {} });
    // The host has announced its addresses.
    this.host.clock.advance(1);
    this.judge();
  }

  /** One thing happens: a frame, some time, or a call of the user. @throws when anything is not as it should be */
  step(): void {
    const { chance, host } = this;
    const kind = chance.below(20);
    if (kind < 17) this.attack();
    else if (kind < 19) host.clock.advance(chance.oneIn(10) ? chance.below(70_000) : chance.below(1500) / 7);
    else this.userCall();
    this.judge();
    host.checkLimits();
  }

  private attack(): void {
    const { host } = this;
    const { counters, reassembler } = host.layer.ipv4;
    const link = this.chance.pick(host.links);
    const frame = this.frames.frame(link);
    const [waiting, heldBack, fragments, completed] = [host.waiting, host.heldBack, reassembler.octets, counters.ReasmOKs];
    this.events += 1;
    link.far.deliver(frame);
    host.clock.advance(0);
    const answers = this.judge();
    // Besides its answer a frame may set free what has waited; the answer may be as long as a datagram that the frame completes;
    // and a fault injector may let frames go at the same time that it held back, or double them.
    const octets = frame.length + (counters.ReasmOKs > completed ? fragments : 0) + heldBack * LONGEST_FRAME;
    const most = (host.isFaulty ? 2 : 1) * (2 + waiting + Math.ceil(octets / LEAST_IN_A_FRAGMENT));
    if (answers > most) throw new Error(`${answers} answers to one frame of ${frame.length} octets`);
  }

  private userCall(): void {
    const { chance, host } = this;
    const { layer } = host;
    const peer = { address: ip(chance.pick(PEERS)), port: 1 + chance.below(65535) };
    const { interface: link } = chance.pick(host.links);
    const calls: readonly (() => unknown)[] = [
      () => host.echo.send(chance.octets(chance.below(LARGEST_ECHO)), peer),
      () => this.ping.send({ destination: peer.address, sequence: 1, payload: chance.octets(chance.below(LARGEST_ECHO)) }),
      () => this.openConnection(peer),
      () => layer.confirmReachability(peer.address),
      () => layer.adviseUnreachable(peer.address),
      () => layer.pathMtuReduced(peer.address, chance.below(1500)),
      () => host.addAddress(link, prefix(`10.${chance.below(4)}.0.1/16`)),
      () => layer.removeAddress(link, ip(`10.${chance.below(4)}.0.1`)),
    ];
    this.events += 1;
    chance.pick(calls)();
  }

  private openConnection(peer: { readonly address: IpAddress; readonly port: number }): void {
    const connection = this.host.tcp.open(peer, {});
    if (typeof connection === "string") return;
    connection.send(this.chance.octets(TEXT));
    this.opened.push(connection);
    if (this.opened.length > OPEN_CONNECTIONS) this.opened.shift()?.abort();
  }

  /** Looks at what the host has sent since the last look. @returns how many frames that were */
  private judge(): number {
    let count = 0;
    for (const { far, interface: from } of this.host.links) {
      for (const frame of far.take()) {
        count += 1;
        const seen = judgeFrame(frame, from, this.host.layer, this.host.own);
        if (seen instanceof Uint8Array) this.datagrams.overhear(seen);
        else this.frames.overhear(seen);
      }
    }
    this.outputs += count;
    return count;
  }

  /** How the host fails somebody who behaves; undefined when it does not. */
  complaint(): string | undefined {
    this.host.endFaults();
    this.host.clock.advance(3000);
    for (const index of this.host.links.keys()) {
      const complaint = new HonestNeighbour(this.host, index).complaint();
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  }
}
