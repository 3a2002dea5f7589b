// Every packet of every fixture, cut off at every octet: each is dropped and counted, nothing throws, and the stack goes on serving.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type CapturedPacket, dissect } from "@netstrata/capture";
import { openCapture } from "@netstrata/capture/node";
import { type Host, type IpAddress, isIpv4, type MacAddress, PacketBuffer, readMac, SeededRandom, VirtualClock } from "@netstrata/core";
import { InternetLayer } from "@netstrata/internet";
import { createWire, EthernetInterface, IpInterface, type LinkDevice } from "@netstrata/link";
import { Tcp, Udp } from "@netstrata/transport";
import { expect, test } from "vitest";

const FOLDER = fileURLToPath(new URL("../../../fixtures/", import.meta.url));
const LINKTYPE_ETHERNET = 1;
const ARP_FRAME = 42;

/** The host that the first packet of a recording was meant for, with a server on TCP port 80 and UDP port 7. */
class Target {
  readonly clock = new VirtualClock();
  readonly tcp: Tcp;
  /** Packets that it has sent, and datagrams that a user of it has received. */
  reactions = 0;
  private drops = 0;
  private readonly wire: LinkDevice;

  constructor(isEthernet: boolean, address: IpAddress, macAddress: MacAddress) {
    const observer = { observe: ({ kind }: { readonly kind: string }): void => void (this.drops += kind === "drop" ? 1 : 0) };
    const host: Host = { name: "target", clock: this.clock, random: new SeededRandom(1), observer };
    const wire = createWire(this.clock, { medium: isEthernet ? "ethernet" : "ip" });
    const networkInterface = isEthernet ? new EthernetInterface(host, wire.a, { macAddress }) : new IpInterface(host, wire.a);
    const internet = new InternetLayer(host);
    internet.addInterface(networkInterface);
    internet.addAddress(networkInterface, { address, length: 24 });
    this.tcp = new Tcp(host, internet);
    this.tcp.listen({ address, port: 80 }, { acceptable: () => {} });
    new Udp(host, internet).bind({ address, port: 7 }, { received: () => void (this.reactions += 1) });
    this.wire = wire.b;
    this.wire.attach({ receive: () => void (this.reactions += 1) });
  }

  /** What a layer has dropped, and what was too short to be put on the wire. */
  get dropped(): number {
    return this.drops + this.wire.counters.txErrors;
  }

  receive(bytes: Uint8Array): void {
    this.wire.transmit(PacketBuffer.wrap(bytes.slice()));
    this.clock.advance(1);
  }
}

/** Octets of a packet that mean something: behind them an Ethernet frame is padding. */
function meaningfulLength({ bytes, linkType }: CapturedPacket): number {
  if (linkType !== LINKTYPE_ETHERNET) return bytes.length;
  const etherType = (bytes[12] << 8) | bytes[13];
  if (etherType === 0x0806) return ARP_FRAME;
  return etherType === 0x0800 ? 14 + ((bytes[16] << 8) | bytes[17]) : bytes.length;
}

for (const name of readdirSync(FOLDER).filter((file) => /\.pcap(ng)?$/.test(file))) {
  test(`${name}, cut off everywhere`, async () => {
    const packets: CapturedPacket[] = [];
    for await (const packet of openCapture(`${FOLDER}${name}`)) packets.push({ ...packet, bytes: packet.bytes.slice() });
    const addressed = packets.find((packet) => isIpv4(dissect(packet.bytes, packet.linkType).ip?.destination ?? ("" as IpAddress)));
    if (addressed === undefined) throw new Error("no IPv4 packet");
    const destination = dissect(addressed.bytes, addressed.linkType).ip?.destination as IpAddress;
    const target = new Target(addressed.linkType === LINKTYPE_ETHERNET, destination, readMac(PacketBuffer.wrap(addressed.bytes), 0));
    for (const packet of packets) {
      for (let length = 0; length < meaningfulLength(packet); length += 1) {
        const before = target.dropped;
        target.receive(packet.bytes.subarray(0, length));
        expect(target.dropped, `packet ${packet.number} cut to ${length} octets is counted`).toBeGreaterThan(before);
      }
    }
    expect(target.tcp.connectionCount).toBe(0);
    // It still takes what is whole.
    const { reactions } = target;
    target.receive(addressed.bytes);
    target.clock.advance(10);
    expect(target.reactions).toBeGreaterThan(reactions);
  });
}
