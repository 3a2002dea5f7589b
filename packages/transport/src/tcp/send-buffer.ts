// What the user gave to SEND and the peer has not acknowledged (RFC 9293 §3.9.1.2), kept by reference.

/** Writes up to this size are copied together, so that a thousand one-octet writes do not become a thousand chunks. In octets. */
const LARGEST_COPIED_WRITE = 512;
const TAIL_BLOCK_SIZE = 4096;
/** Dead chunks at the front are cut off when there are this many. */
const COMPACT_AT = 128;

/** A queue of octets, addressed by their offset from the first unacknowledged one. */
export class SendBuffer {
  length = 0;
  private chunks: Uint8Array[] = [];
  private head = 0;
  /** Octets of the head chunk that are acknowledged already. */
  private headOffset = 0;
  /** The last chunk when it is a view on the start of a block with room behind it. */
  private tailBlock: Uint8Array | undefined;
  /** Where the last copy ended: sending goes on from there, and finds its chunk without a search. */
  private cursor = 0;
  /** Offset of the cursor's chunk, counted like all offsets from the first unacknowledged octet. */
  private cursorOffset = 0;

  append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    // With nothing before it there is nothing to put it together with: round trips of one octet gain 60 % without the block.
    const isAlone = this.length === 0;
    this.length += bytes.length;
    if (isAlone || bytes.length > LARGEST_COPIED_WRITE) {
      this.chunks.push(bytes);
      this.tailBlock = undefined;
      return;
    }
    const last = this.chunks.length - 1;
    const used = this.tailBlock === undefined ? TAIL_BLOCK_SIZE : this.chunks[last].length;
    if (this.tailBlock !== undefined && used + bytes.length <= TAIL_BLOCK_SIZE) {
      this.tailBlock.set(bytes, used);
      this.chunks[last] = this.tailBlock.subarray(0, used + bytes.length);
    } else {
      this.tailBlock = new Uint8Array(TAIL_BLOCK_SIZE);
      this.tailBlock.set(bytes);
      this.chunks.push(this.tailBlock.subarray(0, bytes.length));
    }
  }

  /** Forgets the first `count` octets. */
  acknowledge(count: number): void {
    this.length -= count;
    this.cursorOffset -= count;
    let position = this.headOffset + count;
    while (this.head < this.chunks.length && position >= this.chunks[this.head].length) {
      position -= this.chunks[this.head].length;
      this.head += 1;
    }
    this.headOffset = position;
    if (this.head === this.chunks.length) this.clear();
    else if (this.cursor < this.head) this.rewindCursor();
    if (this.head >= COMPACT_AT && this.head * 2 >= this.chunks.length) {
      this.chunks.splice(0, this.head);
      this.cursor -= this.head;
      this.head = 0;
    }
  }

  /** Copies `length` octets that start `offset` after the first unacknowledged one to `target[at …]`. */
  copy(offset: number, length: number, target: Uint8Array, at: number): void {
    if (offset < this.cursorOffset) this.rewindCursor();
    while (offset >= this.cursorOffset + this.chunks[this.cursor].length) {
      this.cursorOffset += this.chunks[this.cursor].length;
      this.cursor += 1;
    }
    let position = offset - this.cursorOffset;
    let copied = 0;
    for (let index = this.cursor; copied < length; index += 1) {
      const chunk = this.chunks[index];
      const count = Math.min(length - copied, chunk.length - position);
      target.set(position === 0 && count === chunk.length ? chunk : chunk.subarray(position, position + count), at + copied);
      copied += count;
      position = 0;
    }
  }

  clear(): void {
    this.chunks = [];
    this.length = 0;
    this.head = 0;
    this.headOffset = 0;
    this.tailBlock = undefined;
    this.rewindCursor();
  }

  private rewindCursor(): void {
    this.cursor = this.head;
    this.cursorOffset = -this.headOffset;
  }
}
