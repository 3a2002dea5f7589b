// One end of UDP conversations: what a user holds (RFC 768 "User Interface", RFC 1122 §4.1.4).
import {
  type ErrorCode,
  IPV4_BROADCAST,
  type IpAddress,
  ipVersion,
  isIpv4,
  isMulticast,
  isUnspecified,
  PacketBuffer,
} from "@netstrata/core";
import { type IpSendResult, type IpService, PROTOCOL_UDP } from "@netstrata/internet";
import type { Endpoint } from "../endpoint.ts";
import { type Binding, isDualStack } from "../wildcard.ts";
import { prependUdp, UDP_HEADER_LENGTH } from "./udp-header.ts";
import type { UdpEndpoint, UdpOptions, UdpSendOptions, UdpUser } from "./udp-service.ts";

/** The header's length field has 16 bits. What the IP header takes besides is the internet layer's to know. */
const LARGEST_PAYLOAD = 65535 - UDP_HEADER_LENGTH;

const ERROR_OF_RESULT: Readonly<Record<IpSendResult, ErrorCode | undefined>> = {
  sent: undefined,
  "network-unreachable": "ENETUNREACH",
  "message-too-long": "EMSGSIZE",
  "address-not-available": "EADDRNOTAVAIL",
};

/** What an endpoint needs of the protocol it belongs to. */
export interface UdpOwner {
  readonly ip: IpService;
  sent(): void;
  released(endpoint: BoundUdpEndpoint): void;
}

export class BoundUdpEndpoint implements UdpEndpoint {
  local: Endpoint;
  binding: Binding;
  remote: Endpoint | undefined = undefined;
  isClosed = false;
  /** Where it last sent what must not be fragmented: about nothing else a router has cause to say that it was too big. */
  unfragmentedTo: IpAddress | undefined = undefined;
  user: UdpUser;
  options: UdpOptions;
  private readonly owner: UdpOwner;
  private readonly bound: Endpoint;
  private readonly wildcard: Binding;

  constructor(owner: UdpOwner, local: Endpoint, user: UdpUser, options: UdpOptions) {
    this.owner = owner;
    this.local = local;
    this.bound = local;
    this.wildcard = { address: local.address, ipv6Only: options.ipv6Only === true };
    this.binding = this.wildcard;
    this.user = user;
    this.options = options;
  }

  set(options: UdpOptions): void {
    this.options = { ...this.options, ...options };
  }

  connect(remote: Endpoint | undefined): ErrorCode | undefined {
    if (this.isClosed) return "EBADF";
    this.local = this.bound;
    this.binding = this.wildcard;
    this.remote = undefined;
    if (remote === undefined) return undefined;
    const refusal = this.refuse(remote, this.options);
    if (refusal !== undefined) return refusal;
    const source = this.sourceFor(remote, this.options);
    if (source === undefined) return "ENETUNREACH";
    // RFC 1122 §4.1.3.5: the address that was chosen can be learned, and answers are received at it only.
    this.local = { address: source, port: this.bound.port };
    this.binding = { address: source, ipv6Only: false };
    this.remote = remote;
    return undefined;
  }

  send(payload: Uint8Array, to?: Endpoint, options?: UdpSendOptions): ErrorCode | undefined {
    if (this.isClosed) return "EBADF";
    const remote = to ?? this.remote;
    if (remote === undefined) return "EDESTADDRREQ";
    if (payload.length > LARGEST_PAYLOAD) return "EMSGSIZE";
    const chosen = options === undefined ? this.options : { ...this.options, ...options };
    const refusal = this.refuse(remote, chosen);
    if (refusal !== undefined) return refusal;
    const source = this.sourceFor(remote, chosen);
    if (source === undefined) return "ENETUNREACH";
    return this.transmit(payload, source, remote, chosen);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.owner.released(this);
  }

  private transmit(payload: Uint8Array, source: IpAddress, remote: Endpoint, chosen: UdpOptions): ErrorCode | undefined {
    const { ip } = this.owner;
    if (chosen.dontFragment === true) this.unfragmentedTo = remote.address;
    const packet = PacketBuffer.allocate(ip.headroom + UDP_HEADER_LENGTH, payload.length);
    packet.set(payload);
    prependUdp(packet, this.local.port, remote.port, source, remote.address);
    // RFC 8200 §8.1: only IPv4 may go without.
    if (chosen.noChecksum === true && isIpv4(source)) packet.setU16(6, 0);
    const result = ip.send(packet, {
      source,
      destination: remote.address,
      protocol: PROTOCOL_UDP,
      // RFC 1112 §6.1: multicast stays on the local network unless the user says otherwise.
      timeToLive: chosen.timeToLive ?? (isMulticast(remote.address) ? 1 : undefined),
      trafficClass: chosen.trafficClass,
      dontFragment: chosen.dontFragment,
      options: chosen.ipOptions,
      interface: chosen.interface,
    });
    if (result === "sent") this.owner.sent();
    return ERROR_OF_RESULT[result];
  }

  /** Why nothing may be sent to `remote`. */
  private refuse(remote: Endpoint, chosen: UdpOptions): ErrorCode | undefined {
    const { ip } = this.owner;
    const { address, port } = remote;
    if (ipVersion(address) !== ipVersion(this.bound.address) && !isDualStack(this.wildcard)) return "EAFNOSUPPORT";
    if (port < 1 || port > 65535) return "EINVAL";
    if (isUnspecified(address)) return "EADDRNOTAVAIL";
    // RFC 1122 §4.1.3.6: only an address of this host is sent from.
    if (chosen.source !== undefined && !ip.isLocal(chosen.source)) return "EADDRNOTAVAIL";
    if (chosen.broadcast !== true && (address === IPV4_BROADCAST || ip.isBroadcast(address))) return "EACCES";
    return undefined;
  }

  private sourceFor(remote: Endpoint, chosen: UdpOptions): IpAddress | undefined {
    const { ip } = this.owner;
    if (chosen.source !== undefined) return chosen.source;
    const local = this.local.address;
    // An endpoint may be bound to a group or a broadcast address, but it does not send from it.
    if (!isUnspecified(local) && !isMulticast(local) && !ip.isBroadcast(local)) return local;
    const version = ipVersion(remote.address);
    if (chosen.interface === undefined) return ip.sourceFor(remote.address);
    return chosen.interface.addresses.find((own) => ipVersion(own.address) === version)?.address;
  }
}
