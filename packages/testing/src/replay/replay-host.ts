// The stack under replay (RFC 1122): one host on the virtual clock, with a link whose other end is the recording.
import { type Host, type Ipv4Address, isLoopback, type Milliseconds, type PacketBuffer, SeededRandom, VirtualClock } from "@netstrata/core";
import { InternetLayer } from "@netstrata/internet";
import {
  createLinkCounters,
  IpInterface,
  type LinkCounters,
  type LinkDevice,
  type LinkOffload,
  type Medium,
  NO_OFFLOAD,
  type PacketReceiver,
} from "@netstrata/link";
import { type Endpoint, Tcp, type TcpStackOptions, Udp } from "@netstrata/transport";

/** The largest IP datagram: no recorded packet is too long, whatever its link was. */
const LARGEST_DATAGRAM = 65535;

export interface SentDatagram {
  readonly time: Milliseconds;
  /** From the IP header on. */
  readonly bytes: Uint8Array;
}

/** Keeps what the stack sends, and hands it what the recording's peer sent. */
class RecordingDevice implements LinkDevice {
  readonly name = "recording";
  readonly medium: Medium = "ip";
  readonly mtu = LARGEST_DATAGRAM;
  readonly offload: LinkOffload = NO_OFFLOAD;
  readonly counters: LinkCounters = createLinkCounters();
  readonly sent: SentDatagram[] = [];
  private readonly clock: VirtualClock;
  private receiver: PacketReceiver | undefined;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  transmit(packet: PacketBuffer): void {
    this.counters.txPackets += 1;
    this.counters.txBytes += packet.length;
    this.sent.push({ time: this.clock.now(), bytes: packet.slice() });
  }

  attach(receiver: PacketReceiver): void {
    this.receiver = receiver;
  }

  deliver(packet: PacketBuffer): void {
    this.counters.rxPackets += 1;
    this.counters.rxBytes += packet.length;
    this.receiver?.receive(packet);
  }

  close(): void {
    this.receiver = undefined;
  }
}

/** Both ends of the conversation; IPv4. */
export interface ReplayEnds {
  readonly own: Endpoint;
  readonly peer: Endpoint;
}

export class ReplayHost {
  readonly clock: VirtualClock;
  readonly tcp: Tcp;
  readonly udp: Udp;
  private readonly device: RecordingDevice;
  private readonly internet: InternetLayer;
  private readonly networkInterface: IpInterface;

  /** @param start the clock's time, on the recording's scale */
  constructor({ own, peer }: ReplayEnds, start: Milliseconds, seed: number, tcpOptions: TcpStackOptions = {}) {
    const address = own.address as Ipv4Address;
    this.clock = new VirtualClock(start);
    const host: Host = { name: "replay", clock: this.clock, random: new SeededRandom(seed) };
    this.device = new RecordingDevice(this.clock);
    this.internet = new InternetLayer(host);
    this.networkInterface = new IpInterface(host, this.device);
    this.networkInterface.addAddress({ address, length: 32 });
    // 127/8 must not appear outside of a host (RFC 1122 §3.2.1.3 g): such a recording was made inside of one.
    const loopback = isLoopback(address) || peer.address === address;
    this.internet.addInterface(this.networkInterface, { loopback });
    this.internet.routes.add({ prefix: { address: 0 as Ipv4Address, length: 0 }, interface: this.networkInterface });
    this.tcp = new Tcp(host, this.internet, tcpOptions);
    this.udp = new Udp(host, this.internet);
  }

  /** Everything the stack has sent so far, in order. */
  get sent(): readonly SentDatagram[] {
    return this.device.sent;
  }

  deliver(packet: PacketBuffer): void {
    this.device.deliver(packet);
  }

  close(): void {
    this.tcp.close();
    this.internet.close();
    this.networkInterface.close();
  }
}
