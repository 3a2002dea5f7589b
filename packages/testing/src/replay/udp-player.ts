// Our stack plays one end of a recorded exchange of UDP datagrams (RFC 768).
import { PacketBuffer } from "@netstrata/core";
import { ICMP_DESTINATION_UNREACHABLE, PROTOCOL_ICMP, PROTOCOL_UDP, readUncheckedIpv4Header, UNREACHABLE_PORT } from "@netstrata/internet";
import { readUdp, type UdpEndpoint } from "@netstrata/transport";
import type { RecordedDatagram } from "./recorded-datagram.ts";
import type { RecordedError } from "./recorded-message.ts";
import type { RecordedUdp, RecordedUdpDatagram } from "./recording.ts";
import { ReplayHost } from "./replay-host.ts";
import type { Divergence } from "./replay-report.ts";
import { refreshHeaderChecksum } from "./segment-mapping.ts";

type UdpEvent = RecordedUdpDatagram | RecordedError;

/** What the recording asks for and what came instead. */
type Difference = readonly [expected: string, found: string];

export class UdpPlayer {
  divergence: Divergence | undefined;
  octetsSent = 0;
  octetsReceived = 0;
  private readonly recording: RecordedUdp;
  private readonly host: ReplayHost;
  /** The peer's datagrams of which the recorded host said that nobody waits for them. */
  private readonly refused: ReadonlySet<UdpEvent>;
  private endpoint: UdpEndpoint | undefined;
  /** The peer's checksums were filled in after the capture had seen them. */
  private readonly repair: boolean;
  /** What our application got since it was last asked. */
  private delivered: Uint8Array[] = [];

  constructor(recording: RecordedUdp, seed = 1) {
    this.recording = recording;
    const { events } = recording;
    this.host = new ReplayHost(recording, events[0].datagram.time, seed);
    this.refused = refusedIn(events);
    const fromPeer = events.filter((event) => isDatagram(event) && !event.fromOwn) as RecordedUdpDatagram[];
    // Somebody answered them, so they cannot all have been wrong on the wire.
    this.repair = events.some((event) => event.fromOwn) && fromPeer.every(({ fault }) => fault === "bad-checksum");
  }

  get packetsSent(): number {
    return this.host.sent.length;
  }

  /** Plays to the end, or to the first divergence. */
  play(): void {
    const { events } = this.recording;
    for (const event of events) {
      this.host.clock.runUntil(Math.max(event.datagram.time, this.host.clock.now()));
      const difference = this.playOne(event);
      if (difference !== undefined) {
        this.divergence = this.describe(difference, event.datagram);
        return;
      }
    }
  }

  close(): void {
    this.host.close();
  }

  private bind(): UdpEndpoint {
    const received = (_endpoint: UdpEndpoint, payload: Uint8Array): void => {
      this.delivered.push(payload.slice());
    };
    const endpoint = this.host.udp.bind(this.recording.own, { received }, { broadcast: true });
    if (typeof endpoint === "string") throw new Error(`bind: ${endpoint}`);
    return endpoint;
  }

  private playOne(event: UdpEvent): Difference | undefined {
    const isRefused = this.refused.has(event);
    if (isRefused) this.endpoint?.close();
    if (isRefused) this.endpoint = undefined;
    else if (isDatagram(event)) this.endpoint ??= this.bind();
    if (event.fromOwn) return isDatagram(event) ? this.send(event) : undefined;
    const before = this.host.sent.length;
    this.host.deliver(this.packetOf(event));
    const answers = this.host.sent.slice(before);
    if (!isRefused) return isDatagram(event) ? this.compareDelivered(event) : undefined;
    if (answers.some(({ bytes }) => isPortUnreachable(bytes))) return undefined;
    return ["port unreachable", answers.length === 0 ? "no answer" : "another answer"];
  }

  private send({ datagram, payload }: RecordedUdpDatagram): Difference | undefined {
    const before = this.host.sent.length;
    const { timeToLive, trafficClass } = datagram.header;
    const error = this.endpoint?.send(payload, this.recording.peer, { timeToLive, trafficClass });
    if (error !== undefined) return ["that the datagram is sent", error];
    this.octetsSent += payload.length;
    const sent = this.host.sent.slice(before);
    if (sent.length !== 1) return ["one datagram", `${sent.length}`];
    const ours = payloadOf(sent[0].bytes);
    return ours !== undefined && equal(ours, payload) ? undefined : different(payload, ours);
  }

  private compareDelivered({ payload, fault }: RecordedUdpDatagram): Difference | undefined {
    const [ours] = this.delivered.splice(0);
    if (fault !== undefined && !this.repair) return ours === undefined ? undefined : [`a drop: ${fault}`, "it was delivered"];
    if (ours === undefined) return ["that the datagram is delivered", "it was dropped"];
    this.octetsReceived += ours.length;
    return equal(ours, payload) ? undefined : different(payload, ours);
  }

  private packetOf(event: UdpEvent): PacketBuffer {
    const packet = PacketBuffer.wrap(event.datagram.bytes).copy();
    if (this.repair && isDatagram(event)) {
      refreshHeaderChecksum(packet, event.datagram.header.headerLength);
      packet.checksum = "verified";
    }
    return packet;
  }

  private describe([expected, found]: Difference, { number, time, bytes }: RecordedDatagram): Divergence {
    const ours = this.host.sent.at(-1);
    return {
      expected,
      found,
      recorded: { number, time, bytes },
      ours: ours && { number: undefined, time: ours.time, bytes: ours.bytes },
    };
  }
}

function isDatagram(event: UdpEvent): event is RecordedUdpDatagram {
  return "payload" in event;
}

/** The peer's datagrams that the end we play answered with "port unreachable", known by the identification in the quotation. */
function refusedIn(events: readonly UdpEvent[]): Set<UdpEvent> {
  const refused = new Set<UdpEvent>();
  const latest = new Map<number, UdpEvent>();
  for (const event of events) {
    if (!event.fromOwn) latest.set(event.datagram.header.identification, event);
    if (!event.fromOwn || isDatagram(event)) continue;
    const { message, quoted } = event;
    if (message.type !== ICMP_DESTINATION_UNREACHABLE || message.code !== UNREACHABLE_PORT) continue;
    const about = latest.get(quoted.identification);
    if (about !== undefined) refused.add(about);
  }
  return refused;
}

function isPortUnreachable(bytes: Uint8Array): boolean {
  const packet = PacketBuffer.wrap(bytes);
  const header = readUncheckedIpv4Header(packet);
  if (typeof header === "string" || header.protocol !== PROTOCOL_ICMP) return false;
  packet.consume(header.headerLength);
  return packet.u8(0) === ICMP_DESTINATION_UNREACHABLE && packet.u8(1) === UNREACHABLE_PORT;
}

function payloadOf(bytes: Uint8Array): Uint8Array | undefined {
  const packet = PacketBuffer.wrap(bytes);
  const header = readUncheckedIpv4Header(packet);
  if (typeof header === "string" || header.protocol !== PROTOCOL_UDP) return undefined;
  packet.consume(header.headerLength);
  return typeof readUdp(packet, header.source, header.destination) === "string" ? undefined : packet.view();
}

function different(recorded: Uint8Array, ours: Uint8Array | undefined): Difference {
  const octets = `${recorded.length} octets as recorded`;
  if (ours === undefined) return [octets, "no UDP datagram"];
  return [octets, ours.length === recorded.length ? "others" : `${ours.length} octets`];
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}
