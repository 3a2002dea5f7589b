// ICMP (RFC 792, RFC 1122 §3.2.2): answers echoes, sends errors within the rules, hands errors to the transport they are about.
import { type Host, isMulticast, PacketBuffer } from "@netstrata/core";
import type { LinkCast } from "@netstrata/link";
import type { EchoClients } from "./echo.ts";
import {
  countIcmpType,
  createIcmpCounters,
  createIcmpDrops,
  type IcmpCounters,
  type IcmpDropReason,
  type IcmpDrops,
} from "./icmp-counters.ts";
import { icmpErrorKind, reasonForSilence, reportedMtu } from "./icmp-error.ts";
import {
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  ICMP_HEADER_LENGTH,
  ICMP_REDIRECT,
  ICMP_SOURCE_QUENCH,
  type IcmpHeader,
  isIcmpError,
  prependIcmp,
  readIcmp,
} from "./icmp-message.ts";
import { IcmpRateLimiter, type IcmpRateLimits } from "./icmp-rate-limiter.ts";
import type { IpHeader } from "./ip-header.ts";
import { PROTOCOL_ICMP } from "./ip-protocol.ts";
import type { Arrival, Delivery, IcmpError, IpProtocolHandler, IpSendOptions, IpSendResult, IpService } from "./ip-service.ts";
import { IPV4_HEADER_LENGTH, IPV4_MINIMUM_REASSEMBLY, type Ipv4Header, readUncheckedIpv4Header } from "./ipv4-header.ts";
import { returnRoute } from "./ipv4-options.ts";
import type { LocalAddresses } from "./local-addresses.ts";

/** RFC 1812 §4.3.2.3: as much of the datagram as fits when the whole error has 576 octets. */
const MAX_QUOTATION = IPV4_MINIMUM_REASSEMBLY - IPV4_HEADER_LENGTH - ICMP_HEADER_LENGTH;
/** A quotation holds the header and this many octets at least (RFC 792). */
const LEAST_QUOTED_PAYLOAD = 8;
/** RFC 1812 §4.3.2.5: a router's errors have precedence 6, internetwork control. */
const ROUTER_ERROR_TRAFFIC_CLASS = 0xc0;

export class Icmp implements IpProtocolHandler {
  readonly protocol: number = PROTOCOL_ICMP;
  readonly counters: IcmpCounters = createIcmpCounters();
  readonly drops: IcmpDrops;
  readonly echo: EchoClients;
  private readonly ip: IpService;
  private readonly addresses: LocalAddresses;
  private readonly handlers: readonly (IpProtocolHandler | undefined)[];
  private readonly limiter: IcmpRateLimiter;

  /** @param handlers the transports by protocol number, to which errors are handed */
  constructor(
    host: Host,
    ip: IpService,
    addresses: LocalAddresses,
    handlers: readonly (IpProtocolHandler | undefined)[],
    echo: EchoClients,
    limits?: Partial<IcmpRateLimits>,
  ) {
    this.drops = createIcmpDrops(host, this.counters);
    this.ip = ip;
    this.addresses = addresses;
    this.handlers = handlers;
    this.limiter = new IcmpRateLimiter(host, limits);
    this.echo = echo;
    echo.sendThrough(4, (rest, packet, options) => this.sendMessage({ type: ICMP_ECHO_REQUEST, code: 0, rest }, packet, options));
  }

  receive(packet: PacketBuffer, header: IpHeader, arrival: Arrival): Delivery {
    this.counters.InMsgs += 1;
    const message = readIcmp(packet);
    if (typeof message === "string") return this.drop(message, packet);
    countIcmpType(this.counters, "In", message.type);
    switch (message.type) {
      case ICMP_ECHO_REQUEST:
        return this.answerEcho(packet, message, header as Ipv4Header, arrival);
      case ICMP_ECHO_REPLY:
        return this.echo.receive(packet, message, header) ? "delivered" : this.drop("echo-reply-unasked", packet);
      case ICMP_REDIRECT:
        // A deviation from RFC 1122 §3.2.2.2: anyone on the link could divert traffic with one datagram. Routes are configured.
        return this.drop("redirect-ignored", packet);
      case ICMP_SOURCE_QUENCH:
        return this.drop("source-quench-ignored", packet);
      default:
        return this.receiveErrorMessage(packet, message, header, arrival);
    }
  }

  /** An error about an ICMP message of ours: only echo requests have somebody waiting for the answer. */
  receiveError(error: IcmpError, quoted: PacketBuffer, header: IpHeader): void {
    const type = quoted.u8(0);
    if (type === ICMP_ECHO_REQUEST && this.echo.receiveError(error, quoted.u16(4), quoted.u16(6), header)) return;
    this.drops.count("error-unasked", quoted);
  }

  /**
   * Sends an error about a datagram, if the rules let it.
   * @param datagram its window starts at the IP header; it is only read
   * @param cast how its frame was addressed
   */
  sendError(datagram: PacketBuffer, header: Ipv4Header, cast: LinkCast, message: IcmpHeader): void {
    const silence = reasonForSilence(datagram, header, cast, this.addresses) ?? (this.limiter.allows() ? undefined : "rate-limited");
    if (silence !== undefined) {
      this.drops.count(silence, datagram);
      return;
    }
    const forUs = this.addresses.isLocal(header.destination);
    // RFC 1122 §3.3.4.2: speak from the address that was spoken to; RFC 1812 §4.3.2.4: a router from the interface it sends by.
    const source = forUs ? header.destination : this.ip.sourceFor(header.source);
    if (source === undefined) {
      this.drops.count("error-to-no-host", datagram);
      return;
    }
    const length = this.quotedLength(datagram, header);
    const packet = PacketBuffer.allocate(this.ip.headroom + ICMP_HEADER_LENGTH, length);
    packet.set(datagram.view(0, length));
    this.sendMessage(message, packet, {
      source,
      destination: header.source,
      protocol: PROTOCOL_ICMP,
      trafficClass: forUs ? 0 : ROUTER_ERROR_TRAFFIC_CLASS,
    });
  }

  /** As much as goes back in one piece: a forged path MTU must not make a dozen datagrams of one error. But what RFC 792 asks for, at least. */
  private quotedLength(datagram: PacketBuffer, header: Ipv4Header): number {
    const roomOnPath = this.ip.maxSendSize(header.source) - ICMP_HEADER_LENGTH;
    const wanted = Math.max(header.headerLength + LEAST_QUOTED_PAYLOAD, Math.min(MAX_QUOTATION, roomOnPath));
    return Math.min(datagram.length, wanted);
  }

  private sendMessage(message: IcmpHeader, packet: PacketBuffer, options: IpSendOptions): IpSendResult {
    prependIcmp(packet, message);
    this.counters.OutMsgs += 1;
    countIcmpType(this.counters, "Out", message.type);
    const result = this.ip.send(packet, options);
    if (result !== "sent") this.counters.OutErrors += 1;
    return result;
  }

  /** RFC 1122 §3.2.2.6: with all the data, from the address that was asked, options reflected. */
  private answerEcho(packet: PacketBuffer, message: IcmpHeader, header: Ipv4Header, arrival: Arrival): Delivery {
    if (arrival.cast !== "unicast" || isMulticast(header.destination)) return this.drop("echo-to-broadcast", packet);
    const reply = packet.copy(this.ip.headroom + ICMP_HEADER_LENGTH);
    reply.checksum = "complete";
    const back =
      header.headerLength === IPV4_HEADER_LENGTH
        ? undefined
        : returnRoute(optionsInFront(packet, header), header.source, header.destination);
    this.sendMessage({ type: ICMP_ECHO_REPLY, code: 0, rest: message.rest }, reply, {
      source: header.destination,
      destination: back?.destination ?? header.source,
      protocol: PROTOCOL_ICMP,
      trafficClass: header.trafficClass,
      options: back?.options,
    });
    return "delivered";
  }

  private receiveErrorMessage(packet: PacketBuffer, message: IcmpHeader, header: IpHeader, arrival: Arrival): Delivery {
    const kind = icmpErrorKind(message);
    if (kind === undefined) return this.drop(isIcmpError(message.type) ? "unknown-code" : "unknown-type", packet);
    if (arrival.cast !== "unicast") return this.drop("error-to-broadcast", packet);
    const quoted = readUncheckedIpv4Header(packet);
    if (typeof quoted === "string" || packet.length < quoted.headerLength + LEAST_QUOTED_PAYLOAD || quoted.fragmentOffset !== 0) {
      return this.drop("bad-quotation", packet);
    }
    // RFC 5927 §4: what we never can have sent is no news about us.
    if (!this.addresses.isLocal(quoted.source)) return this.drop("quotation-not-ours", packet);
    const handler = this.handlers[quoted.protocol];
    if (handler === undefined) return this.drop("quotation-of-unknown-protocol", packet);
    packet.consume(quoted.headerLength);
    handler.receiveError({ kind, from: header.source, mtu: kind === "packet-too-big" ? reportedMtu(message, quoted) : 0 }, packet, quoted);
    return "delivered";
  }

  private drop(reason: IcmpDropReason, packet: PacketBuffer): Delivery {
    this.drops.count(reason, packet);
    return "dropped";
  }
}

/** The IP options of a packet that is being read behind its ICMP header. */
function optionsInFront(packet: PacketBuffer, header: Ipv4Header): Uint8Array {
  const behind = packet.start - ICMP_HEADER_LENGTH;
  return packet.bytes.subarray(behind - header.headerLength + IPV4_HEADER_LENGTH, behind);
}
