// Reassembly of IPv4 datagrams (RFC 791 §3.2, RFC 1122 §3.3.2): which fragments belong together, and the header of the whole.
import { foldChecksum, type Host, PacketBuffer, sumBytes } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import { PROTOCOL_TCP } from "./ip-protocol.ts";
import type { Ipv4Counters, Ipv4DropReason, Ipv4Drops } from "./ipv4-counters.ts";
import { IPV4_HEADER_LENGTH, IPV4_MAX_LENGTH, type Ipv4Header } from "./ipv4-header.ts";
import { type FirstFragment, type OnReassemblyTimeout, type ReassemblyLimits, ReassemblyTable } from "./reassembly-table.ts";

const CONGESTION_EXPERIENCED = 0b11;

export class Reassembler extends ReassemblyTable<Ipv4Header> {
  private readonly ipv4Counters: Ipv4Counters;
  private readonly ipv4Drops: Ipv4Drops;

  constructor(
    host: Host,
    counters: Ipv4Counters,
    drops: Ipv4Drops,
    limits: Partial<ReassemblyLimits>,
    onTimeout: OnReassemblyTimeout<Ipv4Header>,
  ) {
    super(host, counters, drops, limits, onTimeout);
    this.ipv4Counters = counters;
    this.ipv4Drops = drops;
  }

  /**
   * Takes a fragment.
   * @param packet its window is the fragment's payload, behind its header; it is only read
   * @returns the whole datagram from its IP header on, when this fragment completes it
   */
  add(packet: PacketBuffer, header: Ipv4Header, cast: LinkCast): PacketBuffer | undefined {
    this.ipv4Counters.ReasmReqds += 1;
    const fault = faultOf(packet.length, header);
    if (fault !== undefined) {
      this.ipv4Drops.count(fault, packet);
      return undefined;
    }
    // RFC 791 §3.2: these four say which datagram a fragment belongs to.
    const key = `${header.source},${header.destination},${header.protocol},${header.identification}`;
    const { headerLength, fragmentOffset: offset, moreFragments, trafficClass } = header;
    return this.collect(key, { header, headerLength, offset, isLast: !moreFragments, trafficClass }, packet, cast);
  }

  protected override allocate({ bytes }: FirstFragment<Ipv4Header>, payloadLength: number, marked: boolean): PacketBuffer | undefined {
    if (bytes.length + payloadLength > IPV4_MAX_LENGTH) return undefined;
    const whole = PacketBuffer.allocate(0, bytes.length + payloadLength);
    whole.set(bytes);
    if (marked) whole.setU8(1, whole.u8(1) | CONGESTION_EXPERIENCED);
    whole.setU16(2, whole.length);
    whole.setU16(6, 0);
    whole.setU16(10, 0);
    whole.setU16(10, foldChecksum(sumBytes(whole.bytes, whole.start, whole.start + bytes.length)));
    return whole;
  }
}

/** What is wrong with a fragment by itself; undefined when nothing is. */
function faultOf(length: number, header: Ipv4Header): Ipv4DropReason | undefined {
  if (length === 0) return "empty-fragment";
  // RFC 791 §3.2: offsets count in units of 8 octets, so only the last fragment can end elsewhere.
  if (header.moreFragments && length % 8 !== 0) return "unaligned-fragment";
  // RFC 1858 §3.2.2: no honest sender puts TCP's flags into a second fragment; filters look for them in the first.
  if (header.protocol === PROTOCOL_TCP && header.fragmentOffset === 8) return "tiny-fragment";
  if (header.fragmentOffset + length > IPV4_MAX_LENGTH - IPV4_HEADER_LENGTH) return "oversize-datagram";
  return undefined;
}
