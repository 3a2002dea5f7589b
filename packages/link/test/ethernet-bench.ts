// An Ethernet interface on a wire, and at the other end somebody who says exactly what the test wants.
import {
  type Host,
  type IpAddress,
  type Ipv4Address,
  ip,
  type MacAddress,
  NULL_MAC,
  PacketBuffer,
  parseMac,
  prefix,
  SeededRandom,
  type StackEvent,
  VirtualClock,
} from "@netstrata/core";
import {
  ARP_LENGTH,
  ARP_REPLY,
  ARP_REQUEST,
  type ArpMessage,
  createWire,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  type EthernetHeader,
  EthernetInterface,
  type EthernetInterfaceOptions,
  type LinkCast,
  type LinkDevice,
  prependEthernet,
  readArp,
  readEthernet,
  writeArp,
} from "@netstrata/link";

export function mac(text: string): MacAddress {
  const address = parseMac(text);
  if (address === undefined) throw new RangeError(text);
  return address;
}

export function ipv4(text: string): Ipv4Address {
  return ip(text) as Ipv4Address;
}

export const OUR_MAC: MacAddress = mac("02:00:00:00:00:01");
export const THEIR_MAC: MacAddress = mac("02:00:00:00:00:02");
export const OURS: Ipv4Address = ipv4("10.0.0.1");
export const THEIRS: Ipv4Address = ipv4("10.0.0.2");

/** A frame as the far side saw it. */
export interface SeenFrame {
  readonly time: number;
  readonly header: EthernetHeader;
  readonly arp: ArpMessage | undefined;
  /** Octets behind the header, padding included. */
  readonly payload: Uint8Array;
  readonly length: number;
}

export class EthernetBench {
  readonly clock: VirtualClock = new VirtualClock();
  readonly events: StackEvent[] = [];
  readonly host: Host;
  readonly far: LinkDevice;
  readonly interface: EthernetInterface;
  /** Frames that the far side received. */
  readonly frames: SeenFrame[] = [];
  /** What came up to the internet layer. */
  readonly received: { cast: LinkCast; payload: Uint8Array }[] = [];
  /** What came back to the internet layer. */
  readonly unresolved: { time: number; mark: number; nextHop: IpAddress }[] = [];

  constructor(options: EthernetInterfaceOptions = {}, address = "10.0.0.1/24") {
    this.host = {
      name: "host",
      clock: this.clock,
      random: new SeededRandom(1),
      observer: { observe: (event) => void this.events.push(event) },
    };
    const { a, b } = createWire(this.clock, { names: ["eth0", "far"] });
    this.far = b;
    b.attach({ receive: (frame) => this.see(frame) });
    this.interface = new EthernetInterface(this.host, a, { macAddress: OUR_MAC, ...options });
    this.interface.attach({
      receive: (datagram, _from, cast) => void this.received.push({ cast, payload: datagram.slice() }),
      unresolved: (datagram, _via, nextHop) => void this.unresolved.push({ time: this.clock.now(), mark: datagram.u8(1), nextHop }),
    });
    if (address !== "") this.interface.addAddress(prefix(address));
    this.clock.advance(0);
    this.frames.length = 0;
  }

  /** A datagram that begins like IPv4 and carries `mark` in its second octet. */
  datagram(mark = 0, length = 100): PacketBuffer {
    const datagram = PacketBuffer.allocate(this.interface.headroom, length);
    datagram.setU8(0, 0x45);
    datagram.setU8(1, mark);
    return datagram;
  }

  /** Sends a datagram and lets what can happen at once happen. */
  send(nextHop: IpAddress, mark = 0): void {
    this.interface.send(this.datagram(mark), nextHop);
    this.clock.advance(0);
  }

  /** The far side sends a frame. */
  hear(payload: PacketBuffer, etherType: number = ETHERTYPE_IPV4, destination: MacAddress = OUR_MAC, source: MacAddress = THEIR_MAC): void {
    const packet = payload.copy(14);
    prependEthernet(packet, destination, source, etherType);
    this.far.transmit(packet);
    this.clock.advance(0);
  }

  /** The far side sends an ARP message. */
  hearArp(message: Partial<ArpMessage>): void {
    const packet = PacketBuffer.allocate(0, ARP_LENGTH);
    writeArp(packet, {
      operation: ARP_REQUEST,
      senderHardware: THEIR_MAC,
      senderProtocol: THEIRS,
      targetHardware: NULL_MAC,
      targetProtocol: OURS,
      ...message,
    });
    this.hear(packet, ETHERTYPE_ARP);
  }

  /** The far side answers a request for its address. */
  reply(senderHardware: MacAddress = THEIR_MAC, senderProtocol: Ipv4Address = THEIRS): void {
    this.hearArp({ operation: ARP_REPLY, senderHardware, senderProtocol, targetHardware: OUR_MAC });
  }

  /** Takes what the far side has seen since the last call. */
  take(): SeenFrame[] {
    return this.frames.splice(0);
  }

  /** Times and destinations of the ARP requests the far side has seen since the last call. */
  takeRequests(): { time: number; destination: MacAddress }[] {
    return this.take()
      .filter(({ arp }) => arp?.operation === ARP_REQUEST)
      .map(({ time, header }) => ({ time, destination: header.destination }));
  }

  private see(frame: PacketBuffer): void {
    const length = frame.length;
    const header = readEthernet(frame);
    if (typeof header === "string") throw new Error(`the far side got a frame that is ${header}`);
    const message = header.etherType === ETHERTYPE_ARP ? readArp(frame) : undefined;
    if (typeof message === "string") throw new Error(`the far side got an ARP message that is ${message}`);
    this.frames.push({ time: this.clock.now(), header, arp: message, payload: frame.slice(), length });
  }
}
