// A host with the real stack, and at the other end of its wire a peer that is played by the test: TCP as a dialogue of packets.
//
// All sequence and acknowledgment numbers in a test are relative: 0 is the SYN of whoever's number it is, 1 the first octet.
// Every dialogue runs several times, with real numbers that wrap at 2^31 and 2^32 on both sides.
import {
  type Host,
  type IpAddress,
  type Ipv4Address,
  ip,
  type Observer,
  PacketBuffer,
  prefix,
  SeededRandom,
  type StackEvent,
  VirtualClock,
} from "@netstrata/core";
import {
  type IcmpHeader,
  InternetLayer,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  prependIcmp,
  prependIpv4,
  readIpv4Header,
  receivedOptions,
} from "@netstrata/internet";
import { createWire, IpInterface, type LinkDevice } from "@netstrata/link";
import { expect, test } from "vitest";
import {
  ACK,
  AE,
  CWR,
  ECE,
  FIN,
  isArrow,
  PSH,
  prependTcp,
  RST,
  readTcp,
  readTcpOptions,
  SYN,
  Tcp,
  type TcpConnection,
  type TcpConnectionOptions,
  type TcpEvent,
  type TcpListener,
  type TcpListenOptions,
  type TcpOpenOptions,
  type TcpOptions,
  type TcpRecoveryEvent,
  type TcpRetransmissionEvent,
  type TcpStackOptions,
  type TcpState,
  tcpOptionsLength,
  URG,
  writeTcpOptions,
} from "../../src/index.ts";

/** Where the sequence numbers of both sides start. */
export interface SequenceStart {
  readonly name: string;
  readonly stack: number;
  readonly peer: number;
}

export const SEQUENCE_STARTS: readonly SequenceStart[] = [
  { name: "small numbers", stack: 1000, peer: 300_000 },
  { name: "at 2^31", stack: 2 ** 31 - 2, peer: 2 ** 31 - 3 },
  { name: "at 2^32", stack: 2 ** 32 - 2, peer: 2 ** 32 - 3 },
  { name: "within the data", stack: 2 ** 32 - 2000, peer: 2 ** 31 - 2000 },
];

/** Letters of control bits, in the order in which this file writes them. */
const FLAG_BITS: Readonly<Record<string, number>> = { S: SYN, F: FIN, R: RST, P: PSH, U: URG, E: ECE, C: CWR, N: AE, A: ACK };

/** Octets of text: a string, octets, or so many octets of which each has a value of its own. */
export type Text = string | Uint8Array | number;

interface SegmentFields {
  /** Letters out of SFRPUECNA; N is AE, once the nonce sum. */
  readonly flags: string;
  readonly seq?: number;
  readonly ack?: number;
  /** The header's field, not scaled. */
  readonly window?: number;
  readonly data?: Text;
  /** The urgent pointer. */
  readonly urgent?: number;
  /** The peer's port. @default 5000 */
  readonly port?: number;
  /** The stack's port. */
  readonly localPort?: number;
}

/** What the peer sends. Without `seq` it goes on where it left off; without `ack` it acknowledges all that it has seen. */
export interface PeerSegment extends SegmentFields {
  /** As octets, to send what no codec would write; a multiple of 4. */
  readonly options?: TcpOptions | Uint8Array;
  readonly source?: Ipv4Address;
  readonly destination?: Ipv4Address;
  readonly ipOptions?: Uint8Array;
  /** TOS: DSCP and the ECN field. @default 0 */
  readonly trafficClass?: number;
}

/** What the peer expects. What is left out may be anything, but for the text, which is none then. */
export interface ExpectedSegment extends SegmentFields {
  readonly options?: TcpOptions;
  readonly trafficClass?: number;
}

/** What the peer received, in relative numbers. */
export interface ReceivedSegment {
  readonly flags: string;
  readonly seq: number;
  /** As it stands in the header: a RST that answers a segment without ACK says 0. */
  readonly absoluteSeq: number;
  readonly ack: number | undefined;
  readonly window: number;
  readonly text: Uint8Array;
  readonly urgent: number;
  readonly options: TcpOptions;
  readonly port: number;
  readonly localPort: number;
  readonly timeToLive: number;
  readonly trafficClass: number;
  readonly dontFragment: boolean;
  readonly source: IpAddress;
  /** Where the datagram went: the peer, or the first router of a source route. */
  readonly hop: IpAddress;
  readonly ipOptions: readonly number[];
  /** When it was sent, in ms. */
  readonly at: number;
}

export interface PeerOptions extends TcpStackOptions {
  /** @default 1500 */
  readonly mtu?: number;
  readonly seed?: number;
}

/** What the peer says in its SYN. */
export interface HandshakeOptions {
  /** @default 1460 */
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  /** The window in the segments of the handshake. @default 65535 */
  readonly window?: number;
}

export class Peer {
  readonly clock: VirtualClock = new VirtualClock();
  readonly host: Host;
  readonly internet: InternetLayer;
  readonly tcp: Tcp;
  readonly stackAddress: Ipv4Address = ip("10.0.0.1") as Ipv4Address;
  readonly address: Ipv4Address = ip("10.0.0.2") as Ipv4Address;
  readonly port = 5000;
  /** The stack's port: 80, or what an active open has chosen. */
  localPort = 80;
  /** What a window field means that the peer does not give. */
  window = 65535;
  /** What the user of the connection was told, in order: "opened", "readable", "closed", "closed ECONNRESET" … */
  readonly told: string[] = [];
  readonly events: StackEvent[] = [];
  listener: TcpListener | undefined;
  /** The next sequence number of the peer, when a test gives none. */
  seq = 0;
  /** What the peer acknowledges, when a test gives nothing else: all it has been sent in order. */
  ack = 0;
  private readonly start: SequenceStart;
  private readonly device: LinkDevice;
  private readonly received: ReceivedSegment[] = [];

  constructor(start: SequenceStart = SEQUENCE_STARTS[0], options: PeerOptions = {}) {
    const { mtu = 1500, seed = 1, ...stack } = options;
    this.start = start;
    const wire = createWire(this.clock, { medium: "ip", mtu });
    const observer: Observer = { observe: (event) => this.events.push(event) };
    this.host = { name: "stack", clock: this.clock, random: new SeededRandom(seed), observer };
    this.internet = new InternetLayer(this.host);
    const networkInterface = new IpInterface(this.host, wire.a);
    networkInterface.addAddress(prefix("10.0.0.1/24"));
    this.internet.addInterface(networkInterface);
    this.tcp = new Tcp(this.host, this.internet, { initialSequenceNumber: () => start.stack, ...stack });
    this.device = wire.b;
    this.device.attach({ receive: (packet) => this.receive(packet) });
  }

  // The packets

  send(segment: PeerSegment): void {
    this.transmit(this.packet(segment));
    const length = textOf(segment.data).length + (segment.flags.includes("S") ? 1 : 0) + (segment.flags.includes("F") ? 1 : 0);
    this.seq = Math.max(this.seq, (segment.seq ?? this.seq) + length);
  }

  /** The datagram that `send` would send. */
  packet(segment: PeerSegment): PacketBuffer {
    const { flags, options = {}, source = this.address, destination = this.stackAddress, ipOptions, trafficClass } = segment;
    const text = textOf(segment.data);
    const optionsLength = options instanceof Uint8Array ? options.length : tcpOptionsLength(options);
    const packet = PacketBuffer.allocate(100, optionsLength + text.length);
    if (options instanceof Uint8Array) packet.set(options);
    else writeTcpOptions(packet, options);
    packet.set(text, optionsLength);
    const fields = {
      sourcePort: segment.port ?? this.port,
      destinationPort: segment.localPort ?? this.localPort,
      seq: (this.start.peer + (segment.seq ?? this.seq)) >>> 0,
      ack: flags.includes("A") ? (this.start.stack + (segment.ack ?? this.ack)) >>> 0 : 0,
      flags: bitsOf(flags),
      window: segment.window ?? this.window,
      urgentPointer: segment.urgent ?? 0,
    };
    prependTcp(packet, fields, optionsLength, source, destination);
    this.prependIp(packet, PROTOCOL_TCP, source, destination, ipOptions, trafficClass);
    return packet;
  }

  /** Puts a datagram on the wire and lets it arrive. */
  transmit(packet: PacketBuffer): void {
    this.device.transmit(packet);
    this.clock.advance(0);
  }

  /** An ICMP error about a segment of the stack that started at `seq`. */
  sendIcmp(message: IcmpHeader, about: { readonly seq: number; readonly from?: Ipv4Address; readonly port?: number }): void {
    const packet = PacketBuffer.allocate(100, 8);
    packet.setU16(0, this.localPort);
    packet.setU16(2, about.port ?? this.port);
    packet.setU32(4, (this.start.stack + about.seq) >>> 0);
    this.prependIp(packet, PROTOCOL_TCP, this.stackAddress, this.address);
    prependIcmp(packet, message);
    this.prependIp(packet, PROTOCOL_ICMP, about.from ?? this.address, this.stackAddress);
    this.transmit(packet);
  }

  /** The next segment of the stack, which must be as described. */
  expect(expected: ExpectedSegment): ReceivedSegment {
    this.clock.advance(0);
    const next = this.received.shift();
    if (next === undefined) throw new Error(`the stack sent nothing, where this was expected: ${JSON.stringify(expected)}`);
    const { data = "", flags, ...fields } = expected;
    const described = {
      ...next,
      flags: lettersOf(bitsOf(next.flags)),
      data: typeof data === "number" ? next.text.length : shown(next.text),
    };
    expect(described).toMatchObject({
      ...fields,
      flags: lettersOf(bitsOf(flags)),
      data: typeof data === "number" ? data : shown(textOf(data)),
    });
    const length = next.text.length + (next.flags.includes("S") ? 1 : 0) + (next.flags.includes("F") ? 1 : 0);
    if (next.seq <= this.ack && next.seq + length > this.ack) this.ack = next.seq + length;
    return next;
  }

  /** The SACK blocks of a segment of the stack, in the peer's relative numbers. */
  blocksOf(segment: ReceivedSegment): [number, number][] {
    return (segment.options.sackBlocks ?? []).map(({ left, right }) => [(left - this.start.peer) | 0, (right - this.start.peer) | 0]);
  }

  /** The option by which the peer reports what it holds, in the stack's relative numbers. */
  sack(...blocks: [number, number][]): TcpOptions {
    return {
      sackBlocks: blocks.map(([left, right]) => ({ left: (this.start.stack + left) >>> 0, right: (this.start.stack + right) >>> 0 })),
    };
  }

  /** Takes everything that the stack has sent up to now. */
  takeAll(): ReceivedSegment[] {
    this.clock.advance(0);
    return this.received.splice(0);
  }

  /** Nothing is sent, also not within the next `duration` ms. */
  expectNothing(duration = 0): void {
    this.clock.advance(duration);
    const next = this.received[0];
    if (next !== undefined) {
      throw new Error(`nothing was expected, but the stack sent ${next.flags} seq ${next.seq} ack ${next.ack} at ${next.at} ms`);
    }
  }

  advance(duration: number): void {
    this.clock.advance(duration);
  }

  // The user's side

  listen(options: TcpListenOptions = {}): TcpListener {
    const listener = this.tcp.listen({ address: this.stackAddress, port: 80 }, { acceptable: () => {} }, options);
    if (typeof listener === "string") throw new Error(listener);
    this.listener = listener;
    return listener;
  }

  /** The user opens; nothing is expected yet. */
  open(options: TcpOpenOptions = {}): TcpConnection {
    const connection = this.tcp.open({ address: this.address, port: this.port }, {}, options);
    if (typeof connection === "string") throw new Error(connection);
    this.localPort = connection.local.port;
    return this.watch(connection);
  }

  /** The connection that waits to be accepted. */
  accepted(): TcpConnection {
    const connection = this.listener?.accept();
    if (connection === undefined) throw new Error("no connection waits to be accepted");
    return this.watch(connection);
  }

  /** Writes down in `told` what the user hears. */
  watch(connection: TcpConnection): TcpConnection {
    connection.user = {
      opened: () => this.told.push("opened"),
      readable: () => this.told.push("readable"),
      writable: () => this.told.push("writable"),
      urgent: () => this.told.push("urgent"),
      softError: (_connection, error) => this.told.push(`soft error ${error}`),
      closed: (_connection, error) => this.told.push(error === undefined ? "closed" : `closed ${error}`),
    };
    return connection;
  }

  // What is common to most dialogues

  /** An established connection that the peer opened. The peer's next number is 1, the stack's too. */
  connect(options: TcpConnectionOptions = {}, handshake: HandshakeOptions = {}): TcpConnection {
    const { mss = 1460, windowScale, sackPermitted, window = 65535 } = handshake;
    if (this.listener === undefined) this.listen(options);
    this.send({ flags: "S", seq: 0, window, options: { maximumSegmentSize: mss, windowScale, sackPermitted } });
    this.expect({ flags: "SA", seq: 0, ack: 1 });
    this.send({ flags: "A", seq: 1, ack: 1, window });
    return this.accepted();
  }

  /** An established connection that the stack opened. */
  connected(options: TcpOpenOptions = {}, handshake: HandshakeOptions = {}): TcpConnection {
    const { mss = 1460, windowScale, window = 65535 } = handshake;
    const connection = this.open(options);
    this.expect({ flags: "S", seq: 0 });
    this.send({ flags: "SA", seq: 0, ack: 1, window, options: { maximumSegmentSize: mss, windowScale } });
    this.expect({ flags: "A", seq: 1, ack: 1 });
    return connection;
  }

  /**
   * A connection in this state, without any text having been exchanged. In the order of the list, the stack's next number
   * is 1 1 1 2 2 1 2 2 2, the peer's 0 1 1 1 1 2 2 2 2.
   */
  reach(state: Exclude<TcpState, "CLOSED" | "LISTEN">, options: TcpConnectionOptions = {}): TcpConnection {
    switch (state) {
      case "SYN-SENT": {
        const connection = this.open(options);
        this.expect({ flags: "S", seq: 0 });
        return connection;
      }
      case "SYN-RECEIVED": {
        // By a simultaneous open, because the user holds nothing of a passive one yet.
        const connection = this.reach("SYN-SENT", options);
        this.send({ flags: "S", seq: 0 });
        this.expect({ flags: "SA", seq: 0, ack: 1 });
        return connection;
      }
      case "ESTABLISHED":
        return this.connect(options);
      case "FIN-WAIT-1":
        return this.closing("ESTABLISHED", options, 1);
      case "FIN-WAIT-2": {
        const connection = this.reach("FIN-WAIT-1", options);
        this.send({ flags: "A", seq: 1, ack: 2 });
        return connection;
      }
      case "CLOSE-WAIT":
        return this.closedByPeer("ESTABLISHED", options, 1);
      case "CLOSING":
        return this.closedByPeer("FIN-WAIT-1", options, 1);
      case "LAST-ACK":
        return this.closing("CLOSE-WAIT", options, 2);
      case "TIME-WAIT":
        return this.closedByPeer("FIN-WAIT-2", options, 2);
    }
  }

  private closing(from: "ESTABLISHED" | "CLOSE-WAIT", options: TcpConnectionOptions, ack: number): TcpConnection {
    const connection = this.reach(from, options);
    connection.close();
    this.expect({ flags: "FA", seq: 1, ack });
    return connection;
  }

  private closedByPeer(from: "ESTABLISHED" | "FIN-WAIT-1" | "FIN-WAIT-2", options: TcpConnectionOptions, ack: number): TcpConnection {
    const connection = this.reach(from, options);
    this.send({ flags: "FA", seq: 1, ack });
    this.expect({ flags: "A", ack: 2 });
    return connection;
  }

  // What the observer saw

  /** States the connections went through, as "ESTABLISHED → CLOSE-WAIT". */
  get transitions(): string[] {
    return this.ofKind("state").map(({ from, to }) => `${from} → ${to}`);
  }

  get retransmissions(): TcpRetransmissionEvent[] {
    return this.ofKind("retransmission");
  }

  get recoveries(): TcpRecoveryEvent[] {
    return this.ofKind("recovery");
  }

  private ofKind<Kind extends TcpEvent["kind"]>(kind: Kind): Extract<TcpEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<TcpEvent, { kind: Kind }> => event.layer === "tcp" && event.kind === kind);
  }

  /** Every dialogue ends here: nothing was said that nobody expected, no impossible arrow was taken, and nothing is left over. */
  end(): void {
    this.expectNothing();
    for (const { from, to } of this.ofKind("state")) expect(isArrow(from, to), `${from} → ${to}`).toBe(true);
    this.listener?.close();
    this.tcp.close();
    this.clock.advance(0);
    expect({ timers: this.clock.armedTimers, connections: this.tcp.connectionCount, listeners: this.tcp.listenerCount }).toEqual({
      timers: 0,
      connections: 0,
      listeners: 0,
    });
  }

  private prependIp(
    packet: PacketBuffer,
    protocol: number,
    source: Ipv4Address,
    destination: Ipv4Address,
    options?: Uint8Array,
    trafficClass = 0,
  ): void {
    prependIpv4(packet, {
      source,
      destination,
      protocol,
      timeToLive: 64,
      trafficClass,
      identification: 0,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      options,
    });
  }

  /** MUST-2: whatever the stack sends, its checksums are right. */
  private receive(packet: PacketBuffer): void {
    const header = readIpv4Header(packet);
    if (typeof header === "string") throw new Error(`the stack sent a datagram that is ${header}`);
    if (header.protocol !== PROTOCOL_TCP) return;
    const ipOptions = [...(receivedOptions(packet, header) ?? [])];
    // A source route ends at the peer, and the checksum is made for the end (RFC 1122 §4.2.3.8).
    const segment = readTcp(packet, header.source, ipOptions.length > 0 ? this.address : header.destination);
    if (typeof segment === "string") throw new Error(`the stack sent a segment that is ${segment}`);
    const options = readTcpOptions(packet, segment.headerLength);
    packet.consume(segment.headerLength);
    this.received.push({
      flags: lettersOf(segment.flags),
      seq: (segment.seq - this.start.stack) | 0,
      absoluteSeq: segment.seq,
      ack: (segment.flags & ACK) === 0 ? undefined : (segment.ack - this.start.peer) | 0,
      window: segment.window,
      text: packet.slice(),
      urgent: segment.urgentPointer,
      options,
      port: segment.destinationPort,
      localPort: segment.sourcePort,
      timeToLive: header.timeToLive,
      trafficClass: header.trafficClass,
      dontFragment: header.dontFragment,
      source: header.source,
      hop: header.destination,
      ipOptions,
      at: this.clock.now(),
    });
  }
}

/** A test that is a dialogue of packets, run at every place where sequence numbers may go wrong. */
export function dialogue(title: string, script: (peer: Peer) => void, options: PeerOptions = {}): void {
  for (const start of SEQUENCE_STARTS) {
    test(`${title} [${start.name}]`, () => {
      const peer = new Peer(start, options);
      script(peer);
      peer.end();
    });
  }
}

/** Octets of text that differ from their neighbours, so that a displaced one is found. */
export function octets(count: number, from = 0): Uint8Array {
  return Uint8Array.from({ length: count }, (_, index) => ((from + index) * 151 + ((from + index) >> 8)) & 0xff);
}

/** Everything that can be read of a connection. */
export function readAll(connection: TcpConnection): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let part = connection.receive(); part !== undefined; part = connection.receive()) parts.push(part);
  return Uint8Array.from(Buffer.concat(parts));
}

export function readText(connection: TcpConnection): string {
  return new TextDecoder().decode(readAll(connection));
}

export function textOf(text: Text | undefined): Uint8Array {
  if (text === undefined) return new Uint8Array(0);
  if (typeof text === "string") return new TextEncoder().encode(text);
  return typeof text === "number" ? octets(text) : text;
}

/** Long texts are told apart by their octets, short ones read better as they are. */
function shown(text: Uint8Array): string {
  return text.length <= 100 ? new TextDecoder().decode(text) : Buffer.from(text).toString("hex");
}

function bitsOf(flags: string): number {
  let bits = 0;
  for (const letter of flags) bits |= FLAG_BITS[letter];
  return bits;
}

function lettersOf(bits: number): string {
  return Object.keys(FLAG_BITS)
    .filter((letter) => (bits & FLAG_BITS[letter]) !== 0)
    .join("");
}
