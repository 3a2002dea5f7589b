// One direction of a TCP conversation as a stream of octets (RFC 9293 §3.4), put together from what a capture has of it.
import { type SequenceNumber, sequenceDistance } from "@netstrata/core";
import { insertPiece, type Piece } from "./pieces.ts";

/** Told of the stream in its order, without holes but those it is told of. */
export interface StreamReceiver {
  /** @param offset where `bytes` begin in the stream. They are lent for the duration of the call. */
  data(bytes: Uint8Array, offset: number): void;
  /** `length` octets from `offset` on were sent, but are not in the capture. */
  gap(length: number, offset: number): void;
}

/** Farther from where the stream stands than any window reaches (RFC 7323 §2.2): a number of another stream, or an attack. */
export const FARTHEST_SEGMENT: number = 2 ** 30;
/** Pieces that wait for what is in front of them; above it, as above the limit of octets, that is given up as a gap. */
export const MAX_PIECES = 1024;
/**
 * Packets of the conversation that a hole may still be filled by after the receiver has acknowledged it. It has been filled on the
 * wire then, but a capture of several processors is not quite in order.
 */
export const HOLE_PATIENCE = 32;

/**
 * Octets that come twice are taken the first time: a retransmission never changes what has been delivered or is waiting.
 * When the beginning was not captured, the stream begins where the other side's first acknowledgment says, or with what was captured.
 */
export class StreamReassembler {
  /** Octets delivered. */
  deliveredBytes = 0;
  /** Octets in gaps. */
  missingBytes = 0;
  gaps = 0;
  /** Octets that had come before. */
  repeatedBytes = 0;
  /** Segments farther away than `FARTHEST_SEGMENT`, which are ignored. */
  strayedSegments = 0;
  /** Octets that wait. */
  bufferedBytes = 0;

  private readonly receiver: StreamReceiver;
  private readonly maxBuffered: number;
  /** Sorted, without overlap. */
  private readonly pieces: Piece[] = [];
  /** The sequence number of position 0. Positions do not wrap, and are negative before it. */
  private origin: SequenceNumber | undefined;
  /** Where the stream begins; undefined until that is known. */
  private beginning: number | undefined;
  /** Position of the next octet to deliver. */
  private next = 0;
  /** Position of the FIN. */
  private finish: number | undefined;
  /** Position up to which the other side has acknowledged. */
  private acknowledged = 0;
  private packetsAtHole = 0;

  /** @param maxBuffered octets that may wait */
  constructor(receiver: StreamReceiver, maxBuffered: number) {
    this.receiver = receiver;
    this.maxBuffered = maxBuffered;
  }

  /** True when everything up to the FIN has been delivered, or given up. */
  get ended(): boolean {
    return this.finish !== undefined && this.beginning !== undefined && this.next >= this.finish;
  }

  /** True when the stream is known to begin with sequence number `seq`. */
  beginsAt(seq: SequenceNumber): boolean {
    return this.origin !== undefined && this.beginning !== undefined && (this.origin + this.beginning) >>> 0 === seq;
  }

  /** A SYN came: the stream begins with sequence number `seq`. */
  begin(seq: SequenceNumber): void {
    const position = this.positionOf(seq);
    if (position !== undefined) this.beginAt(position);
  }

  /**
   * @param seq of the first octet
   * @param bytes the captured part, lent for the duration of the call
   * @param length octets on the wire
   */
  segment(seq: SequenceNumber, bytes: Uint8Array, length: number): void {
    const start = this.positionOf(seq);
    if (start === undefined) this.strayedSegments += 1;
    else if (length > 0) this.insert(start, start + length, bytes);
  }

  /** A FIN came with sequence number `seq`. */
  fin(seq: SequenceNumber): void {
    this.finish ??= this.positionOf(seq);
  }

  /** The other side has everything before `seq`. */
  acknowledge(seq: SequenceNumber): void {
    const position = this.positionOf(seq);
    if (position === undefined) return;
    // What was acknowledged before anything was seen came before the capture did.
    if (this.beginning === undefined) this.beginAt(Math.min(position, this.pieces[0]?.start ?? position));
    this.acknowledged = Math.max(this.acknowledged, position);
  }

  /** To be called once for each packet of the conversation, because patience with holes is counted in packets. */
  passed(): void {
    if (this.pieces.length === 0) return;
    if (this.beginning !== undefined && this.acknowledged <= this.next) return;
    this.packetsAtHole += 1;
    if (this.packetsAtHole > HOLE_PATIENCE) this.giveUpHole();
  }

  /** Nothing will come any more: delivers everything that waits, with gaps where there are holes. */
  flush(): void {
    while (this.pieces.length > 0) this.giveUpHole();
    if (this.beginning === undefined) return;
    // What was acknowledged was sent. Its last number may be that of a FIN, seen or not.
    const sent = this.finish ?? this.acknowledged;
    const isFinOnly = this.finish === undefined && sent === this.next + 1;
    if (sent > this.next && !isFinOnly) this.skipTo(sent);
  }

  private positionOf(seq: SequenceNumber): number | undefined {
    this.origin ??= seq;
    const distance = sequenceDistance((this.origin + this.next) >>> 0, seq);
    return Math.abs(distance) > FARTHEST_SEGMENT ? undefined : this.next + distance;
  }

  private beginAt(position: number): void {
    if (this.beginning !== undefined) return;
    this.beginning = position;
    this.next = position;
    this.acknowledged = position;
    this.deliver();
  }

  private insert(start: number, end: number, bytes: Uint8Array): void {
    const from = this.beginning === undefined ? start : Math.max(start, Math.min(this.next, end));
    this.repeatedBytes += from - start;
    if (from === end) return;
    const rest = bytes.subarray(from - start, end - start);
    if (from === this.next && this.beginning !== undefined && this.pieces.length === 0) {
      // By far the most frequent case: in order, nothing waiting, no copy.
      this.pass({ start: from, end, bytes: rest });
      return;
    }
    const added = insertPiece(this.pieces, { start: from, end, bytes: rest });
    this.repeatedBytes += end - from - added;
    this.bufferedBytes += added;
    if (this.beginning !== undefined) this.deliver();
    while (this.bufferedBytes > this.maxBuffered || this.pieces.length > MAX_PIECES) this.giveUpHole();
  }

  private deliver(): void {
    let count = 0;
    while (count < this.pieces.length && this.pieces[count].start <= this.next) {
      const piece = this.pieces[count];
      count += 1;
      this.bufferedBytes -= piece.end - piece.start;
      this.pass(piece);
    }
    this.pieces.splice(0, count);
  }

  private pass(piece: Piece): void {
    this.packetsAtHole = 0;
    // A SYN may have come late, and say that the stream begins behind octets that wait.
    const late = this.next - piece.start;
    const bytes = late > 0 ? piece.bytes.subarray(late) : piece.bytes;
    if (bytes.length > 0) {
      this.receiver.data(bytes, this.next - (this.beginning as number));
      this.deliveredBytes += bytes.length;
      this.next += bytes.length;
    }
    // What the capture cut off will not come again.
    if (piece.end > this.next) this.skipTo(piece.end);
  }

  /** Gives up what is missing in front of the first piece that waits. */
  giveUpHole(): void {
    if (this.pieces.length === 0) return;
    if (this.beginning === undefined) {
      this.beginAt(this.pieces[0].start);
    } else {
      this.skipTo(this.pieces[0].start);
      this.deliver();
    }
  }

  private skipTo(position: number): void {
    const length = position - this.next;
    this.receiver.gap(length, this.next - (this.beginning as number));
    this.gaps += 1;
    this.missingBytes += length;
    this.next = position;
    this.packetsAtHole = 0;
  }
}
