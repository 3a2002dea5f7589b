// One direction's octets of a recorded connection, put together from segments that repeat, overlap and come out of order.

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Pieces that may wait for the octets before them; more are forgotten, and the stream then has a gap. */
export const MAX_WAITING_PIECES = 4096;
const SMALLEST_STORE = 4096;

export class RecordedStream {
  private store: Uint8Array = new Uint8Array(SMALLEST_STORE);
  private waiting: Piece[] = [];
  /** Octets known from the stream's beginning on, without a gap. */
  length = 0;
  /** Two segments gave different octets for the same place, before the receiver had acknowledged either. */
  contradicts = false;

  /** The octets known from the beginning on; a view. */
  get bytes(): Uint8Array {
    return this.store.subarray(0, this.length);
  }

  /**
   * @param offset of the first octet, counted from the stream's beginning
   * @param acknowledged octets that the receiver has acknowledged: nobody looks at what repeats them, a keep-alive's octet for one
   */
  add(offset: number, bytes: Uint8Array, acknowledged: number): void {
    const known = { offset: 0, bytes: this.bytes };
    const fresh = { offset, bytes };
    if ([known, ...this.waiting].some((piece) => disagree(piece, fresh, acknowledged))) this.contradicts = true;
    if (offset > this.length) {
      if (this.waiting.length < MAX_WAITING_PIECES) this.waiting.push(fresh);
      return;
    }
    this.append(fresh);
    for (let index = this.nextWaiting(); index >= 0; index = this.nextWaiting()) this.append(this.waiting.splice(index, 1)[0]);
  }

  private nextWaiting(): number {
    return this.waiting.findIndex((piece) => piece.offset <= this.length);
  }

  private append(piece: Piece): void {
    const end = piece.offset + piece.bytes.length;
    if (end <= this.length) return;
    if (end > this.store.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.store.length));
      larger.set(this.bytes);
      this.store = larger;
    }
    this.store.set(piece.bytes.subarray(this.length - piece.offset), this.length);
    this.length = end;
  }
}

/** True when the two hold different octets for a place from `from` on. */
function disagree(a: Piece, b: Piece, from: number): boolean {
  const end = Math.min(a.offset + a.bytes.length, b.offset + b.bytes.length);
  for (let at = Math.max(from, a.offset, b.offset); at < end; at += 1) {
    if (a.bytes[at - a.offset] !== b.bytes[at - b.offset]) return true;
  }
  return false;
}
