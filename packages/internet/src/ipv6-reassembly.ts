// Reassembly of IPv6 datagrams (RFC 8200 §4.5, RFC 5722, RFC 7112): which fragments belong together, and the header of the whole.
import { type Host, PacketBuffer } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import type { Ipv6Counters, Ipv6Drops } from "./ipv6-counters.ts";
import { type FragmentHeader, faultOfFirstFragment, type HeaderChain } from "./ipv6-extension-headers.ts";
import { FRAGMENT_HEADER_LENGTH } from "./ipv6-fragmentation.ts";
import { IPV6_HEADER_LENGTH, IPV6_MAX_PAYLOAD, type Ipv6Header } from "./ipv6-header.ts";
import { type Ipv6Fault, PROBLEM_ERRONEOUS_FIELD } from "./ipv6-options.ts";
import { type FirstFragment, type OnReassemblyTimeout, type ReassemblyLimits, ReassemblyTable } from "./reassembly-table.ts";

const CONGESTION_EXPERIENCED = 0b11 << 20;
const PAYLOAD_LENGTH_FIELD = 4;

/** The header of a fragment, with where its chain stopped. */
export interface Ipv6FragmentHeaders {
  readonly header: Ipv6Header;
  readonly chain: HeaderChain;
}

export class Ipv6Reassembler extends ReassemblyTable<Ipv6FragmentHeaders> {
  private readonly ipv6Counters: Ipv6Counters;

  constructor(
    host: Host,
    counters: Ipv6Counters,
    drops: Ipv6Drops,
    limits: Partial<ReassemblyLimits>,
    onTimeout: OnReassemblyTimeout<Ipv6FragmentHeaders>,
  ) {
    super(host, counters, drops, limits, onTimeout);
    this.ipv6Counters = counters;
  }

  /**
   * Takes a fragment.
   * @param packet its window starts at the IPv6 header, and does so afterwards
   * @returns the whole datagram from its IPv6 header on when this fragment completes it; what is wrong with the fragment by itself
   */
  add(
    packet: PacketBuffer,
    header: Ipv6Header,
    chain: HeaderChain,
    fragment: FragmentHeader,
    cast: LinkCast,
  ): PacketBuffer | Ipv6Fault | undefined {
    this.ipv6Counters.ReasmReqds += 1;
    const fault = faultOf(packet, chain, fragment);
    if (fault !== undefined) return fault;
    // RFC 8200 §4.5: these three; the Next Header of later fragments means nothing.
    const key = `${header.source}${header.destination}${fragment.identification}`;
    const { headerLength } = chain;
    packet.consume(headerLength);
    const piece = {
      header: { header, chain },
      headerLength,
      offset: fragment.offset,
      isLast: !fragment.moreFragments,
      trafficClass: header.trafficClass,
    };
    const whole = this.collect(key, piece, packet, cast);
    packet.rewind(headerLength);
    return whole;
  }

  /** RFC 8200 §4.5: the per-fragment headers of the first fragment without the fragment header, which is cut out of the chain. */
  protected override allocate(
    { bytes, header: { chain } }: FirstFragment<Ipv6FragmentHeaders>,
    payloadLength: number,
    marked: boolean,
  ): PacketBuffer | undefined {
    const headers = bytes.length - FRAGMENT_HEADER_LENGTH;
    const length = headers - IPV6_HEADER_LENGTH + payloadLength;
    if (length > IPV6_MAX_PAYLOAD) return undefined;
    const whole = PacketBuffer.allocate(0, headers + payloadLength);
    whole.set(bytes.subarray(0, headers));
    if (marked) whole.setU32(0, (whole.u32(0) | CONGESTION_EXPERIENCED) >>> 0);
    whole.setU16(PAYLOAD_LENGTH_FIELD, length);
    whole.setU8(chain.fragment?.namedAt ?? 6, chain.protocol);
    return whole;
  }
}

/** What is wrong with a fragment by itself (RFC 8200 §4.5). */
function faultOf(packet: PacketBuffer, chain: HeaderChain, fragment: FragmentHeader): Ipv6Fault | undefined {
  const length = packet.length - chain.headerLength;
  if (length === 0) return { reason: "empty-fragment", pointer: fragment.at };
  if (fragment.moreFragments && length % 8 !== 0) {
    return { reason: "unaligned-fragment", code: PROBLEM_ERRONEOUS_FIELD, pointer: PAYLOAD_LENGTH_FIELD };
  }
  if (fragment.offset + length > IPV6_MAX_PAYLOAD) {
    return { reason: "oversize-datagram", code: PROBLEM_ERRONEOUS_FIELD, pointer: fragment.at + 2 };
  }
  return fragment.offset === 0 ? faultOfFirstFragment(packet, chain) : undefined;
}
