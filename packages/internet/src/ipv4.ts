// IPv4 (RFC 791) as one of the internet layer's modules: its parts, put together.
import type { Host, IpAddress, PacketBuffer } from "@netstrata/core";
import type { LinkCast, NetworkInterface } from "@netstrata/link";
import type { DestinationCache } from "./destination-cache.ts";
import { Forwarding } from "./forwarding.ts";
import type { Gateway, Refusal } from "./gateway/gateway.ts";
import { resetSender } from "./gateway/rejection.ts";
import type { Icmp } from "./icmp.ts";
import {
  ICMP_DESTINATION_UNREACHABLE,
  ICMP_TIME_EXCEEDED,
  type IcmpHeader,
  TIME_EXCEEDED_IN_REASSEMBLY,
  UNREACHABLE_HOST,
  UNREACHABLE_PORT,
  UNREACHABLE_PROHIBITED,
} from "./icmp-message.ts";
import type { IpProtocolHandler, IpSendOptions, IpSendResult, IpService } from "./ip-service.ts";
import { createIpv4Counters, createIpv4Drops, type Ipv4Counters, type Ipv4Drops } from "./ipv4-counters.ts";
import { type Ipv4Header, readUncheckedIpv4Header } from "./ipv4-header.ts";
import { Ipv4Input } from "./ipv4-input.ts";
import { Ipv4Output } from "./ipv4-output.ts";
import { Reassembler } from "./ipv4-reassembly.ts";
import type { LocalAddresses } from "./local-addresses.ts";
import type { ReassemblyLimits } from "./reassembly-table.ts";

export const DEFAULT_TIME_TO_LIVE = 64;

const HOST_UNREACHABLE: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_HOST, rest: 0 };
const REASSEMBLY_TIME_EXCEEDED: IcmpHeader = { type: ICMP_TIME_EXCEEDED, code: TIME_EXCEEDED_IN_REASSEMBLY, rest: 0 };
const PORT_UNREACHABLE: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_PORT, rest: 0 };
const PROHIBITED: IcmpHeader = { type: ICMP_DESTINATION_UNREACHABLE, code: UNREACHABLE_PROHIBITED, rest: 0 };
/** Below this, a quotation says nothing to a transport (RFC 792). */
const LEAST_QUOTED_PAYLOAD = 8;

export interface Ipv4Options {
  /** The TTL of datagrams whose sender gives none (RFC 1122 §3.2.1.7). @default 64 */
  readonly timeToLive?: number;
  readonly reassembly?: Partial<ReassemblyLimits>;
}

export class Ipv4 {
  readonly counters: Ipv4Counters = createIpv4Counters();
  readonly drops: Ipv4Drops;
  readonly reassembler: Reassembler;
  readonly forwarding: Forwarding;
  private readonly addresses: LocalAddresses;
  private readonly destinations: DestinationCache;
  private readonly handlers: readonly (IpProtocolHandler | undefined)[];
  private readonly icmp: Icmp;
  private readonly ip: IpService;
  private readonly gateway: Gateway | undefined;
  private readonly input: Ipv4Input;
  private readonly output: Ipv4Output;

  constructor(
    host: Host,
    addresses: LocalAddresses,
    destinations: DestinationCache,
    handlers: readonly (IpProtocolHandler | undefined)[],
    icmp: Icmp,
    ip: IpService,
    gateway: Gateway | undefined,
    options: Ipv4Options = {},
  ) {
    this.ip = ip;
    this.gateway = gateway;
    this.addresses = addresses;
    this.destinations = destinations;
    this.handlers = handlers;
    this.icmp = icmp;
    const { counters } = this;
    const drops = (this.drops = createIpv4Drops(host, counters));
    const refuse = (refusal: Refusal, datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast): void =>
      this.refuse(refusal, datagram, header, cast);
    const forwarding = (this.forwarding = new Forwarding(counters, drops, destinations, icmp, gateway, refuse));
    const reassembler = (this.reassembler = new Reassembler(host, counters, drops, options.reassembly ?? {}, (fragment, header, cast) => {
      // A gateway puts together what is for others, too; about that nobody expects to hear from it (RFC 1122 §3.3.2).
      if (addresses.isLocal(header.destination)) icmp.sendError(fragment, header, cast, REASSEMBLY_TIME_EXCEEDED);
    }));
    this.input = new Ipv4Input({ addresses, handlers, icmp, forwarding, reassembler, gateway, refuse, counters, drops });
    const timeToLive = options.timeToLive ?? DEFAULT_TIME_TO_LIVE;
    this.output = new Ipv4Output(host, addresses, destinations, counters, drops, timeToLive, gateway, (refusal, datagram) => {
      const header = readUncheckedIpv4Header(datagram);
      if (typeof header === "object") refuse(refusal, datagram, header, "unicast");
    });
  }

  receive(datagram: PacketBuffer, from: NetworkInterface, cast: LinkCast): void {
    this.input.receive(datagram, from, cast);
  }

  send(packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    return this.output.send(packet, options);
  }

  /** The link gives a datagram back whose next hop does not answer: its sender hears of it, here or far away (RFC 1122 §3.2.2.1). */
  unresolved(datagram: PacketBuffer, nextHop: IpAddress): void {
    const header = readUncheckedIpv4Header(datagram);
    if (typeof header === "string") {
      this.drops.count(header, datagram);
      return;
    }
    this.drops.count("no-neighbour", datagram);
    if (header.destination !== nextHop) this.destinations.suspect(nextHop);
    if (this.gateway?.restore(datagram, header) === true) {
      const restored = readUncheckedIpv4Header(datagram);
      if (typeof restored === "object") this.tellUnreachable(datagram, restored);
      return;
    }
    this.tellUnreachable(datagram, header);
  }

  /** Drops what the gateway refuses, and tells its sender what the verdict says. */
  private refuse({ reason, verdict }: Refusal, datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast): void {
    this.drops.count(reason, datagram);
    if (verdict === "reset") resetSender(this.ip, datagram, header);
    else if (verdict !== "drop") this.icmp.sendError(datagram, header, cast, verdict === "prohibited" ? PROHIBITED : PORT_UNREACHABLE);
  }

  private tellUnreachable(datagram: PacketBuffer, header: Ipv4Header): void {
    if (!this.addresses.isLocal(header.source)) {
      this.icmp.sendError(datagram, header, "unicast", HOST_UNREACHABLE);
      return;
    }
    const handler = this.handlers[header.protocol];
    if (handler === undefined || header.fragmentOffset !== 0) return;
    datagram.consume(header.headerLength);
    if (datagram.length < LEAST_QUOTED_PAYLOAD) return;
    handler.receiveError({ kind: "host-unreachable", from: header.source, mtu: 0 }, datagram, header);
  }
}
