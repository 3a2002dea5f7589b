// What stands in a datagram's way through this host besides its route: connection tracking, the packet filter, address translation, the reverse-path check.
import { type Host, type IpAddress, isIpv4, isLinkLocal, isUnspecified, type PacketBuffer } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import type { Destination } from "../destination.ts";
import { PROTOCOL_TCP } from "../ip-protocol.ts";
import type { RoutingTable } from "../routing-table.ts";
import { ConnectionTracking, type Tracked, type TrackedHeader, type TrackingLimits } from "./connection-tracking.ts";
import { type Flow, reversed } from "./flow.ts";
import { clampSegmentSize } from "./mss-clamping.ts";
import { Nat, type NatOptions } from "./nat.ts";
import { type FilterChainName, type FilterOptions, PacketFilter, type Verdict } from "./packet-filter.ts";
import { setIdentification, translate } from "./translation.ts";

export interface GatewayOptions {
  /** Rules for what comes in, goes out and passes through. @default none: everything is accepted */
  readonly filter?: FilterOptions;
  /** Translate IPv4 addresses between inside and outside. @default none */
  readonly nat?: NatOptions;
  /** Of what filter and translation remember of conversations. */
  readonly tracking?: Partial<TrackingLimits>;
  /**
   * Drop what comes in from where answers would not go: by another interface ("strict", RFC 3704 §2.2), or by none ("loose", §2.4).
   * @default "off", as RFC 1812 §5.3.8 asks
   */
  readonly reversePathCheck?: "off" | "strict" | "loose";
  /** As a router, lower the MSS option of passing SYNs to what fits both links, for paths on which ICMP is lost. @default false */
  readonly mssClamping?: boolean;
}

export type GatewayDropReason = "filtered" | "filtered-output" | "reverse-path" | "untranslatable" | "no-free-port" | "tracking-full";

/** Why a datagram goes no further, and what its sender is told. */
export interface Refusal {
  readonly reason: GatewayDropReason;
  readonly verdict: Exclude<Verdict, "accept">;
}

/** A datagram on its way through. */
export interface Passage extends Tracked {
  readonly from: NetworkInterface | undefined;
}

const SILENT = (reason: GatewayDropReason): Refusal => ({ reason, verdict: "drop" });
const REVERSE_PATH: Refusal = SILENT("reverse-path");
const UNTRANSLATABLE: Refusal = SILENT("untranslatable");
// RFC 5508 REQ-8
const NO_FREE_PORT: Refusal = { reason: "no-free-port", verdict: "prohibited" };
const TRACKING_FULL: Refusal = { reason: "tracking-full", verdict: "prohibited" };

/** Nothing in it does I/O: it says what is to happen, and IPv4 and IPv6 do it. All datagrams' windows start at the IP header. */
export class Gateway {
  readonly filter: PacketFilter;
  readonly nat: Nat | undefined;
  readonly tracking: ConnectionTracking;
  private readonly routes: RoutingTable;
  private readonly reversePathCheck: "off" | "strict" | "loose";
  private readonly mssClamping: boolean;

  /**
   * @param isOwn says which addresses are this host's
   * @throws RangeError for options that make no sense
   */
  constructor(host: Host, routes: RoutingTable, isOwn: (address: IpAddress) => boolean, options: GatewayOptions) {
    this.filter = new PacketFilter(options.filter);
    this.nat = options.nat === undefined ? undefined : new Nat(host, options.nat, isOwn);
    this.tracking = new ConnectionTracking(host, options.tracking);
    this.tracking.ended = (connection) => this.nat?.ended(connection);
    this.routes = routes;
    this.reversePathCheck = options.reversePathCheck ?? "off";
    this.mssClamping = options.mssClamping ?? false;
  }

  /** A whole datagram has come in, and its addresses are in order. */
  arrive(datagram: PacketBuffer, header: TrackedHeader, from: NetworkInterface): Passage | Refusal {
    if (!this.comesTheRightWay(header.source, from)) return REVERSE_PATH;
    const tracked = this.tracking.track(datagram, header);
    const connection = tracked.end?.connection;
    if (connection !== undefined && !connection.isConfirmed) this.nat?.redirect(connection, from);
    return { ...tracked, from };
  }

  /** Where it is to go, translated. */
  destinationOf({ end, flow }: Passage): IpAddress {
    return end?.connection.isTranslated === true ? end.opposite.flow.source : flow.destination;
  }

  /** It is for this host. @returns undefined when it may be delivered; by then it may have been translated */
  input(passage: Passage, datagram: PacketBuffer): Refusal | undefined {
    const refusal = this.judge("input", passage, undefined, datagram.length);
    if (refusal !== undefined) return this.giveUp(passage, refusal);
    return this.remember(passage, datagram);
  }

  /** It is to be passed on. @returns undefined when it may be */
  forward(passage: Passage, datagram: PacketBuffer, next: Destination): Refusal | undefined {
    const refusal = this.judge("forward", passage, next.interface, datagram.length) ?? this.letOut(passage, datagram, next);
    return refusal && this.giveUp(passage, refusal);
  }

  /** This host sends it. @returns undefined when it may leave; by then it has been translated */
  output(datagram: PacketBuffer, header: TrackedHeader, next: Destination): Refusal | undefined {
    const passage: Passage = { ...this.tracking.track(datagram, header, true), from: undefined };
    const refusal = this.judge("output", passage, next.interface, datagram.length) ?? this.letOut(passage, datagram, next);
    if (refusal !== undefined) return this.giveUp(passage, refusal);
    this.translate(passage, datagram);
    return undefined;
  }

  /** The last changes to the copy that is passed on. */
  leave(passage: Passage, onward: PacketBuffer, next: Destination): void {
    const { from, flow, at } = passage;
    if (this.mssClamping && flow.protocol === PROTOCOL_TCP && from !== undefined) {
      clampSegmentSize(onward, at, Math.min(from.mtu, next.interface.mtu));
    }
    if (!this.translate(passage, onward)) return;
    // What may be cut on its way must not be mixed up with what others send from the same address.
    if ((onward.u16(6) & 0x4000) === 0) setIdentification(onward, next.nextIdentification());
  }

  /** @returns false when there is nothing to translate */
  translate({ end, kind }: Tracked, datagram: PacketBuffer): boolean {
    if (end?.connection.isTranslated !== true) return false;
    translate(datagram, kind, end.flow, reversed(end.opposite.flow));
    return true;
  }

  /** Undoes the translation of a datagram that could not be sent, so that its sender can be told of it. @returns false when there was none */
  restore(datagram: PacketBuffer, header: TrackedHeader): boolean {
    const { kind, flow } = this.tracking.track(datagram, header);
    const end = kind === "error" || kind === "truncated" ? undefined : this.tracking.find(reversed(flow));
    if (end === undefined || !end.connection.isTranslated || !isIpv4(flow.source)) return false;
    translate(datagram, kind, flow, end.opposite.flow);
    return true;
  }

  addressesChanged(interfaces: readonly NetworkInterface[]): void {
    this.nat?.addressesChanged(interfaces);
  }

  /** Forgets all conversations. */
  close(): void {
    this.tracking.clear();
  }

  private comesTheRightWay(source: IpAddress, from: NetworkInterface): boolean {
    if (this.reversePathCheck === "off" || isLinkLocal(source) || isUnspecified(source)) return true;
    const route = this.routes.lookup(source);
    // What this host says to itself comes back by its loopback interface, whatever the routes say.
    if (from.addresses.some(({ address }) => address === source)) return true;
    return this.reversePathCheck === "loose" ? route !== undefined : route?.interface === from;
  }

  private judge(chain: FilterChainName, passage: Passage, to: NetworkInterface | undefined, octets: number): Refusal | undefined {
    const rules = this.filter[chain];
    if (rules.rules.length === 0) return undefined;
    const { end, flow, state, from } = passage;
    const verdict = rules.judge({ flow: filteredFlow(flow, end), state, in: from?.name, out: to?.name }, octets);
    return verdict === "accept" ? undefined : { reason: chain === "output" ? "filtered-output" : "filtered", verdict };
  }

  private letOut(passage: Passage, datagram: PacketBuffer, next: Destination): Refusal | undefined {
    const { nat } = this;
    const { end, from, flow } = passage;
    if (nat !== undefined && isIpv4(flow.source)) {
      // Inner addresses mean nothing outside: what belongs to no conversation stays here.
      if (end === undefined && from !== undefined && nat.isOutside(next.interface) && !nat.isOutside(from)) return UNTRANSLATABLE;
      const isTaken = (reply: Flow): boolean => this.tracking.isTaken(reply);
      const isNew = end !== undefined && !end.connection.isConfirmed;
      if (isNew && !nat.masquerade(end.connection, from, next.interface, next.source, isTaken)) return NO_FREE_PORT;
    }
    return this.remember(passage, datagram);
  }

  private remember(passage: Passage, datagram: PacketBuffer): Refusal | undefined {
    const connection = passage.end?.connection;
    const isNew = connection !== undefined && !connection.isConfirmed;
    if (!this.tracking.confirm(passage, datagram)) return TRACKING_FULL;
    if (isNew) this.nat?.begun(connection);
    return undefined;
  }

  private giveUp({ end }: Passage, refusal: Refusal): Refusal {
    if (end !== undefined && !end.connection.isConfirmed) this.nat?.ended(end.connection);
    return refusal;
  }
}

/** Rules look at where a datagram really goes, but at who has really sent it. */
function filteredFlow(flow: Flow, end: Tracked["end"]): Flow {
  if (end?.connection.isTranslated !== true) return flow;
  const { source: destination, sourcePort: destinationPort } = end.opposite.flow;
  return { ...flow, destination, destinationPort };
}
