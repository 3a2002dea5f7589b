// IPv6 (RFC 8200) as one of the internet layer's modules: its parts, put together.
import type { Host, IpAddress, PacketBuffer } from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import type { DestinationCache } from "./destination-cache.ts";
import type { Gateway, Refusal } from "./gateway/gateway.ts";
import { resetSender } from "./gateway/rejection.ts";
import type { IcmpHeader } from "./icmp-message.ts";
import type { Icmpv6 } from "./icmpv6.ts";
import {
  ICMPV6_DESTINATION_UNREACHABLE,
  ICMPV6_TIME_EXCEEDED,
  UNREACHABLE_V6_ADDRESS,
  UNREACHABLE_V6_PORT,
  UNREACHABLE_V6_PROHIBITED,
} from "./icmpv6-message.ts";
import type { IpProtocolHandler, IpSendOptions, IpSendResult, IpService } from "./ip-service.ts";
import { createIpv6Counters, createIpv6Drops, type Ipv6Counters, type Ipv6Drops } from "./ipv6-counters.ts";
import { type ExtensionHeaderLimits, resolveExtensionHeaderLimits } from "./ipv6-extension-headers.ts";
import { Ipv6Forwarding } from "./ipv6-forwarding.ts";
import { type Ipv6Header, readUncheckedIpv6Header } from "./ipv6-header.ts";
import { Ipv6Input } from "./ipv6-input.ts";
import { Ipv6Output } from "./ipv6-output.ts";
import { Ipv6Reassembler } from "./ipv6-reassembly.ts";
import type { LocalAddresses } from "./local-addresses.ts";
import type { ReassemblyLimits } from "./reassembly-table.ts";

/** What the IANA recommends for both families; routers may say another (RFC 4861 §6.3.4). */
export const DEFAULT_HOP_LIMIT = 64;

const ADDRESS_UNREACHABLE: IcmpHeader = { type: ICMPV6_DESTINATION_UNREACHABLE, code: UNREACHABLE_V6_ADDRESS, rest: 0 };
const REASSEMBLY_TIME_EXCEEDED: IcmpHeader = { type: ICMPV6_TIME_EXCEEDED, code: 1, rest: 0 };
const PORT_UNREACHABLE: IcmpHeader = { type: ICMPV6_DESTINATION_UNREACHABLE, code: UNREACHABLE_V6_PORT, rest: 0 };
const PROHIBITED: IcmpHeader = { type: ICMPV6_DESTINATION_UNREACHABLE, code: UNREACHABLE_V6_PROHIBITED, rest: 0 };
/** Below this, a quotation says nothing to a transport. */
const LEAST_QUOTED_PAYLOAD = 8;

export interface Ipv6Options {
  /** The hop limit of datagrams whose sender gives none. @default 64 */
  readonly timeToLive?: number;
  readonly reassembly?: Partial<ReassemblyLimits>;
  readonly extensionHeaders?: Partial<ExtensionHeaderLimits>;
}

export class Ipv6 {
  readonly counters: Ipv6Counters = createIpv6Counters();
  readonly drops: Ipv6Drops;
  readonly reassembler: Ipv6Reassembler;
  readonly forwarding: Ipv6Forwarding;
  private readonly addresses: LocalAddresses;
  private readonly destinations: DestinationCache;
  private readonly handlers: readonly (IpProtocolHandler | undefined)[];
  private readonly icmp: Icmpv6;
  private readonly ip: IpService;
  private readonly input: Ipv6Input;
  private readonly output: Ipv6Output;

  constructor(
    host: Host,
    addresses: LocalAddresses,
    destinations: DestinationCache,
    handlers: readonly (IpProtocolHandler | undefined)[],
    icmp: Icmpv6,
    ip: IpService,
    gateway: Gateway | undefined,
    options: Ipv6Options = {},
  ) {
    this.ip = ip;
    this.addresses = addresses;
    this.destinations = destinations;
    this.handlers = handlers;
    this.icmp = icmp;
    const { counters } = this;
    const refuse = (refusal: Refusal, datagram: PacketBuffer, header: Ipv6Header, cast: LinkCast): void =>
      this.refuse(refusal, datagram, header, cast);
    const limits = resolveExtensionHeaderLimits(options.extensionHeaders);
    const drops = (this.drops = createIpv6Drops(host, counters));
    const forwarding = (this.forwarding = new Ipv6Forwarding(host, counters, drops, destinations, icmp, gateway, refuse));
    const reassembler = (this.reassembler = new Ipv6Reassembler(
      host,
      counters,
      drops,
      options.reassembly ?? {},
      (fragment, { header }, cast) => icmp.sendError(fragment, header, cast, REASSEMBLY_TIME_EXCEEDED),
    ));
    this.input = new Ipv6Input({ addresses, handlers, icmp, forwarding, reassembler, gateway, refuse, limits, counters, drops });
    const hopLimit = options.timeToLive ?? DEFAULT_HOP_LIMIT;
    this.output = new Ipv6Output(host, addresses, destinations, counters, drops, hopLimit, gateway, (refusal, datagram) => {
      const header = readUncheckedIpv6Header(datagram);
      if (typeof header === "object") refuse(refusal, datagram, header, "unicast");
    });
  }

  /** Drops what the gateway refuses, and tells its sender what the verdict says. */
  private refuse({ reason, verdict }: Refusal, datagram: PacketBuffer, header: Ipv6Header, cast: LinkCast): void {
    this.drops.count(reason, datagram);
    if (verdict === "reset") resetSender(this.ip, datagram, header);
    else if (verdict !== "drop") this.icmp.sendError(datagram, header, cast, verdict === "prohibited" ? PROHIBITED : PORT_UNREACHABLE);
  }

  receive(datagram: PacketBuffer, from: NetworkInterface, cast: LinkCast): void {
    this.input.receive(datagram, from, cast);
  }

  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    return this.output.send(packet, options);
  }

  /** The link gives a datagram back whose next hop does not answer: its sender hears of it, here or far away (RFC 4861 §7.2.2). */
  unresolved(datagram: PacketBuffer, nextHop: IpAddress): void {
    const header = readUncheckedIpv6Header(datagram);
    this.drops.count("no-neighbour", datagram);
    if (typeof header === "string") return;
    if (header.destination !== nextHop) this.destinations.suspect(nextHop);
    if (!this.addresses.isLocal(header.source)) {
      this.icmp.sendError(datagram, header, "unicast", ADDRESS_UNREACHABLE);
      return;
    }
    const handler = this.handlers[header.protocol];
    if (handler === undefined || (header.fragment?.offset ?? 0) > 0) return;
    datagram.consume(header.headerLength);
    if (datagram.length < LEAST_QUOTED_PAYLOAD) return;
    handler.receiveError({ kind: "host-unreachable", from: header.source, mtu: 0 }, datagram, header);
  }
}
