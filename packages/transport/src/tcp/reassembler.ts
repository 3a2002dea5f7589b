// Segments that arrived ahead of their turn (RFC 9293 §3.10.7.4, SHLD-31).
import {
  isAfter,
  isAtOrAfter,
  isAtOrBefore,
  isBefore,
  type SequenceNumber,
  sequenceAdd,
  sequenceDistance,
  sequenceMax,
  sequenceMin,
} from "@netstrata/core";
import type { SackBlock } from "./tcp-options.ts";

/**
 * Octets are bounded by the receive window, but pieces cost memory of their own: a peer that sends every other octet must not
 * make a list as long as the window. What exceeds it is dropped and comes again.
 */
export const MAX_REASSEMBLY_PIECES = 1024;
/** How many arrivals are remembered for the order of SACK blocks: more than fit into one acknowledgment, since some join one block. */
const RECENT_ARRIVALS = 8;
const LARGEST_BLOCK = 65536;

interface Piece {
  readonly start: SequenceNumber;
  readonly end: SequenceNumber;
  /** Holds the octets at its front; there may be room behind them. */
  readonly block: Uint8Array;
}

export class Reassembler {
  /** Octets held. */
  length = 0;
  /** In order of sequence, without overlap. */
  private pieces: Piece[] = [];
  /** What was brought a second time since this was last set to undefined: the first stretch of it. */
  duplicate: SackBlock | undefined;
  /** Pieces looked at up to now: what the work of arrivals is measured by. */
  steps = 0;
  /** Where the latest segments started, the newest first. */
  private recent: SequenceNumber[] = [];
  private readonly maxPieces: number;

  constructor(maxPieces: number = MAX_REASSEMBLY_PIECES) {
    this.maxPieces = maxPieces;
  }

  get pieceCount(): number {
    return this.pieces.length;
  }

  /**
   * Keeps a copy of what is new in `bytes`, which start at `start`. Where they overlap what is held, the octets that came
   * first stay. Returns false when the list of pieces is full and something was left out.
   */
  insert(start: SequenceNumber, bytes: Uint8Array): boolean {
    const end = sequenceAdd(start, bytes.length);
    this.recent = [start, ...this.recent.filter((earlier) => earlier !== start)].slice(0, RECENT_ARRIVALS);
    this.duplicate = undefined;
    let index = this.indexBehind(start);
    let at = start;
    while (isBefore(at, end)) {
      const next = this.pieces[index];
      this.steps += 1;
      if (next !== undefined && isAtOrBefore(next.start, at)) {
        this.noteDuplicate(at, sequenceMin(end, next.end));
        at = sequenceMax(at, next.end);
        index += 1;
        continue;
      }
      const holeEnd = next === undefined ? end : sequenceMin(end, next.start);
      const from = sequenceDistance(start, at);
      const fresh = bytes.subarray(from, from + sequenceDistance(at, holeEnd));
      if (!this.extendPiece(index - 1, at, fresh)) {
        if (this.pieces.length >= this.maxPieces) return false;
        // Not `fresh.slice()`: in a Node Buffer that is a view, and the packet is only lent.
        this.pieces.splice(index, 0, { start: at, end: holeEnd, block: new Uint8Array(fresh) });
        index += 1;
      }
      this.length += fresh.length;
      at = holeEnd;
      if (this.joinNext(index - 1)) index -= 1;
    }
    return true;
  }

  private noteDuplicate(left: SequenceNumber, right: SequenceNumber): void {
    if (this.duplicate === undefined) this.duplicate = { left, right };
    else if (this.duplicate.right === left) this.duplicate = { left: this.duplicate.left, right };
  }

  /** Index of the first piece that ends behind `at`. */
  private indexBehind(at: SequenceNumber): number {
    let low = 0;
    let high = this.pieces.length;
    while (low < high) {
      this.steps += 1;
      const middle = (low + high) >>> 1;
      if (isAfter(this.pieces[middle].end, at)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** A hole is filled: the piece at `index` takes in the one that it touches now, so that many small ones do not stay side by side. */
  private joinNext(index: number): boolean {
    const next = this.pieces[index + 1];
    const piece = this.pieces[index];
    if (next === undefined || piece === undefined || next.start !== piece.end) return false;
    if (!this.extendPiece(index, piece.end, next.block.subarray(0, sequenceDistance(next.start, next.end)))) return false;
    this.pieces.splice(index + 1, 1);
    return true;
  }

  /** Takes out the octets from `next` on, as far as they are without a hole in one piece; undefined when `next` has not arrived. */
  take(next: SequenceNumber): Uint8Array | undefined {
    while (this.pieces.length > 0 && isAtOrBefore(this.pieces[0].start, next)) {
      const piece = this.pieces.shift() as Piece;
      this.length -= sequenceDistance(piece.start, piece.end);
      if (isBefore(piece.start, next)) this.noteDuplicate(piece.start, sequenceMin(piece.end, next));
      if (isAtOrAfter(next, piece.end)) continue;
      return piece.block.subarray(sequenceDistance(piece.start, next), sequenceDistance(piece.start, piece.end));
    }
    return undefined;
  }

  /** The blocks of octets held that the latest segments belong to, the newest first, at most `limit` (RFC 2018 §4). */
  recentBlocks(limit: number): SackBlock[] {
    const blocks: SackBlock[] = [];
    for (const start of this.recent) {
      if (blocks.length === limit) break;
      if (blocks.some(({ left, right }) => isAtOrBefore(left, start) && isBefore(start, right))) continue;
      const index = this.indexBehind(start);
      if (index < this.pieces.length && isAtOrBefore(this.pieces[index].start, start)) blocks.push(this.blockAround(index));
    }
    return blocks;
  }

  /** Pieces that touch each other make one block. */
  private blockAround(index: number): SackBlock {
    let first = index;
    let last = index;
    while (first > 0 && this.pieces[first - 1].end === this.pieces[first].start) {
      this.steps += 1;
      first -= 1;
    }
    while (last + 1 < this.pieces.length && this.pieces[last + 1].start === this.pieces[last].end) last += 1;
    return { left: this.pieces[first].start, right: this.pieces[last].end };
  }

  /** Gives up what lies farthest ahead; false when there is nothing. */
  dropLast(): boolean {
    const piece = this.pieces.pop();
    if (piece === undefined) return false;
    this.length -= sequenceDistance(piece.start, piece.end);
    return true;
  }

  clear(): void {
    this.pieces = [];
    this.recent = [];
    this.length = 0;
  }

  /** Appends to the piece that ends at `at`, so that a run of segments is one piece; blocks grow by doubling. */
  private extendPiece(index: number, at: SequenceNumber, bytes: Uint8Array): boolean {
    const piece = this.pieces[index];
    if (piece === undefined || piece.end !== at) return false;
    const held = sequenceDistance(piece.start, piece.end);
    let block = piece.block;
    if (held + bytes.length > block.length) {
      if (held + bytes.length > LARGEST_BLOCK) return false;
      block = new Uint8Array(Math.min(LARGEST_BLOCK, Math.max(2 * block.length, held + bytes.length)));
      block.set(piece.block.subarray(0, held));
    }
    block.set(bytes, held);
    this.pieces[index] = { start: piece.start, end: sequenceAdd(at, bytes.length), block };
    return true;
  }
}
