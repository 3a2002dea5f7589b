// Echo requests of our own (RFC 792, RFC 1122 §3.2.2.6, RFC 4443 §4): what ping and traceroute are made of.
import { type Host, type IpAddress, type IpVersion, ipVersion, PacketBuffer, randomBelow } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import { ICMP_HEADER_LENGTH, type IcmpHeader } from "./icmp-message.ts";
import type { IpHeader } from "./ip-header.ts";
import { PROTOCOL_ICMP } from "./ip-protocol.ts";
import type { IcmpError, IpSendOptions, IpSendResult, IpService } from "./ip-service.ts";

const IDENTIFIERS = 65536;

/** What came back. Called in the middle of receiving: it may send, and must not wait. */
export interface EchoReceiver {
  /** @param payload the request's, as it came back; lent for the duration of the call */
  reply(sequence: number, payload: PacketBuffer, header: IpHeader): void;
  /** A router or the destination refused a request of ours. `header` is the request's, as it was quoted. */
  error(error: IcmpError, sequence: number, header: IpHeader): void;
}

export interface EchoRequest {
  readonly destination: IpAddress;
  /** 0 … 65535; it comes back with the reply. */
  readonly sequence: number;
  readonly payload?: Uint8Array;
  readonly source?: IpAddress;
  readonly timeToLive?: number;
  readonly trafficClass?: number;
  readonly dontFragment?: boolean;
  /** Send through this interface, whatever the routes say. */
  readonly interface?: NetworkInterface;
}

/** One asker, known to the answers by its identifier. */
export interface EchoClient {
  readonly identifier: number;
  send(request: EchoRequest): IpSendResult;
  /** Later answers are dropped. */
  close(): void;
}

/** A client as its answers find it. */
interface Asker {
  readonly receiver: EchoReceiver;
  /** Where it last sent what must not be fragmented: about nothing else a router has cause to say that it was too big. */
  unfragmentedTo: IpAddress | undefined;
}

/** Sends an echo request; `rest` is identifier and sequence number. Each version of ICMP has one, with type and protocol of its own. */
export type SendEcho = (rest: number, packet: PacketBuffer, options: IpSendOptions) => IpSendResult;

export class EchoClients {
  private readonly host: Host;
  private readonly ip: IpService;
  private readonly senders = new Map<IpVersion, SendEcho>();
  private readonly askers = new Map<number, Asker>();

  constructor(host: Host, ip: IpService) {
    this.host = host;
    this.ip = ip;
  }

  /** Sets how echo requests of one IP version are sent. */
  sendThrough(version: IpVersion, send: SendEcho): void {
    this.senders.set(version, send);
  }

  /**
   * Opens a client under a random identifier, or under the given one.
   * @throws RangeError when the identifier, or every identifier, is in use
   */
  open(receiver: EchoReceiver, identifier: number = this.freeIdentifier()): EchoClient {
    if (!(identifier >= 0 && identifier < IDENTIFIERS)) throw new RangeError(`echo identifier ${identifier} is not in 0 … 65535`);
    if (this.askers.has(identifier)) throw new RangeError(`echo identifier ${identifier} is in use`);
    const asker: Asker = { receiver, unfragmentedTo: undefined };
    this.askers.set(identifier, asker);
    return {
      identifier,
      send: (request) => this.send(identifier, asker, request),
      close: () => {
        if (this.askers.get(identifier) === asker) this.askers.delete(identifier);
      },
    };
  }

  /** @returns false when nobody asked */
  receive(payload: PacketBuffer, message: IcmpHeader, header: IpHeader): boolean {
    const asker = this.askers.get(message.rest >>> 16);
    asker?.receiver.reply(message.rest & 0xffff, payload, header);
    return asker !== undefined;
  }

  /** @returns false when nobody asked */
  receiveError(error: IcmpError, identifier: number, sequence: number, header: IpHeader): boolean {
    const asker = this.askers.get(identifier);
    if (asker === undefined) return false;
    const mayBeTooBig = header.version === 6 || header.destination === asker.unfragmentedTo;
    if (error.kind === "packet-too-big" && mayBeTooBig) this.ip.pathMtuReduced(header.destination, error.mtu);
    asker.receiver.error(error, sequence, header);
    return true;
  }

  private send(identifier: number, asker: Asker, request: EchoRequest): IpSendResult {
    if (request.dontFragment === true) asker.unfragmentedTo = request.destination;
    const source = request.source ?? this.ip.sourceFor(request.destination);
    const sendEcho = this.senders.get(ipVersion(request.destination));
    if (source === undefined || sendEcho === undefined) return "network-unreachable";
    const payload = request.payload ?? new Uint8Array(0);
    const packet = PacketBuffer.allocate(this.ip.headroom + ICMP_HEADER_LENGTH, payload.length);
    packet.set(payload);
    return sendEcho(((identifier << 16) | (request.sequence & 0xffff)) >>> 0, packet, {
      source,
      destination: request.destination,
      protocol: PROTOCOL_ICMP,
      timeToLive: request.timeToLive,
      trafficClass: request.trafficClass,
      dontFragment: request.dontFragment,
      interface: request.interface,
    });
  }

  private freeIdentifier(): number {
    let identifier = randomBelow(this.host.random, IDENTIFIERS);
    // One full turn at most: with all in use, the caller is told so.
    for (let tried = 0; tried < IDENTIFIERS && this.askers.has(identifier); tried += 1) identifier = (identifier + 1) % IDENTIFIERS;
    return identifier;
  }
}
