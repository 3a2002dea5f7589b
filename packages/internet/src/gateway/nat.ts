// Network address translation (RFC 3022; behaviour by RFC 4787, RFC 5382, RFC 5508): which conversations are translated, and into what.
import { type Host, type IpAddress, type Ipv4Address, isIpv4, parseIp } from "@netstrata/core";
import type { NetworkInterface } from "@netstrata/link";
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "../ip-protocol.ts";
import { type Flow, reversed } from "./flow.ts";
import { type PortMapping, PortMappings } from "./port-mappings.ts";
import type { TrackedConnection } from "./tracked-connection.ts";

/** What is sent to a port of the outside goes to an inner host (RFC 2663 §4.1.2, "static address and port translation"). */
export interface PortForward {
  /** @default "tcp" */
  readonly protocol?: "tcp" | "udp";
  /** The port of the outside. */
  readonly port: number;
  /** `"192.168.1.2:80"`; without a port the same one. */
  readonly to: string;
}

export interface NatOptions {
  /** Names of the interfaces to the outside: whatever leaves through one of them speaks with its address. */
  readonly outside: string | readonly string[];
  readonly forward?: readonly PortForward[];
  /**
   * Who may speak to a port that an inner host uses (RFC 4787 §5): whom it has spoken to itself, or everyone.
   * @default "address-and-port-dependent"
   */
  readonly filtering?: "address-and-port-dependent" | "endpoint-independent";
  /** Inner hosts reach each other by the outside's address (RFC 4787 REQ-9). @default true */
  readonly hairpinning?: boolean;
}

interface Target {
  readonly address: Ipv4Address;
  readonly port: number;
}

const NUMBER = { tcp: PROTOCOL_TCP, udp: PROTOCOL_UDP } as const;

export class Nat {
  readonly mappings: PortMappings;
  private readonly outside: ReadonlySet<string>;
  private readonly filtering: NonNullable<NatOptions["filtering"]>;
  private readonly hairpinning: boolean;
  /** By protocol and port. */
  private readonly forwards = new Map<string, Target>();
  private readonly isOwn: (address: IpAddress) => boolean;

  /**
   * @param isOwn says which addresses are this host's
   * @throws RangeError for a port or an address that is none
   */
  constructor(host: Host, options: NatOptions, isOwn: (address: IpAddress) => boolean) {
    const { outside, forward = [], filtering = "address-and-port-dependent", hairpinning = true } = options;
    this.outside = new Set(typeof outside === "string" ? [outside] : outside);
    this.filtering = filtering;
    this.hairpinning = hairpinning;
    this.isOwn = isOwn;
    this.mappings = new PortMappings(host.random, (protocol, port) => this.forwards.has(`${protocol},${port}`));
    for (const each of forward) this.forward(each);
  }

  /** From now on; conversations that exist stay as they are. @throws RangeError for a port or an address that is none */
  forward({ protocol = "tcp", port, to }: PortForward): void {
    this.forwards.set(`${NUMBER[protocol]},${requirePort(port)}`, parseTarget(to, port));
  }

  unforward({ protocol = "tcp", port }: Pick<PortForward, "protocol" | "port">): void {
    this.forwards.delete(`${NUMBER[protocol]},${port}`);
  }

  isOutside(networkInterface: NetworkInterface | undefined): boolean {
    return networkInterface !== undefined && this.outside.has(networkInterface.name);
  }

  /** A new conversation comes in: where it is to go, when that is not where it says. */
  redirect(connection: TrackedConnection, from: NetworkInterface): void {
    const { flow } = connection.original;
    const { protocol, destination, destinationPort } = flow;
    if (!isIpv4(destination) || !this.isOwn(destination)) return;
    const target = this.targetOf(protocol, destination, destinationPort, this.isOutside(from));
    if (target === undefined) return;
    connection.expectReply({ ...reversed(flow), source: target.address, sourcePort: target.port });
  }

  private targetOf(protocol: number, destination: Ipv4Address, port: number, fromOutside: boolean): Target | undefined {
    const forwarded = this.forwards.get(`${protocol},${port}`);
    if (!fromOutside && !this.hairpinning) return undefined;
    // From inside, only what is sent to the outside's address: this host has other services on its inner one.
    const isOuter = fromOutside || this.outerAddresses.has(destination);
    if (forwarded !== undefined && isOuter) return forwarded;
    // RFC 4787 REQ-9: between inner hosts a mapping is enough; from the outside only where everyone may come.
    if (protocol === PROTOCOL_ICMP || (fromOutside && this.filtering !== "endpoint-independent")) return undefined;
    const mapping = this.mappings.innerOf(protocol, destination, port);
    // Ports that this host itself speaks from are its own affair.
    if (mapping === undefined || this.isOwn(mapping.inner)) return undefined;
    return { address: mapping.inner, port: mapping.innerPort };
  }

  /** The addresses of the interfaces to the outside, kept up to date by `addressesChanged`. */
  private outerAddresses: ReadonlySet<IpAddress> = new Set();

  addressesChanged(interfaces: readonly NetworkInterface[]): void {
    const outer = interfaces.filter((each) => this.isOutside(each));
    this.outerAddresses = new Set(outer.flatMap((each) => each.addresses.map(({ address }) => address)));
  }

  /**
   * A new conversation is about to leave: as whom it speaks.
   * @param from where it came in; undefined when this host has begun it
   * @param address of this host on the way out
   * @returns false when there is no port for it
   */
  masquerade(
    connection: TrackedConnection,
    from: NetworkInterface | undefined,
    to: NetworkInterface,
    address: IpAddress | undefined,
    isTaken: (reply: Flow) => boolean,
  ): boolean {
    const { flow } = connection.original;
    const { source, destination } = flow;
    if (!isIpv4(source) || (from !== undefined && this.isOutside(from))) return true;
    const isHairpin = !this.isOutside(to) && this.outerAddresses.has(destination) && connection.reply.flow.source !== destination;
    // RFC 4787 REQ-9 (a): one who is reached by the outside's address is answered by it.
    const outer = isHairpin ? destination : address;
    if (!isHairpin && !this.isOutside(to)) return true;
    if (outer === undefined || !isIpv4(outer)) return false;
    const hasPorts = flow.protocol === PROTOCOL_TCP || flow.protocol === PROTOCOL_UDP || flow.protocol === PROTOCOL_ICMP;
    if (!hasPorts) return this.speakAs(connection, outer, 0, isTaken);
    // What this host itself says from another of its addresses it wants to say from that.
    const speaker = from === undefined ? source : outer;
    return this.speakFromPort(connection, source, speaker, isTaken);
  }

  private speakFromPort(
    connection: TrackedConnection,
    source: Ipv4Address,
    outer: Ipv4Address,
    isTaken: (reply: Flow) => boolean,
  ): boolean {
    const { protocol, sourcePort } = connection.original.flow;
    // One port serves for all whom an endpoint speaks to, but where just this conversation is somebody else's already: then another.
    for (const anew of [false, true]) {
      const mapping = this.mappings.mapTo(outer, protocol, source, sourcePort, anew);
      if (mapping === undefined) return false;
      connection.mapping = mapping;
      if (this.speakAs(connection, outer, mapping.outerPort, isTaken)) return true;
      this.mappings.release(mapping);
      connection.mapping = undefined;
    }
    return false;
  }

  private speakAs(connection: TrackedConnection, outer: Ipv4Address, port: number, isTaken: (reply: Flow) => boolean): boolean {
    const before = connection.reply.flow;
    // Both ports of an echo are its identifier.
    const sourcePort = before.protocol === PROTOCOL_ICMP ? port : before.sourcePort;
    const reply = { ...before, sourcePort, destination: outer, destinationPort: port };
    if (isTaken(reply)) return false;
    connection.expectReply(reply);
    return true;
  }

  /** The conversation has been let in: its port is taken. */
  begun({ mapping }: TrackedConnection): void {
    if (mapping !== undefined) mapping.uses += 1;
  }

  /** It has ended, or was not let in. */
  ended({ mapping, isConfirmed }: TrackedConnection): void {
    if (mapping === undefined) return;
    if (isConfirmed) mapping.uses -= 1;
    this.mappings.release(mapping);
  }

  /** All port mappings, for looking at. */
  list(): PortMapping[] {
    return [...this.mappings];
  }
}

function requirePort(port: number): number {
  if (!(Number.isInteger(port) && port >= 1 && port <= 65535)) throw new RangeError(`port ${port}: not 1 to 65535`);
  return port;
}

function parseTarget(text: string, port: number): Target {
  const [hostname, portText = String(port)] = text.split(":");
  const address = parseIp(hostname);
  if (address === undefined || !isIpv4(address)) throw new RangeError(`forward to ${JSON.stringify(text)}: not an IPv4 address and a port`);
  return { address, port: requirePort(/^\d+$/.test(portText) ? Number(portText) : Number.NaN) };
}
