// Frames from somebody who knows every header and means no good: ARP, and datagrams in every wrapping there is.
import { type MacAddress, PacketBuffer, randomMac } from "@netstrata/core";
import {
  ARP_LENGTH,
  ARP_REPLY,
  ARP_REQUEST,
  type ArpMessage,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_SERVICE_VLAN,
  ETHERTYPE_VLAN,
  prependEthernet,
  prependVlanTag,
  writeArp,
} from "@netstrata/link";
import type { Chance } from "./hostile-chance.ts";
import { HEADROOM, type HostileDatagrams } from "./hostile-datagrams.ts";

/** What the attacker knows of a link. */
export interface KnownLink {
  /** The host's; undefined on a medium that carries bare datagrams. */
  readonly macAddress: MacAddress | undefined;
  readonly vlan: number;
}

export class HostileFrames {
  private readonly chance: Chance;
  private readonly datagrams: HostileDatagrams;
  private readonly macs: readonly MacAddress[];
  private readonly groups: readonly MacAddress[] = [0, 0xffffffffffff, 0x01005e000001, 0x0180c2000000] as MacAddress[];
  /** What the host has asked by ARP. */
  private question: ArpMessage | undefined;

  constructor(chance: Chance, datagrams: HostileDatagrams) {
    this.chance = chance;
    this.datagrams = datagrams;
    this.macs = Array.from({ length: 12 }, () => randomMac(chance.random));
  }

  /** The host has sent an ARP message. */
  overhear(message: ArpMessage): void {
    if (message.operation === ARP_REQUEST) this.question = message;
  }

  /** Something to put on `link`. */
  frame(link: KnownLink): Uint8Array {
    const { chance } = this;
    if (chance.oneIn(25)) return chance.octets(chance.below(200));
    if (link.macAddress !== undefined && chance.oneIn(5)) return this.framed(this.arp(), link, ETHERTYPE_ARP);
    const datagram = this.datagrams.datagram();
    if (link.macAddress === undefined) return datagram.slice();
    return this.framed(datagram, link, chance.oneIn(30) ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
  }

  private arp(): PacketBuffer {
    const { chance, question } = this;
    const packet = PacketBuffer.allocate(HEADROOM, ARP_LENGTH);
    const isAnswer = question !== undefined && chance.oneIn(2);
    writeArp(packet, {
      operation: isAnswer ? ARP_REPLY : chance.oneIn(10) ? chance.below(65536) : chance.pick([ARP_REQUEST, ARP_REPLY]),
      senderHardware: this.mac(),
      senderProtocol: isAnswer ? question.targetProtocol : this.datagrams.source(),
      targetHardware: this.mac(),
      targetProtocol: isAnswer ? question.senderProtocol : this.datagrams.destination(),
    });
    if (chance.oneIn(6)) packet.setU8(chance.below(ARP_LENGTH), chance.below(256));
    if (chance.oneIn(20)) packet.truncate(chance.below(ARP_LENGTH));
    return packet;
  }

  private framed(packet: PacketBuffer, link: KnownLink, etherType: number): Uint8Array {
    const { chance } = this;
    const destination = chance.oneIn(6) ? this.mac() : (link.macAddress as MacAddress);
    let type = chance.oneIn(40) ? chance.below(65536) : etherType;
    if (chance.oneIn(12)) {
      const length = packet.length + 8;
      packet.prepend(8);
      packet.setU32(0, 0xaaaa0300);
      packet.setU32(4, type);
      type = chance.oneIn(4) ? chance.below(1600) : length;
    }
    const tags = chance.oneIn(20) ? chance.below(7) : link.vlan === 0 ? 0 : 1;
    for (let count = 0; count < tags; count += 1) {
      prependVlanTag(packet, chance.oneIn(20) ? chance.below(65536) : link.vlan, type);
      type = chance.oneIn(20) ? ETHERTYPE_SERVICE_VLAN : ETHERTYPE_VLAN;
    }
    prependEthernet(packet, destination, this.mac(), type);
    const frame = packet.slice();
    if (chance.oneIn(20)) return frame.subarray(0, chance.below(frame.length));
    if (frame.length >= 60) return frame;
    const padded = chance.octets(60);
    padded.set(frame);
    return padded;
  }

  private mac(): MacAddress {
    return this.chance.oneIn(5) ? this.chance.pick(this.groups) : this.chance.pick(this.macs);
  }
}
