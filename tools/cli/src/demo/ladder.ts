// A ladder: what two hosts say to each other, with the state of TCP at both ends. Made from the events of a world.
import { type Dissection, dissect, transportPayload } from "@netstrata/capture";
import { BROADCAST_MAC, type DropEvent, formatIp, type IpAddress, type Milliseconds, type PacketEvent } from "@netstrata/core";
import { ARP_REQUEST, type FaultEvent, LINKTYPE_ETHERNET } from "@netstrata/link";
import type { WorldEvent } from "@netstrata/simnet";
import type { Stack } from "@netstrata/socket";
import type { TcpCongestionEvent, TcpRetransmissionEvent, TcpState, TcpStateEvent } from "@netstrata/transport";

/** A segment on its way from one end to the other. */
export interface LadderSegment {
  readonly kind: "segment";
  readonly fromClient: boolean;
  readonly departs: Milliseconds;
  arrives: Milliseconds | undefined;
  /** Of the sender when it departed, of the receiver when it had been received. */
  readonly senderState: TcpState;
  receiverState: TcpState | undefined;
  readonly dissection: Dissection;
  /** Octets of text, copied. */
  readonly payload: Uint8Array;
  /** TTL behind each host on the way, the sender first. */
  readonly timesToLive: number[];
  /** Between which two hosts it was lost. */
  lost: readonly [string, string] | undefined;
  /** It was sent before. */
  readonly again: TcpRetransmissionEvent | undefined;
}

/** Something else that is worth a line. */
export interface LadderNote {
  readonly kind: "note";
  readonly time: Milliseconds;
  text: string;
}

export type LadderRow = LadderSegment | LadderNote;

interface Traveller {
  readonly key: string;
  readonly segment: LadderSegment;
  /** Which host of the path has seen it last. */
  position: number;
}

const FROM_CLIENT = 1;

export class Ladder {
  readonly rows: LadderRow[] = [];
  /** Names of the hosts, from the client to the server. */
  private readonly path: readonly string[];
  private readonly start: Milliseconds;
  private readonly owners = new Map<IpAddress, string>();
  private readonly states: { client: TcpState; server: TcpState } = { client: "CLOSED", server: "LISTEN" };
  private readonly travellers: Traveller[] = [];
  /** The row whose receiver may still change its state because of it. */
  private readonly settling = new Map<string, LadderSegment>();
  private readonly asked = new Map<string, LadderNote>();
  private announced: TcpRetransmissionEvent | undefined;

  /**
   * @param hosts from the client to the server
   * @param start the moment of the world's clock that is 0 in the ladder
   */
  constructor(hosts: readonly Stack[], start: Milliseconds) {
    this.path = hosts.map(({ name }) => name);
    this.start = start;
    for (const { name, layers } of hosts) {
      for (const { addresses } of layers.internet.interfaces) for (const { address } of addresses) this.owners.set(address, name);
    }
  }

  take({ time: worldTime, host, event }: WorldEvent): void {
    const time = worldTime - this.start;
    if (event.kind === "packet" && event.layer === "link") this.packet(time, host, event as PacketEvent);
    else if (event.kind === "fault") this.fault(host, event as FaultEvent);
    else if (event.layer !== "tcp") return;
    else if (event.kind === "state") this.state(time, host, event as TcpStateEvent);
    else if (event.kind === "retransmission") this.announced = event as TcpRetransmissionEvent;
    else if (event.kind === "congestion") this.congestion(time, host, event as TcpCongestionEvent);
    else if (event.kind === "drop") this.note(time, `${host} drops a segment: ${(event as DropEvent).reason}`);
  }

  private packet(time: Milliseconds, host: string, { packet, direction }: PacketEvent): void {
    this.settling.delete(host);
    const dissection = dissect(packet.slice(), LINKTYPE_ETHERNET);
    const position = this.path.indexOf(host);
    if (direction === "out" && this.isEnd(position) && dissection.transport?.protocol === "tcp") this.depart(time, host, dissection);
    else if (direction === "in" && dissection.transport?.protocol === "tcp") this.pass(time, position, dissection);
    else this.arp(time, host, direction, dissection);
  }

  private depart(time: Milliseconds, host: string, dissection: Dissection): void {
    const fromClient = host === this.path[0];
    const again = this.announced;
    this.announced = undefined;
    const segment: LadderSegment = {
      kind: "segment",
      fromClient,
      departs: time,
      arrives: undefined,
      senderState: this.states[fromClient ? "client" : "server"],
      receiverState: undefined,
      dissection,
      payload: transportPayload(dissection),
      timesToLive: [timeToLive(dissection)],
      lost: undefined,
      again,
    };
    this.rows.push(segment);
    this.travellers.push({ key: keyOf(dissection), segment, position: this.path.indexOf(host) });
  }

  /** A segment has come to the host at `position`: the oldest of its kind that was at the host before. */
  private pass(time: Milliseconds, position: number, dissection: Dissection): void {
    const traveller = this.find(dissection, (fromClient) => position + (fromClient ? -FROM_CLIENT : FROM_CLIENT));
    if (traveller === undefined) return;
    traveller.position = position;
    if (!this.isEnd(position)) {
      traveller.segment.timesToLive.push(timeToLive(dissection) - 1);
      return;
    }
    this.travellers.splice(this.travellers.indexOf(traveller), 1);
    const { segment } = traveller;
    segment.arrives = time;
    segment.receiverState = this.states[segment.fromClient ? "server" : "client"];
    this.settling.set(this.path[position], segment);
  }

  private fault(host: string, { fault, packet }: FaultEvent): void {
    if (fault !== "drop") return;
    const dissection = dissect(packet.slice(), LINKTYPE_ETHERNET);
    const position = this.path.indexOf(host);
    const traveller = this.find(dissection, () => position);
    if (traveller === undefined) {
      const asker = this.asked.get(host);
      if (asker !== undefined) asker.text += " … lost";
      return;
    }
    this.travellers.splice(this.travellers.indexOf(traveller), 1);
    traveller.segment.lost = [host, this.path[position + (traveller.segment.fromClient ? FROM_CLIENT : -FROM_CLIENT)]];
  }

  private find(dissection: Dissection, from: (fromClient: boolean) => number): Traveller | undefined {
    const key = keyOf(dissection);
    return this.travellers.find((candidate) => candidate.key === key && candidate.position === from(candidate.segment.fromClient));
  }

  /** A question and its answer stand in one line. Announcements, which nobody answers, are left out. */
  private arp(time: Milliseconds, host: string, direction: "in" | "out", { layers: [frame, message] }: Dissection): void {
    if (frame?.protocol !== "eth" || message?.protocol !== "arp" || message.senderProtocol === message.targetProtocol) return;
    if (message.operation === ARP_REQUEST && direction === "out") {
      const address = formatIp(message.targetProtocol);
      // A neighbour that is known already is asked itself (RFC 1122 §2.3.2.1).
      const question =
        frame.destination === BROADCAST_MAC
          ? `asks who has ${address}`
          : `asks ${this.owners.get(message.targetProtocol)} whether it still has ${address}`;
      this.asked.set(host, this.note(time, `ARP   ${host} ${question}`));
    } else if (message.operation !== ARP_REQUEST && direction === "in") {
      const note = this.asked.get(host);
      this.asked.delete(host);
      if (note !== undefined) note.text += `, ${this.owners.get(message.senderProtocol)} answers`;
    }
  }

  private state(time: Milliseconds, host: string, { from, to }: TcpStateEvent): void {
    const end = host === this.path[0] ? "client" : "server";
    this.states[end] = to;
    const settling = this.settling.get(host);
    if (settling !== undefined) settling.receiverState = to;
    else if (from === "TIME-WAIT") this.note(time, `${host} leaves TIME-WAIT: CLOSED (2 MSL, RFC 9293 §3.4.2)`);
  }

  private congestion(time: Milliseconds, host: string, { reason, window, threshold }: TcpCongestionEvent): void {
    if (reason === "established" || reason === "idle") return;
    this.note(time, `${host}: ${reason.replace("-", " ")}, cwnd ${window}, ssthresh ${threshold}`);
  }

  private note(time: Milliseconds, text: string): LadderNote {
    const note: LadderNote = { kind: "note", time, text };
    this.rows.push(note);
    return note;
  }

  private isEnd(position: number): boolean {
    return position === 0 || position === this.path.length - 1;
  }
}

function timeToLive({ ip }: Dissection): number {
  return ip?.protocol === "ipv4" ? ip.timeToLive : 0;
}

/** What stays the same on the way. Two segments that have it in common are told apart by their order. */
function keyOf({ ip, transport }: Dissection): string {
  if (ip?.protocol !== "ipv4" || transport?.protocol !== "tcp") return "";
  return `${ip.source} ${transport.seq} ${transport.ack} ${transport.flags} ${transport.payloadLength} ${transport.window}`;
}
