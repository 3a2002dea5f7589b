// Datagrams from somebody who knows every header and means no good: valid ones first, then damaged in ways that still get far.
import { foldChecksum, type Ipv4Address, ip, PacketBuffer, sumBytes } from "@netstrata/core";
import { prependTcp, prependUdp } from "@netstrata/transport";
import { fragmentIpv4, prependIcmp, prependIpv4 } from "../src/index.ts";
import type { Chance } from "./hostile-chance.ts";

/** For the longest IP header, a transport header, SNAP, and more tags than anybody accepts. */
export const HEADROOM = 200;
const REMEMBERED = 16;

/** What addresses mean to the host. */
export interface KnownAddresses {
  readonly own: readonly string[];
  readonly neighbours: readonly string[];
  /** For many, or for nobody. */
  readonly special: readonly string[];
}

export class HostileDatagrams {
  private readonly chance: Chance;
  private readonly own: readonly Ipv4Address[];
  private readonly neighbours: readonly Ipv4Address[];
  private readonly special: readonly Ipv4Address[];
  /** Datagrams of the host, to be answered, quoted in errors, and thrown back at it. */
  private readonly overheard: Uint8Array[] = [];
  /** Fragments of one datagram that are still to be sent. */
  private fragments: PacketBuffer[] = [];

  constructor(chance: Chance, { own, neighbours, special }: KnownAddresses) {
    this.chance = chance;
    [this.own, this.neighbours, this.special] = [own, neighbours, special].map((list) => list.map((text) => ip(text) as Ipv4Address));
  }

  /** The attacker sees what the host sends, and remembers some of it. */
  overhear(datagram: Uint8Array): void {
    if (this.overheard.length < REMEMBERED) this.overheard.push(datagram);
    else this.overheard[this.chance.below(REMEMBERED)] = datagram;
  }

  datagram(): PacketBuffer {
    const { chance } = this;
    if (this.fragments.length > 0 && chance.oneIn(2)) return this.nextFragment();
    if (this.overheard.length > 0 && chance.oneIn(4)) return this.reaction(PacketBuffer.wrap(chance.pick(this.overheard)).copy(HEADROOM));
    const packet = this.valid(this.source(), this.destination());
    if (packet.length > 80 && (packet.u16(6) & 0x4000) === 0 && chance.oneIn(4)) return this.fragmented(packet);
    return chance.oneIn(3) ? this.damaged(packet) : packet;
  }

  source(): Ipv4Address {
    const somebody = (0xc0000200 + this.chance.below(256)) as Ipv4Address;
    if (this.chance.oneIn(12)) return this.chance.random.uint32() as Ipv4Address;
    return this.chance.pickFrom(
      this.neighbours,
      this.neighbours,
      this.neighbours,
      [somebody],
      this.chance.oneIn(2) ? this.own : this.special,
    );
  }

  destination(): Ipv4Address {
    if (this.chance.oneIn(12)) return this.chance.random.uint32() as Ipv4Address;
    return this.chance.pickFrom(this.own, this.own, this.own, this.neighbours, this.special);
  }

  private valid(source: Ipv4Address, destination: Ipv4Address): PacketBuffer {
    const { chance } = this;
    const [protocol, packet] = this.message(source, destination);
    prependIpv4(packet, {
      source,
      destination,
      protocol,
      timeToLive: chance.pick([64, 64, 64, 1, 0, 2]),
      trafficClass: chance.below(256),
      identification: chance.below(65536),
      dontFragment: chance.oneIn(3),
      moreFragments: false,
      fragmentOffset: 0,
      options: chance.oneIn(4) ? this.options() : undefined,
    });
    return packet;
  }

  private message(source: Ipv4Address, destination: Ipv4Address): [number, PacketBuffer] {
    const { chance } = this;
    const packet = PacketBuffer.allocate(HEADROOM, chance.pick([0, 1, 8, 60, 200, 700, 1300]));
    packet.set(chance.octets(packet.length));
    const kind = chance.below(12);
    if (kind < 4) {
      prependUdp(packet, this.port(), this.port(), source, destination);
      return [17, packet];
    }
    if (kind < 7) {
      const numbers = { seq: chance.random.uint32(), ack: chance.random.uint32(), window: chance.below(65536), urgentPointer: 0 };
      const fields = { sourcePort: this.port(), destinationPort: this.port(), flags: chance.pick([2, 2, 2, 16, 18, 4, 1, 0, 63]) };
      prependTcp(packet, { ...numbers, ...fields }, 0, source, destination);
      return [6, packet];
    }
    if (kind < 11) {
      const type = chance.pick([8, 8, 8, 8, 0, 13, 17, chance.below(256)]);
      prependIcmp(packet, { type, code: chance.below(3), rest: chance.random.uint32() });
      return [1, packet];
    }
    return [chance.below(256), packet];
  }

  private fragmented(packet: PacketBuffer): PacketBuffer {
    const { chance } = this;
    const headerLength = (packet.u8(0) & 0xf) * 4;
    const pieces = fragmentIpv4(packet, headerLength + 8 * (2 + chance.below(packet.length >> 4)), HEADROOM) ?? [];
    if (pieces.length < 2) return packet;
    this.fragments = pieces;
    return this.nextFragment();
  }

  private nextFragment(): PacketBuffer {
    const [fragment] = this.fragments.splice(this.chance.below(this.fragments.length), 1);
    if (this.chance.oneIn(10)) return this.damaged(fragment);
    if (this.chance.oneIn(10)) this.fragments.push(fragment.copy(HEADROOM));
    if (!this.chance.oneIn(10)) return fragment;
    // The same octets, but elsewhere: they overlap others, lie behind the end, or leave a hole.
    fragment.setU16(6, this.chance.pick([fragment.u16(6) + 1, fragment.u16(6) - 1, fragment.u16(6) ^ 0x2000, 0x3fff, 0x1fff]));
    return withChecksum(fragment);
  }

  /** To something that the host has sent: thrown back as it is, turned round, acknowledged, or refused. */
  private reaction(packet: PacketBuffer): PacketBuffer {
    const { chance } = this;
    const [source, destination] = [packet.u32(16) as Ipv4Address, packet.u32(12) as Ipv4Address];
    const headerLength = (packet.u8(0) & 0xf) * 4;
    const kind = chance.below(8);
    if (kind === 0) return packet;
    if (kind < 4) return this.error(packet, chance.oneIn(2) ? source : this.source(), destination);
    if (packet.u8(9) === 6 && packet.length >= headerLength + 20) {
      packet.consume(headerLength);
      const fields = { sourcePort: packet.u16(2), destinationPort: packet.u16(0), window: chance.below(65536), urgentPointer: 0 };
      const numbers = { seq: packet.u32(8), ack: (packet.u32(4) + 1) >>> 0, flags: chance.pick([16, 16, 18, 17, 20, 4]) };
      packet.consume(packet.length);
      prependTcp(packet, { ...fields, ...numbers }, 0, source, destination);
      const rest = { identification: 1, dontFragment: true, moreFragments: false, fragmentOffset: 0, timeToLive: 64, trafficClass: 0 };
      prependIpv4(packet, { ...rest, source, destination, protocol: 6 });
      return packet;
    }
    packet.setU32(12, source);
    packet.setU32(16, destination);
    return chance.oneIn(3) ? this.damaged(packet) : packet;
  }

  private error(quoted: PacketBuffer, source: Ipv4Address, destination: Ipv4Address): PacketBuffer {
    const { chance } = this;
    if (chance.oneIn(4)) quoted = this.damaged(quoted);
    quoted.truncate(chance.pick([quoted.length, quoted.length, 28, 20, 27, 3]));
    prependIcmp(quoted, {
      type: chance.pick([3, 3, 3, 4, 5, 11, 12]),
      code: chance.pick([0, 1, 2, 3, 4, 4, 4, chance.below(256)]),
      rest: chance.pick([0, 68, 600, 1300, 0xffffffff]),
    });
    const rest = { identification: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0, timeToLive: 64, trafficClass: 0 };
    prependIpv4(quoted, { ...rest, source, destination, protocol: 1 });
    return quoted;
  }

  private options(): Uint8Array {
    const { chance } = this;
    const options = chance.oneIn(4) ? chance.octets(4 * (1 + chance.below(10))) : new Uint8Array(4 * (1 + chance.below(10)));
    if (chance.oneIn(4)) return options;
    const length = chance.pick([3, 4, 7, 11, options.length, options.length - 1]);
    const pointer = chance.pick([4, 5, 8, 12, length + 1, length + 1, length + 1, 255]);
    options.set([chance.pick([7, 68, 131, 131, 137, 137, 148, 25]), length, pointer]);
    const view = new DataView(options.buffer);
    for (let at = 3; at + 4 <= options.length; at += 4) view.setUint32(at, chance.oneIn(2) ? this.source() : this.destination());
    return options;
  }

  /** Some octets changed, cut off or added; the header checksum mostly right again, so that it is not thrown away for that. */
  private damaged(packet: PacketBuffer): PacketBuffer {
    const { chance } = this;
    for (let count = 1 + chance.below(3); count > 0 && packet.length > 0; count -= 1)
      packet.setU8(chance.below(Math.min(packet.length, 64)), chance.random.uint32());
    if (chance.oneIn(4)) packet.truncate(chance.below(packet.length + 1));
    if (packet.length >= 20 && !chance.oneIn(3)) packet.setU16(2, packet.length);
    if (packet.length >= 20 && !chance.oneIn(3)) packet.setU8(0, 0x40 | Math.max(5, packet.u8(0) & 0xf));
    return chance.oneIn(5) ? packet : withChecksum(packet);
  }

  private port(): number {
    return this.chance.pick([7, 7, 80, 80, 9, this.chance.below(65536)]);
  }
}

function withChecksum(packet: PacketBuffer): PacketBuffer {
  const headerLength = packet.length < 20 ? 0 : (packet.u8(0) & 0xf) * 4;
  if (headerLength < 20 || headerLength > packet.length) return packet;
  packet.setU16(10, 0);
  packet.setU16(10, foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + headerLength)));
  return packet;
}
