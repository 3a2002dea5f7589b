// Where a dissection stands: what has been found, what is left, and what comes next.
import type { IpAddress } from "@netstrata/core";
import { PacketBuffer } from "@netstrata/core";
import type { ChecksumVerdict, Layer } from "./layer.ts";
import { readPartialHeader } from "./partial-header.ts";

/** A name for what comes next: an EtherType, an IP protocol number or one of the constants below; `dissect.ts` knows who reads it. */
export type NextLayer = number;

/** Nothing comes, or nothing that can be read. */
export const NEXT_NOTHING: NextLayer = -1;
/** Octets that no layer here explains. */
export const NEXT_DATA: NextLayer = -2;
export const NEXT_ETHERNET: NextLayer = -3;
export const NEXT_LLC: NextLayer = -4;
export const NEXT_VXLAN: NextLayer = -5;

const IP_PROTOCOLS = 0x10000;

export function nextEtherType(etherType: number): NextLayer {
  return etherType;
}

export function nextIpProtocol(protocol: number): NextLayer {
  return IP_PROTOCOLS + protocol;
}

/** Reads one header, adds its layer, consumes it, and says what comes next. It never throws, whatever it finds. */
export type Dissector = (cursor: Cursor) => NextLayer;

export class Cursor {
  /** The captured octets that are left, from the next header on. */
  readonly packet: PacketBuffer;
  readonly layers: Layer[] = [];
  readonly verifyChecksums: boolean;
  /** Where the current layer's content ends in the frame as it was on the wire: behind `packet.end` when the capture was cut. */
  wireEnd: number;
  /** Where it should end by its own header: behind `wireEnd` in a quotation cut short, and when the header lies. */
  private promisedEnd: number;
  /** The innermost IP header's addresses, for pseudo-headers: the destination is the final one (RFC 8200 §8.1). */
  source: IpAddress = 0 as IpAddress;
  destination: IpAddress = 0 as IpAddress;
  /** True within a fragment: the transport checksum covers more than is here. */
  fragmented = false;

  constructor(bytes: Uint8Array, wireLength: number, verifyChecksums: boolean) {
    this.packet = PacketBuffer.wrap(bytes);
    this.wireEnd = Math.max(wireLength, bytes.length);
    this.promisedEnd = this.wireEnd;
    this.verifyChecksums = verifyChecksums;
  }

  /** Octets on the wire from here to the end of the current layer's content. */
  get wireLength(): number {
    return this.wireEnd - this.packet.start;
  }

  /** The same as the layer's own header has it: what a checksum covers that has no length of its own. */
  get promisedLength(): number {
    return this.promisedEnd - this.packet.start;
  }

  /** The layer that begins here says that its content, header included, has `length` octets: what lies behind is padding. */
  limit(length: number): void {
    this.promisedEnd = this.packet.start + length;
    this.wireEnd = Math.min(this.wireEnd, this.packet.start + length);
    this.packet.truncate(length);
  }

  /** Adds a layer, consumes its header, and passes `next` on. */
  found(layer: Layer, next: NextLayer): NextLayer {
    this.layers.push(layer);
    this.packet.consume(Math.min(layer.headerLength, this.packet.length));
    return next;
  }

  malformed(expected: string, reason: string): NextLayer {
    const { start: offset, length: headerLength } = this.packet;
    const fields = readPartialHeader(expected, this.packet);
    return this.found({ protocol: "malformed", offset, headerLength, expected, reason, fields }, NEXT_NOTHING);
  }

  /** True when the `length` octets from here, which a checksum covers, are all on hand and the checksum is wanted. */
  canVerify(length: number): boolean {
    return this.verifyChecksums && !this.fragmented && length <= this.packet.length;
  }

  verdict(isRight: boolean): ChecksumVerdict {
    return isRight ? "good" : "bad";
  }
}
