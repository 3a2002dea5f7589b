// Which inner endpoint speaks as which port of the outside (RFC 4787 §4.1: endpoint-independent mapping).
import { type Ipv4Address, type Random, randomBelow } from "@netstrata/core";

/** @see PortMappings */
export interface PortMapping {
  readonly protocol: number;
  readonly inner: Ipv4Address;
  readonly innerPort: number;
  readonly outer: Ipv4Address;
  readonly outerPort: number;
  /** Conversations that use it; it ends with the last of them. */
  uses: number;
}

/** RFC 4787 REQ-3 (a): who speaks from a well-known port outside keeps to them. */
const WELL_KNOWN: readonly [first: number, count: number] = [1, 1023];
const OTHERS: readonly [first: number, count: number] = [1024, 64512];
/** How many ports are tried before none is said to be free: looking at all of them would be work for an attacker. */
export const PORT_TRIES = 64;

export class PortMappings {
  private readonly random: Random;
  private readonly isReserved: (protocol: number, port: number) => boolean;
  private readonly byInner = new Map<string, PortMapping>();
  /** By the outside's address, then by protocol and port. */
  private readonly byOuter = new Map<Ipv4Address, Map<number, PortMapping>>();

  /** @param isReserved ports of the outside that are given to nobody */
  constructor(random: Random, isReserved: (protocol: number, port: number) => boolean) {
    this.random = random;
    this.isReserved = isReserved;
  }

  get size(): number {
    let count = 0;
    for (const ports of this.byOuter.values()) count += ports.size;
    return count;
  }

  [Symbol.iterator](): Iterator<PortMapping> {
    return [...this.byOuter.values()].flatMap((ports) => [...ports.values()])[Symbol.iterator]();
  }

  /** Who speaks as this port. */
  innerOf(protocol: number, outer: Ipv4Address, outerPort: number): PortMapping | undefined {
    return this.byOuter.get(outer)?.get(portKey(protocol, outerPort));
  }

  /**
   * The mapping of an inner endpoint, which is the same whoever it speaks to (RFC 4787 REQ-1). A new one keeps the port when that is
   * free; else it is a random one of the same range.
   * @param anew not the one that it has already, whose port does not serve
   * @returns undefined when no port is free
   */
  mapTo(outer: Ipv4Address, protocol: number, inner: Ipv4Address, innerPort: number, anew = false): PortMapping | undefined {
    const key = `${protocol},${inner},${innerPort},${outer}`;
    const known = anew ? undefined : this.byInner.get(key);
    if (known !== undefined) return known;
    let ports = this.byOuter.get(outer);
    if (ports === undefined) this.byOuter.set(outer, (ports = new Map()));
    const outerPort = this.choosePort(ports, protocol, innerPort, anew);
    if (outerPort === undefined) return undefined;
    const mapping: PortMapping = { protocol, inner, innerPort, outer, outerPort, uses: 0 };
    if (!this.byInner.has(key)) this.byInner.set(key, mapping);
    ports.set(portKey(protocol, outerPort), mapping);
    return mapping;
  }

  /** A conversation that has used it has ended, or has not come to be. */
  release(mapping: PortMapping): void {
    if (mapping.uses > 0) return;
    const { protocol, inner, innerPort, outer, outerPort } = mapping;
    const innerKey = `${protocol},${inner},${innerPort},${outer}`;
    if (this.byInner.get(innerKey) === mapping) this.byInner.delete(innerKey);
    this.byOuter.get(outer)?.delete(portKey(protocol, outerPort));
  }

  private choosePort(ports: ReadonlyMap<number, PortMapping>, protocol: number, wanted: number, anew: boolean): number | undefined {
    const isFree = (port: number): boolean => !ports.has(portKey(protocol, port)) && !this.isReserved(protocol, port);
    if (!anew && isFree(wanted)) return wanted;
    const [first, count] = wanted < 1024 ? WELL_KNOWN : OTHERS;
    // RFC 6056 §3.3.1: from a random one on, the next that is free.
    const start = randomBelow(this.random, count);
    for (let step = 0; step < PORT_TRIES; step += 1) {
      const port = first + ((start + step) % count);
      if (isFree(port)) return port;
    }
    return undefined;
  }
}

function portKey(protocol: number, port: number): number {
  return (protocol << 16) | port;
}
