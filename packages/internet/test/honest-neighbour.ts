// Somebody on a link who behaves, and asks a host for what every host does: ARP, ping, UDP, TCP.
import { type Ipv4Address, ip, type MacAddress, NULL_MAC, PacketBuffer } from "@netstrata/core";
import {
  ARP_LENGTH,
  ARP_REPLY,
  ARP_REQUEST,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_VLAN,
  prependEthernet,
  prependVlanTag,
  writeArp,
} from "@netstrata/link";
import { prependTcp, prependUdp } from "@netstrata/transport";
import { prependIcmp, prependIpv4 } from "../src/index.ts";
import { type AttackedHost, type Link, OWN_ADDRESSES } from "./attacked-host.ts";
import { judgeFrame } from "./frame-judge.ts";

const ADDRESSES = ["192.0.2.9", "198.51.100.9", "203.0.113.9"] as const;
const HEADROOM = 100;
const ATTEMPTS = 10;
const PAUSE = 1500;
const MAC = 0x020000000009 as MacAddress;

export class HonestNeighbour {
  private readonly host: AttackedHost;
  private readonly link: Link;
  private readonly address: Ipv4Address;
  private readonly hostAddress: Ipv4Address;

  /** @param index of the link */
  constructor(host: AttackedHost, index: number) {
    this.host = host;
    this.link = host.links[index];
    this.address = ip(ADDRESSES[index]) as Ipv4Address;
    this.hostAddress = ip(OWN_ADDRESSES[index]) as Ipv4Address;
  }

  /** What the host does not do any more; undefined when it does everything. */
  complaint(): string | undefined {
    const { name } = this.link.far;
    if (!this.resolves()) return `${name}: no answer to ARP`;
    if (!this.persists(() => this.pings())) return `${name}: no answer to ping`;
    if (!this.persists(() => this.echoes())) return `${name}: no answer by UDP`;
    return this.persists((attempt) => this.connects(attempt)) ? undefined : `${name}: no answer to SYN`;
  }

  /**
   * Again and again, as everybody does: neighbours that do not answer make room in the table once they have been given up, and
   * half-open connections of the others once they have let a SYN,ACK be repeated.
   */
  private persists(ask: (attempt: number) => boolean): boolean {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (ask(attempt)) return true;
      this.host.clock.advance(PAUSE);
    }
    return false;
  }

  private resolves(): boolean {
    if (this.link.macAddress === undefined) return true;
    return this.exchange(this.arp(ARP_REQUEST), ETHERTYPE_ARP).some((seen) => "operation" in seen && seen.operation === ARP_REPLY);
  }

  private arp(operation: number): PacketBuffer {
    const packet = PacketBuffer.allocate(HEADROOM, ARP_LENGTH);
    const sender = { operation, senderHardware: MAC, senderProtocol: this.address };
    writeArp(packet, { ...sender, targetHardware: NULL_MAC, targetProtocol: this.hostAddress });
    return packet;
  }

  private pings(): boolean {
    const packet = PacketBuffer.allocate(HEADROOM, 8);
    prependIcmp(packet, { type: 8, code: 0, rest: 1 });
    return this.ask(packet, 1);
  }

  private echoes(): boolean {
    const packet = PacketBuffer.allocate(HEADROOM, 8);
    prependUdp(packet, 1000, 7, this.address, this.hostAddress);
    return this.ask(packet, 17);
  }

  private connects(attempt: number): boolean {
    const packet = PacketBuffer.allocate(HEADROOM, 0);
    const fields = { sourcePort: 7000 + attempt, destinationPort: 80, seq: 1, ack: 0, flags: 2, window: 1000, urgentPointer: 0 };
    prependTcp(packet, fields, 0, this.address, this.hostAddress);
    return this.ask(packet, 6);
  }

  private ask(packet: PacketBuffer, protocol: number): boolean {
    prependIpv4(packet, {
      source: this.address,
      destination: this.hostAddress,
      protocol,
      timeToLive: 64,
      trafficClass: 0,
      identification: 0,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
    });
    const answers = this.exchange(packet, ETHERTYPE_IPV4);
    return answers.some((seen) => seen instanceof Uint8Array && seen[9] === protocol && PacketBuffer.wrap(seen).u32(16) === this.address);
  }

  private exchange(packet: PacketBuffer, etherType: number): ReturnType<typeof judgeFrame>[] {
    this.link.far.take();
    const answers = this.deliver(packet, etherType);
    // A host whose table is full does not remember everybody who asks, and may have to ask back.
    const isAsked = answers.some((seen) => "operation" in seen && seen.operation === ARP_REQUEST && seen.targetProtocol === this.address);
    return isAsked ? [...answers, ...this.deliver(this.arp(ARP_REPLY), ETHERTYPE_ARP)] : answers;
  }

  private deliver(packet: PacketBuffer, etherType: number): ReturnType<typeof judgeFrame>[] {
    const { far, macAddress, vlan, interface: networkInterface } = this.link;
    if (macAddress !== undefined) {
      if (vlan !== 0) prependVlanTag(packet, vlan, etherType);
      prependEthernet(packet, macAddress, MAC, vlan === 0 ? etherType : ETHERTYPE_VLAN);
    }
    far.deliver(packet.slice());
    this.host.clock.advance(0);
    return far.take().map((frame) => judgeFrame(frame, networkInterface, this.host.layer, this.host.own));
  }
}
