// ICMPv6 (RFC 4443): answers echoes, sends errors within the rules, hands errors to the transport they are about.
import { type Host, type IpAddress, isLinkLocal, isMulticast, isUnspecified, PacketBuffer } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import type { EchoClients } from "./echo.ts";
import { ICMP_HEADER_LENGTH, type IcmpHeader } from "./icmp-message.ts";
import { IcmpRateLimiter, type IcmpRateLimits } from "./icmp-rate-limiter.ts";
import {
  countIcmpv6Type,
  createIcmpv6Counters,
  createIcmpv6Drops,
  type Icmpv6Counters,
  type Icmpv6DropReason,
  type Icmpv6Drops,
} from "./icmpv6-counters.ts";
import { icmpv6ErrorKind, reasonForSilenceV6 } from "./icmpv6-error.ts";
import {
  ICMPV6_ECHO_REPLY,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PACKET_TOO_BIG,
  isIcmpv6Error,
  prependIcmpv6,
  readIcmpv6,
} from "./icmpv6-message.ts";
import type { IpHeader } from "./ip-header.ts";
import { PROTOCOL_ICMPV6 } from "./ip-protocol.ts";
import type { Arrival, Delivery, IcmpError, IpProtocolHandler, IpSendOptions, IpSendResult, IpService } from "./ip-service.ts";
import { IPV6_HEADER_LENGTH, IPV6_MINIMUM_MTU, type Ipv6Header, readUncheckedIpv6Header } from "./ipv6-header.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/** RFC 4443 §3.1 to §3.4: as much of the datagram as fits when the whole error has 1,280 octets. */
const MAX_QUOTATION_V6 = IPV6_MINIMUM_MTU - IPV6_HEADER_LENGTH - ICMP_HEADER_LENGTH;
/** What a transport needs to see of its own message. */
const LEAST_QUOTED_PAYLOAD = 8;

/** Hears the messages of one type that this module itself makes nothing of: neighbour discovery, multicast listeners. */
export type Icmpv6Listener = (packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header, arrival: Arrival) => Delivery;

export class Icmpv6 implements IpProtocolHandler {
  readonly protocol: number = PROTOCOL_ICMPV6;
  readonly counters: Icmpv6Counters = createIcmpv6Counters();
  readonly drops: Icmpv6Drops;
  private readonly ip: IpService;
  private readonly addresses: LocalAddresses;
  private readonly handlers: readonly (IpProtocolHandler | undefined)[];
  private readonly limiter: IcmpRateLimiter;
  private readonly echo: EchoClients;
  private readonly listeners = new Map<number, Icmpv6Listener>();

  /** @param handlers the transports by protocol number, to which errors are handed */
  constructor(
    host: Host,
    ip: IpService,
    addresses: LocalAddresses,
    handlers: readonly (IpProtocolHandler | undefined)[],
    echo: EchoClients,
    limits?: Partial<IcmpRateLimits>,
  ) {
    this.drops = createIcmpv6Drops(host, this.counters);
    this.ip = ip;
    this.addresses = addresses;
    this.handlers = handlers;
    this.limiter = new IcmpRateLimiter(host, limits);
    this.echo = echo;
    echo.sendThrough(6, (rest, packet, options) =>
      this.sendMessage({ type: ICMPV6_ECHO_REQUEST, code: 0, rest }, packet, { ...options, protocol: PROTOCOL_ICMPV6 }),
    );
  }

  /** Sets who hears the messages of one type. */
  listen(type: number, listener: Icmpv6Listener): void {
    this.listeners.set(type, listener);
  }

  receive(packet: PacketBuffer, ipHeader: IpHeader, arrival: Arrival): Delivery {
    const header = ipHeader as Ipv6Header;
    this.counters.InMsgs += 1;
    const message = readIcmpv6(packet, header.source, header.destination);
    if (typeof message === "string") return this.drop(message, packet);
    countIcmpv6Type(this.counters, "In", message.type);
    if (message.type === ICMPV6_ECHO_REQUEST) return this.answerEcho(packet, message, header, arrival);
    if (message.type === ICMPV6_ECHO_REPLY) {
      return this.echo.receive(packet, message, header) ? "delivered" : this.drop("echo-reply-unasked", packet);
    }
    if (isIcmpv6Error(message.type)) return this.receiveErrorMessage(packet, message, header, arrival);
    const listener = this.listeners.get(message.type);
    // RFC 4443 §2.4 (b): an informational message of unknown type is discarded in silence.
    return listener === undefined ? this.drop("unknown-type", packet) : listener(packet, message, header, arrival);
  }

  /** An error about an ICMPv6 message of ours: only echo requests have somebody waiting for the answer. */
  receiveError(error: IcmpError, quoted: PacketBuffer, header: IpHeader): void {
    const type = quoted.u8(0);
    if (type === ICMPV6_ECHO_REQUEST && this.echo.receiveError(error, quoted.u16(4), quoted.u16(6), header)) return;
    this.drops.count("error-unasked", quoted);
  }

  /**
   * Sends an error about a datagram, if the rules let it.
   * @param datagram its window starts at the IPv6 header; it is only read
   * @param cast how its frame was addressed
   * @param evenForGroups see `reasonForSilenceV6`
   */
  sendError(datagram: PacketBuffer, header: Ipv6Header, cast: LinkCast, message: IcmpHeader, evenForGroups = false): void {
    const reason = reasonForSilenceV6(datagram, header, cast, evenForGroups, this.addresses);
    const silence = reason ?? (this.limiter.allows() ? undefined : "rate-limited");
    if (silence !== undefined) {
      this.drops.count(silence, datagram);
      return;
    }
    // RFC 4443 §2.2: from the address that was spoken to, when it is one of ours.
    const forUs = this.addresses.isLocal(header.destination);
    const source = forUs ? header.destination : this.ip.sourceFor(header.source);
    if (source === undefined) {
      this.drops.count("error-to-no-host", datagram);
      return;
    }
    const length = Math.min(datagram.length, MAX_QUOTATION_V6);
    const packet = PacketBuffer.allocate(this.ip.headroom + ICMP_HEADER_LENGTH, length);
    packet.set(datagram.view(0, length));
    this.sendMessage(message, packet, { source, destination: header.source, protocol: PROTOCOL_ICMPV6 });
  }

  /** Sends any message; its checksum covers the addresses in `options`. */
  sendMessage(message: IcmpHeader, packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    prependIcmpv6(packet, message, options.source, options.destination);
    this.counters.OutMsgs += 1;
    countIcmpv6Type(this.counters, "Out", message.type);
    const result = this.ip.send(packet, options);
    if (result !== "sent") this.counters.OutErrors += 1;
    return result;
  }

  /** RFC 4443 §4.2: with all the data, from the address that was asked; for a group from one of our own, and not at any rate. */
  private answerEcho(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header, arrival: Arrival): Delivery {
    const { source: asker, destination: asked } = header;
    const isGroup = isMulticast(asked);
    if (isGroup && !this.limiter.allows()) return this.drop("rate-limited", packet);
    const source = isGroup ? this.addresses.ipv6SourceOn(arrival.interface, asker) : asked;
    if (source === undefined || isUnspecified(asker)) return this.drop("echo-from-no-host", packet);
    const reply = packet.copy(this.ip.headroom + ICMP_HEADER_LENGTH);
    reply.checksum = "complete";
    this.sendMessage({ type: ICMPV6_ECHO_REPLY, code: 0, rest: message.rest }, reply, {
      source,
      destination: asker,
      protocol: PROTOCOL_ICMPV6,
      trafficClass: header.trafficClass,
      interface: isLinkLocal(asker) ? arrival.interface : undefined,
    });
    return "delivered";
  }

  private receiveErrorMessage(packet: PacketBuffer, message: IcmpHeader, header: Ipv6Header, arrival: Arrival): Delivery {
    if (arrival.cast !== "unicast") return this.drop("error-to-group", packet);
    const quoted = readUncheckedIpv6Header(packet);
    if (typeof quoted === "string" || packet.length < quoted.headerLength + LEAST_QUOTED_PAYLOAD) return this.drop("bad-quotation", packet);
    if ((quoted.fragment?.offset ?? 0) > 0) return this.drop("bad-quotation", packet);
    // RFC 5927 §4: what we never can have sent is no news about us.
    if (!this.addresses.isLocal(quoted.source)) return this.drop("quotation-not-ours", packet);
    // RFC 8201 §4: no link is so narrow; such a message is discarded (and with it the atomic fragments of old, RFC 8021).
    if (message.type === ICMPV6_PACKET_TOO_BIG && message.rest < IPV6_MINIMUM_MTU) return this.drop("mtu-too-small", packet);
    const handler = this.handlers[quoted.protocol];
    if (handler === undefined) return this.drop("quotation-of-unknown-protocol", packet);
    packet.consume(quoted.headerLength);
    handler.receiveError(errorOf(message, header.source), packet, quoted);
    return "delivered";
  }

  private drop(reason: Icmpv6DropReason, packet: PacketBuffer): Delivery {
    this.drops.count(reason, packet);
    return "dropped";
  }
}

function errorOf(message: IcmpHeader, from: IpAddress): IcmpError {
  const kind = icmpv6ErrorKind(message);
  return { kind, from, mtu: kind === "packet-too-big" ? message.rest : 0 };
}
