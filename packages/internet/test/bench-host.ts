// A host on the bench: its internet layer between interfaces that record, and a transport that records.
import {
  type DropEvent,
  formatIp,
  type Host,
  type IpAddress,
  type IpPrefix,
  type Ipv4Address,
  ip,
  PacketBuffer,
  prefix,
  SeededRandom,
  type StackEvent,
  VirtualClock,
} from "@netstrata/core";
import {
  type DatagramReceiver,
  IpInterface,
  type LinkCast,
  type LinkDevice,
  type LinkOffload,
  LoopbackDevice,
  type NetworkInterface,
  NO_OFFLOAD,
} from "@netstrata/link";
import {
  type Arrival,
  type Delivery,
  type IcmpError,
  type IcmpHeader,
  InternetLayer,
  type InternetOptions,
  type IpHeader,
  type IpProtocolHandler,
  type Ipv4Header,
  type Ipv4HeaderFields,
  prependIcmp,
  prependIpv4,
  readIcmp,
  readIpv4Header,
} from "../src/index.ts";

/** What an interface was given to send. */
export interface Sent {
  readonly header: Ipv4Header;
  /** Behind the IP header. */
  readonly payload: Uint8Array;
  /** From the IP header on. */
  readonly bytes: Uint8Array;
  readonly nextHop: string;
  readonly segmentSize: number;
}

/** An interface that keeps what it is to send, and lends what it is told to deliver in a buffer that it spoils afterwards. */
export class RecordingInterface implements NetworkInterface {
  readonly name: string;
  readonly mtu: number;
  readonly offload: LinkOffload;
  readonly headroom = 14;
  readonly resolvesNeighbours = true;
  readonly sent: Sent[] = [];
  readonly confirmed: string[] = [];
  addresses: readonly IpPrefix[] = [];
  receiver: DatagramReceiver | undefined;

  constructor(name: string, mtu = 1500, offload: LinkOffload = NO_OFFLOAD) {
    this.name = name;
    this.mtu = mtu;
    this.offload = offload;
  }

  get device(): LinkDevice {
    throw new Error("a recording interface has no device");
  }

  addAddress(address: IpPrefix): void {
    this.addresses = [...this.addresses, address];
  }

  removeAddress(address: IpAddress): void {
    this.addresses = this.addresses.filter((other) => other.address !== address);
  }

  send(datagram: PacketBuffer, nextHop: IpAddress): void {
    if (datagram.headroom < this.headroom) throw new Error("no headroom left for the frame");
    const { segmentSize } = datagram;
    const bytes = datagram.slice();
    const header = readIpv4Header(datagram);
    if (typeof header === "string") throw new Error(`sent a datagram with ${header}`);
    this.sent.push({ header, payload: datagram.slice(), bytes, nextHop: formatIp(nextHop), segmentSize });
  }

  attach(receiver: DatagramReceiver): void {
    this.receiver = receiver;
  }

  confirm(nextHop: IpAddress): void {
    this.confirmed.push(formatIp(nextHop));
  }

  close(): void {}

  /** A datagram arrives, in a buffer that the device uses again at once. */
  deliver(datagram: PacketBuffer | Uint8Array, cast: LinkCast = "unicast"): void {
    const bytes = datagram instanceof PacketBuffer ? datagram.slice() : datagram.slice();
    this.receiver?.receive(PacketBuffer.wrap(bytes), this, cast);
    bytes.fill(0xdd);
  }

  /** Everything sent since the last call. */
  take(): Sent[] {
    return this.sent.splice(0);
  }
}

export interface Received {
  readonly header: IpHeader;
  readonly payload: Uint8Array;
  readonly cast: LinkCast;
  readonly interface: string;
}

/** A transport that keeps what it hears, and narrows the packet as a real one does. */
export class RecordingHandler implements IpProtocolHandler {
  readonly protocol: number;
  readonly received: Received[] = [];
  readonly errors: { readonly error: IcmpError; readonly quoted: Uint8Array; readonly header: IpHeader }[] = [];
  answer: Delivery = "delivered";

  constructor(protocol: number) {
    this.protocol = protocol;
  }

  receive(segment: PacketBuffer, header: IpHeader, arrival: Arrival): Delivery {
    this.received.push({ header, payload: segment.slice(), cast: arrival.cast, interface: arrival.interface.name });
    segment.consume(Math.min(8, segment.length));
    segment.truncate(1);
    return this.answer;
  }

  receiveError(error: IcmpError, quoted: PacketBuffer, header: IpHeader): void {
    this.errors.push({ error, quoted: quoted.slice(), header });
  }
}

export class Bench {
  readonly clock = new VirtualClock();
  readonly drops: DropEvent[] = [];
  readonly host: Host;
  readonly layer: InternetLayer;
  readonly loopback: IpInterface;
  /** 192.0.2.1/24 */
  readonly link: RecordingInterface;
  readonly udp = new RecordingHandler(17);

  constructor(options: InternetOptions = {}, link: RecordingInterface = new RecordingInterface("eth0")) {
    const observer = {
      observe: (event: StackEvent): void => {
        if (event.kind === "drop" && event.layer !== "link") this.drops.push({ ...(event as DropEvent), packet: undefined });
      },
    };
    this.host = { name: "bench", clock: this.clock, random: new SeededRandom(1), observer };
    this.layer = new InternetLayer(this.host, options);
    this.loopback = new IpInterface(this.host, new LoopbackDevice(this.clock));
    this.loopback.addAddress(prefix("127.0.0.1/8"));
    this.layer.addInterface(this.loopback, { loopback: true });
    this.link = link;
    this.layer.addInterface(link);
    this.layer.addAddress(link, prefix("192.0.2.1/24"));
    this.layer.register(this.udp);
  }

  /** The reasons of all drops since the last call. */
  takeDrops(): string[] {
    return this.drops.splice(0).map(({ reason }) => reason);
  }

  addLink(name: string, address: string, mtu?: number, offload?: LinkOffload): RecordingInterface {
    const link = new RecordingInterface(name, mtu, offload);
    this.layer.addInterface(link);
    this.layer.addAddress(link, prefix(address));
    return link;
  }
}

export interface DatagramFields extends Partial<Omit<Ipv4HeaderFields, "source" | "destination">> {
  readonly source?: string;
  readonly destination?: string;
}

/** A datagram for the bench from its neighbour 192.0.2.2, in most respects; its window starts at the IP header. */
export function datagram(fields: DatagramFields = {}, payload: Uint8Array = octets(16)): PacketBuffer {
  const packet = PacketBuffer.allocate(60, payload.length);
  packet.set(payload);
  prependIpv4(packet, {
    protocol: 17,
    timeToLive: 64,
    trafficClass: 0,
    identification: 1,
    dontFragment: false,
    moreFragments: false,
    fragmentOffset: 0,
    ...fields,
    source: address(fields.source ?? "192.0.2.2"),
    destination: address(fields.destination ?? "192.0.2.1"),
  });
  return packet;
}

/** An ICMP message in a datagram. */
export function icmp(message: IcmpHeader, body: Uint8Array = octets(0), fields: DatagramFields = {}): PacketBuffer {
  return datagram({ ...fields, protocol: 1 }, icmpBytes(message, body));
}

export function icmpBytes(message: IcmpHeader, body: Uint8Array): Uint8Array {
  const packet = PacketBuffer.allocate(8, body.length);
  packet.set(body);
  prependIcmp(packet, message);
  return packet.slice();
}

/** The ICMP message in what was sent. */
export function icmpOf(sent: Sent): IcmpHeader & { readonly body: Uint8Array } {
  const packet = PacketBuffer.wrap(sent.payload.slice());
  const message = readIcmp(packet);
  if (typeof message === "string") throw new Error(`sent an ICMP message with ${message}`);
  return { ...message, body: packet.slice() };
}

/** 0, 1, 2, … */
export function octets(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index & 0xff);
}

export function address(text: string): Ipv4Address {
  return ip(text) as Ipv4Address;
}
