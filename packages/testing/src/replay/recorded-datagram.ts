// From captured packets to whole IPv4 datagrams: link headers off, fragments put together (RFC 791 §3.2).

import type { CapturedPacket } from "@netstrata/capture";
import { foldChecksum, type Milliseconds, PacketBuffer, SeededRandom, sumBytes, VirtualClock } from "@netstrata/core";
import { createIpv4Counters, createIpv4Drops, type Ipv4Header, Reassembler, readUncheckedIpv4Header } from "@netstrata/internet";
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, readLinkHeader } from "@netstrata/link";

export interface RecordedDatagram {
  /** The packet of the file, counted from 1; of a fragmented datagram the last one. */
  readonly number: number;
  /** Since the first packet of the file. */
  readonly time: Milliseconds;
  readonly header: Ipv4Header;
  /** From the IP header on, as far as it was captured. */
  readonly bytes: Uint8Array;
  /** Octets that the capture cut off. */
  readonly missing: number;
  /** The header's own checksum is right. */
  readonly checksumGood: boolean;
}

/** Why a packet of the file plays no part in a replay. */
export type IgnoredPacket = "not-ipv4" | "ipv6" | "malformed" | "fragment";

export class DatagramReader {
  /** Packets that became no datagram, by reason. A fragment counts here until the last one of its datagram came. */
  readonly ignored: Record<IgnoredPacket, number> = { "not-ipv4": 0, ipv6: 0, malformed: 0, fragment: 0 };
  private readonly clock = new VirtualClock();
  private readonly reassembler: Reassembler;
  private origin: bigint | undefined;

  constructor() {
    const host = { name: "recording", clock: this.clock, random: new SeededRandom(0) };
    const counters = createIpv4Counters();
    this.reassembler = new Reassembler(host, counters, createIpv4Drops(host, counters), {}, () => {});
  }

  read(packet: CapturedPacket): RecordedDatagram | undefined {
    this.origin ??= packet.timestamp;
    const time = Number(packet.timestamp - this.origin) / 1e6;
    const datagram = PacketBuffer.wrap(packet.bytes);
    const link = readLinkHeader(packet.linkType, datagram);
    if (typeof link === "string") return this.ignore("malformed");
    if (link.etherType !== ETHERTYPE_IPV4) return this.ignore(link.etherType === ETHERTYPE_IPV6 ? "ipv6" : "not-ipv4");
    const header = readUncheckedIpv4Header(datagram);
    if (typeof header === "string") return this.ignore("malformed");
    datagram.truncate(header.totalLength);
    const missing = header.totalLength - datagram.length;
    const { number } = packet;
    if (!header.moreFragments && header.fragmentOffset === 0) {
      const checksumGood = foldChecksum(sumBytes(datagram.bytes, datagram.start, datagram.start + header.headerLength)) === 0;
      return { number, time, header, bytes: datagram.view(), missing, checksumGood };
    }
    return missing > 0 ? this.ignore("malformed") : this.collect(number, time, datagram, header);
  }

  private collect(number: number, time: Milliseconds, datagram: PacketBuffer, header: Ipv4Header): RecordedDatagram | undefined {
    this.clock.runUntil(time);
    datagram.consume(header.headerLength);
    const whole = this.reassembler.add(datagram, header, "unicast");
    const wholeHeader = whole === undefined ? undefined : readUncheckedIpv4Header(whole);
    if (whole === undefined || wholeHeader === undefined || typeof wholeHeader === "string") return this.ignore("fragment");
    return { number, time, header: wholeHeader, bytes: whole.view(), missing: 0, checksumGood: true };
  }

  private ignore(reason: IgnoredPacket): undefined {
    this.ignored[reason] += 1;
    return undefined;
  }
}
