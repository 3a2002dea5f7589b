// Names of ICMP types and codes (RFC 792, RFC 1122 §3.2.2, RFC 4443), as scripts write them.
import type { IpVersion } from "@netstrata/core";

export interface IcmpKind {
  readonly type: number;
  readonly code: number;
}

type Names = ReadonlyMap<string, number>;

const names = (text: string, first = 0): Names => new Map(text.split(" ").map((name, index) => [name, first + index]));

const TYPES: Readonly<Record<IpVersion, Names>> = {
  4: new Map([
    ["echo_reply", 0],
    ["unreachable", 3],
    ["dest_unreachable", 3],
    ["source_quench", 4],
    ["redirect", 5],
    ["echo_request", 8],
    ["echo", 8],
    ["router_advertisement", 9],
    ["router_solicitation", 10],
    ["time_exceeded", 11],
    ["parameter_problem", 12],
    ["timestamp_request", 13],
    ["timestamp_reply", 14],
    // So that one script serves both versions.
    ["packet_too_big", 3],
  ]),
  6: new Map([
    ["unreachable", 1],
    ["dest_unreachable", 1],
    ["packet_too_big", 2],
    ["time_exceeded", 3],
    ["parameter_problem", 4],
    ["echo_request", 128],
    ["echo", 128],
    ["echo_reply", 129],
  ]),
};

const CODES: Readonly<Record<IpVersion, ReadonlyMap<number, Names>>> = {
  4: new Map([
    [
      3,
      names(
        "net_unreachable host_unreachable protocol_unreachable port_unreachable frag_needed source_route_failed net_unknown host_unknown source_host_isolated net_prohibited host_prohibited net_unreachable_for_tos host_unreachable_for_tos packet_filtered precedence_violation precedence_cutoff",
      ),
    ],
    [5, names("redirect_net redirect_host redirect_net_tos redirect_host_tos")],
    [11, names("ttl_exceeded_in_transit fragment_reassembly_time_exceeded")],
    [12, names("pointer_indicates_error missing_option bad_length")],
  ]),
  6: new Map([
    [1, names("no_route admin_prohibited not_neighbour address_unreachable port_unreachable policy_fail reject_route")],
    [3, names("hop_limit_exceeded fragment_reassembly_time_exceeded")],
    [4, names("erroneous_header unknown_next_header unknown_option")],
  ]),
};

/** Other spellings, and what the codes of one version are called in the other. */
const SYNONYMS: Readonly<Record<IpVersion, Readonly<Record<string, string>>>> = {
  4: {
    network_unreachable: "net_unreachable",
    no_route: "net_unreachable",
    address_unreachable: "host_unreachable",
    addr_unreachable: "host_unreachable",
    admin_prohibited: "packet_filtered",
    communication_prohibited: "packet_filtered",
    fragmentation_needed: "frag_needed",
    exc_ttl: "ttl_exceeded_in_transit",
    exceeded_ttl: "ttl_exceeded_in_transit",
    exceeded_frag: "fragment_reassembly_time_exceeded",
  },
  6: {
    net_unreachable: "no_route",
    host_unreachable: "address_unreachable",
    addr_unreachable: "address_unreachable",
    not_neighbor: "not_neighbour",
    packet_filtered: "admin_prohibited",
    exceeded_hop_limit: "hop_limit_exceeded",
    unknown_header: "unknown_next_header",
  },
};

/** Undefined for names that this IP version has not. */
export function icmpKind(version: IpVersion, type: string, code: string | undefined): IcmpKind | undefined {
  // IPv4's "fragmentation needed" is a type of its own in IPv6 (RFC 4443 §3.2), and the other way round.
  if (version === 6 && code === "frag_needed") return { type: 2, code: 0 };
  if (version === 4 && type === "packet_too_big") return { type: 3, code: 4 };
  const typeNumber = /^\d+$/.test(type) ? Number(type) : TYPES[version].get(type);
  if (typeNumber === undefined || typeNumber > 255) return undefined;
  if (code === undefined) return { type: typeNumber, code: 0 };
  const codes = CODES[version].get(typeNumber);
  const codeNumber = /^\d+$/.test(code) ? Number(code) : (codes?.get(code) ?? codes?.get(SYNONYMS[version][code] ?? ""));
  return codeNumber === undefined || codeNumber > 255 ? undefined : { type: typeNumber, code: codeNumber };
}

/** `unreachable port_unreachable` */
export function describeIcmpKind(version: IpVersion, { type, code }: IcmpKind): string {
  const find = (map: Names | undefined, value: number): string => [...(map ?? [])].find(([, each]) => each === value)?.[0] ?? String(value);
  const codes = CODES[version].get(type);
  return codes === undefined && code === 0 ? find(TYPES[version], type) : `${find(TYPES[version], type)} ${find(codes, code)}`;
}
