// The pcap-parser package behind a guard: it trusts every length, and takes a truncated file for a whole one.
// Why it is used, and for what: docs/decisions/0006-capture-readers.md.
import { EventEmitter } from "node:events";
import { parse } from "pcap-parser";
import { CaptureError, type CapturePlace } from "../capture-error.ts";
import type { CapturedPacket } from "../captured-packet.ts";
import { checkRecordLength, type LongRecords, type PcapHeader, pcapInterface, pcapTimestamp } from "../pcap-header.ts";

const RECORD_HEADER_LENGTH = 16;

/** What the parser needs of a stream. We emit its data ourselves, so there is nothing to pause. */
class ParserFeed extends EventEmitter {
  pause(): this {
    return this;
  }

  resume(): this {
    return this;
  }
}

/** Octets. Longer chunks are given to the parser in pieces of this length. */
export const PIECE_LENGTH = 65536;

/**
 * Parses one classic microsecond file of version 2.4, whose header has been read and checked.
 *
 * With each piece the parser copies everything that it has not used yet. Short chunks are therefore held back until the
 * packet that is being read is whole: each octet is copied a fixed number of times, and no packet waits for the next one.
 */
export class PcapParserGuard {
  private readonly feed = new ParserFeed();
  private readonly place: CapturePlace;
  private batch: CapturedPacket[] = [];
  private held: Uint8Array[] = [];
  private heldLength = 0;
  private fed = 0;
  /** Where the octets end that the parser needs next: a record's header, then its packet. */
  private wanted: number;

  /** @param place stands at the first record */
  constructor(header: PcapHeader, place: CapturePlace, longRecords: LongRecords) {
    this.place = place;
    this.wanted = place.byteOffset + RECORD_HEADER_LENGTH;
    const { linkType, snapLength, tick } = header;
    const captureInterface = pcapInterface(header);
    parse(this.feed)
      .on("packetHeader", ({ capturedLength }) => {
        // The parser has stored nothing for the packet yet: its length is judged before it is believed.
        checkRecordLength(capturedLength, snapLength, longRecords, place);
        this.wanted = place.byteOffset + RECORD_HEADER_LENGTH + capturedLength;
      })
      .on("packet", ({ header: { timestampSeconds, timestampMicroseconds, originalLength }, data }) => {
        const timestamp = pcapTimestamp(timestampSeconds, timestampMicroseconds, tick);
        this.batch.push({ number: place.packetNumber, timestamp, linkType, bytes: data, originalLength, interface: captureInterface });
        place.packetNumber += 1;
        place.byteOffset = this.wanted;
        this.wanted += RECORD_HEADER_LENGTH;
      });
  }

  /** Takes one chunk of the file, from its very first octet on, and yields the packets that are whole now; then throws what is wrong. */
  *push(chunk: Uint8Array): Generator<readonly CapturedPacket[], void, void> {
    for (let at = 0; at < chunk.length; at += PIECE_LENGTH) {
      const piece = chunk.subarray(at, at + PIECE_LENGTH);
      this.held.push(piece);
      this.heldLength += piece.length;
      if (this.fed + this.heldLength < this.wanted) continue;
      const fault = this.parseHeld();
      if (this.batch.length > 0) yield this.batch;
      if (fault !== undefined) throw fault;
    }
  }

  /** Throws when the file ended within a record, which the parser would pass over in silence. */
  end(): void {
    const begun = this.fed + this.heldLength - this.place.byteOffset;
    if (begun > 0) throw new CaptureError("truncated", this.place, `the file ends ${begun} octets into a record`);
  }

  private parseHeld(): unknown {
    const piece = this.held.length === 1 ? this.held[0] : Buffer.concat(this.held);
    this.held = [];
    this.heldLength = 0;
    this.fed += piece.length;
    this.batch = [];
    try {
      // Its events are emitted within this call, and what a listener throws comes out of it.
      this.feed.emit("data", Buffer.from(piece.buffer, piece.byteOffset, piece.length));
      return undefined;
    } catch (fault) {
      return fault;
    }
  }
}
