// UDP (RFC 768, RFC 1122 §4.1): ports, checksums, and who gets a datagram or an error.
import {
  createCounters,
  Drops,
  type ErrorCode,
  type Host,
  IPV4_ANY,
  IPV4_BROADCAST,
  isMulticast,
  isUnspecified,
  type PacketBuffer,
} from "@netstrata/core";
import {
  type Arrival,
  type Delivery,
  type IcmpError,
  type IpHeader,
  type IpProtocolHandler,
  type IpService,
  PROTOCOL_UDP,
  receivedOptions,
} from "@netstrata/internet";
import type { Endpoint } from "../endpoint.ts";
import { chooseEphemeralPort, DEFAULT_PORT_RANGE, type PortRange } from "../ephemeral-ports.ts";
import { ICMP_ERROR_CODE } from "../icmp-error-code.ts";
import { PortTable } from "./port-table.ts";
import { COUNTERS_OF_DROP, UDP_COUNTERS, UDP_DROPS, type UdpCounters, type UdpDropReason } from "./udp-counters.ts";
import { BoundUdpEndpoint } from "./udp-endpoint.ts";
import { readUdp, readUncheckedUdp, type UdpHeader } from "./udp-header.ts";
import type { UdpDetails, UdpEndpoint, UdpOptions, UdpService, UdpUser } from "./udp-service.ts";

export interface UdpSettings {
  /** Where ports are chosen from (RFC 6056 §3.2). @default 32768 … 60999 */
  readonly portRange?: PortRange;
  /** Endpoints at once; one more fails with ENOBUFS. @default 65536 */
  readonly endpointLimit?: number;
}

export const DEFAULT_ENDPOINT_LIMIT = 65536;

export class Udp implements UdpService, IpProtocolHandler {
  readonly protocol: number = PROTOCOL_UDP;
  readonly counters: UdpCounters = createCounters(UDP_COUNTERS);
  readonly drops: Drops<UdpDropReason>;
  readonly ip: IpService;
  private readonly host: Host;
  private readonly portRange: PortRange;
  private readonly endpointLimit: number;
  private readonly table = new PortTable<BoundUdpEndpoint>();

  constructor(host: Host, ip: IpService, settings: UdpSettings = {}) {
    this.host = host;
    this.ip = ip;
    this.portRange = settings.portRange ?? DEFAULT_PORT_RANGE;
    this.endpointLimit = settings.endpointLimit ?? DEFAULT_ENDPOINT_LIMIT;
    this.drops = new Drops(host, "udp", UDP_DROPS);
    ip.register(this);
  }

  /** All endpoints that are open. */
  get endpoints(): Iterable<UdpEndpoint> {
    return this.table;
  }

  bind(local: Partial<Endpoint>, user: UdpUser, options: UdpOptions = {}): UdpEndpoint | ErrorCode {
    const address = local.address ?? IPV4_ANY;
    if (!isUnspecified(address) && !this.mayBind(address)) return "EADDRNOTAVAIL";
    if (this.table.size >= this.endpointLimit) return "ENOBUFS";
    const binding = { address, ipv6Only: options.ipv6Only === true };
    const port = local.port || chooseEphemeralPort(this.host.random, this.portRange, (candidate) => !this.table.has(candidate));
    if (port === undefined || this.table.conflicts(port, binding, options.reuseAddress === true)) return "EADDRINUSE";
    const endpoint = new BoundUdpEndpoint(this, { address, port }, user, options);
    this.table.add(endpoint);
    return endpoint;
  }

  receive(segment: PacketBuffer, header: IpHeader, arrival: Arrival): Delivery {
    const { source, destination } = header;
    if (isMulticast(source) || source === IPV4_BROADCAST || this.ip.isBroadcast(source)) return this.drop("bad-source", segment);
    const ipOptions = receivedOptions(segment, header);
    const datagram = readUdp(segment, source, destination);
    if (typeof datagram === "string") return this.drop(datagram, segment);
    const from: Endpoint = { address: source, port: datagram.sourcePort };
    const { sourcePort, destinationPort } = datagram;
    const details: UdpDetails = {
      destination: { address: destination, port: destinationPort },
      timeToLive: header.timeToLive,
      trafficClass: header.trafficClass,
      ipOptions,
      arrival,
    };
    if (arrival.cast === "unicast") {
      const endpoint = this.table.find(destination, destinationPort, source, sourcePort);
      if (endpoint === undefined) {
        this.drop("no-port", segment);
        return "port-unreachable";
      }
      return this.deliver(endpoint, segment, datagram, from, details);
    }
    // RFC 1122 §4.1.3.5, RFC 1112 §7.1: everyone who asked for it gets a copy; nobody is told when there is no one (§3.2.2).
    const endpoints = this.table.findAll(destination, destinationPort, source, sourcePort);
    if (endpoints.length === 0) return this.drop("no-member", segment);
    for (const endpoint of endpoints) if (!endpoint.isClosed) this.deliver(endpoint, segment, datagram, from, details);
    return "delivered";
  }

  /** RFC 1122 §4.1.3.3: all ICMP errors reach the application. */
  receiveError(error: IcmpError, quoted: PacketBuffer, header: IpHeader): void {
    const datagram = readUncheckedUdp(quoted);
    if (typeof datagram === "string") return;
    const { sourcePort, destinationPort } = datagram;
    const endpoint = this.table.find(header.source, sourcePort, header.destination, destinationPort);
    // Nobody could have sent it: forged, or so late that the endpoint has gone (RFC 5927 §4).
    if (endpoint === undefined) return;
    // RFC 5927 §7.2: the path MTU holds for TCP, too, so that nobody may set it who only guesses a port. What may be fragmented
    // is never too big, so such an error about it is forged.
    const mayBeTooBig = header.version === 6 || header.destination === endpoint.unfragmentedTo;
    if (error.kind === "packet-too-big" && mayBeTooBig) this.ip.pathMtuReduced(header.destination, error.mtu);
    endpoint.user.failed?.(endpoint, ICMP_ERROR_CODE[error.kind], { address: header.destination, port: destinationPort });
  }

  /** Counts what a user above had no room for. */
  refused(): void {
    this.drop("receive-buffer-full");
  }

  sent(): void {
    this.counters.OutDatagrams += 1;
  }

  released(endpoint: BoundUdpEndpoint): void {
    this.table.remove(endpoint);
  }

  private deliver(endpoint: BoundUdpEndpoint, segment: PacketBuffer, header: UdpHeader, from: Endpoint, details: UdpDetails): Delivery {
    if (header.checksum === 0 && endpoint.options.requireChecksum === true) return this.drop("no-checksum", segment);
    this.counters.InDatagrams += 1;
    endpoint.user.received(endpoint, segment.view(), from, details);
    return "delivered";
  }

  private drop(reason: UdpDropReason, packet?: PacketBuffer): Delivery {
    for (const counter of COUNTERS_OF_DROP[reason]) this.counters[counter] += 1;
    this.drops.count(reason, packet);
    return "dropped";
  }

  /** Besides addresses of ours: a group or a broadcast address, to receive only what is sent to it. */
  private mayBind(address: Endpoint["address"]): boolean {
    return this.ip.isLocal(address) || isMulticast(address) || address === IPV4_BROADCAST || this.ip.isBroadcast(address);
  }
}
