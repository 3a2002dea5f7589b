// Octets arrive in chunks of any size and leave in pieces of the sizes a file format asks for.

const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * A piece that lies within one chunk leaves as a view of it; one that straddles chunks is put together in memory of its own
 * size. So each octet is copied at most once, whatever the chunk sizes, and nothing is held but one chunk and one piece.
 */
export class ByteQueue {
  /** Octets taken or skipped since the beginning: the place in the file. */
  offset = 0;
  private chunk: Uint8Array = EMPTY;
  private at = 0;
  private piece: Uint8Array | undefined;
  private filled = 0;
  private skipping = 0;

  /** Adds a chunk, which the queue may keep views of. Take everything that is there before adding the next one. */
  push(chunk: Uint8Array): void {
    if (this.at !== this.chunk.length) throw new RangeError("push: the chunk before has not been used up");
    this.chunk = chunk;
    this.at = 0;
  }

  /** The next `count` octets, or undefined until they are all there; then ask again for as many. */
  take(count: number): Uint8Array | undefined {
    if (this.piece === undefined) {
      if (this.chunk.length - this.at >= count) {
        const view = this.chunk.subarray(this.at, this.at + count);
        this.at += count;
        this.offset += count;
        return view;
      }
      this.piece = new Uint8Array(count);
      this.filled = 0;
    }
    const piece = this.piece;
    const copied = Math.min(piece.length - this.filled, this.chunk.length - this.at);
    piece.set(this.chunk.subarray(this.at, this.at + copied), this.filled);
    this.at += copied;
    this.filled += copied;
    if (this.filled < piece.length) return undefined;
    this.piece = undefined;
    this.filled = 0;
    this.offset += piece.length;
    return piece;
  }

  /** Passes over `count` octets without keeping them; false until they are all there, then ask again for as many. */
  skip(count: number): boolean {
    const passed = Math.min(count - this.skipping, this.chunk.length - this.at);
    this.at += passed;
    this.skipping += passed;
    if (this.skipping < count) return false;
    this.skipping = 0;
    this.offset += count;
    return true;
  }

  /** Octets that have come in but belong to a piece that is not whole yet. */
  get pending(): number {
    return this.filled + this.skipping + this.chunk.length - this.at;
  }
}
