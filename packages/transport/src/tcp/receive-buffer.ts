// Octets in order that wait for the user's RECEIVE (RFC 9293 §3.9.1.3).

/** Blocks grow with what waits, from one segment up to this: a fast sender fills large blocks, an idle connection holds a small one at most. In octets. */
const LARGEST_BLOCK = 65536;
/** V8 makes arrays up to this size in its own heap, in 20 ns; larger ones take 600 ns and more. */
const SMALLEST_BLOCK = 64;
/** A block of at most this size that `readInto` has emptied is filled again: bulk at MTU 1500 gains 36 %. In octets. */
const LARGEST_KEPT_BLOCK = 2048;

/** A queue of octets. Arriving octets are copied once, because the packet is only lent; reading gives whole blocks away. */
export class ReceiveBuffer {
  length = 0;
  private blocks: Uint8Array[] = [];
  /** Octets of the first block that are read already. */
  private readAt = 0;
  /** Octets of the last block that are filled. */
  private filled = 0;

  append(bytes: Uint8Array): void {
    // A block that was kept and has become too small makes way, so that one piece stays in one block.
    if (this.length === 0 && this.blocks.length > 0 && this.blocks[0].length < bytes.length) this.dropFirst();
    let at = 0;
    while (at < bytes.length) {
      const last = this.blocks[this.blocks.length - 1];
      const room = last === undefined ? 0 : last.length - this.filled;
      if (room === 0) {
        this.blocks.push(new Uint8Array(Math.max(SMALLEST_BLOCK, bytes.length - at, Math.min(LARGEST_BLOCK, 2 * this.length))));
        this.filled = 0;
        continue;
      }
      const count = Math.min(room, bytes.length - at);
      last.set(count === bytes.length ? bytes : bytes.subarray(at, at + count), this.filled);
      this.filled += count;
      this.length += count;
      at += count;
    }
  }

  /** The next octets in one piece, at most `limit`; they are the caller's, and nothing else keeps a reference to them. */
  read(limit: number): Uint8Array | undefined {
    if (this.length === 0 || limit <= 0) return undefined;
    const block = this.blocks[0];
    const end = this.blocks.length === 1 ? this.filled : block.length;
    const count = end - this.readAt;
    // A part is copied, because the block stays ours; a few octets are, because V8 makes a view on a small array with great
    // pains: 1-octet round trips gain 30 % by a copy.
    if (count > limit || count <= SMALLEST_BLOCK) {
      const part = block.slice(this.readAt, this.readAt + Math.min(count, limit));
      this.readAt += part.length;
      this.length -= part.length;
      if (this.readAt === end) this.emptied(block);
      return part;
    }
    const whole = block.subarray(this.readAt, end);
    this.dropFirst();
    this.length -= count;
    return whole;
  }

  /** Fills `target` as far as there are octets; returns how many it copied. */
  readInto(target: Uint8Array): number {
    let copied = 0;
    while (copied < target.length && this.length > 0) {
      const block = this.blocks[0];
      const end = this.blocks.length === 1 ? this.filled : block.length;
      const count = Math.min(end - this.readAt, target.length - copied);
      target.set(block.subarray(this.readAt, this.readAt + count), copied);
      copied += count;
      this.readAt += count;
      this.length -= count;
      if (this.readAt === end) this.emptied(block);
    }
    return copied;
  }

  /** Copies octets that stay, from the one that stands `skip` behind the next; returns how many. */
  peekInto(target: Uint8Array, skip: number): number {
    let copied = 0;
    let ahead = skip;
    for (let index = 0; index < this.blocks.length && copied < target.length; index += 1) {
      const block = this.blocks[index];
      const start = (index === 0 ? this.readAt : 0) + ahead;
      const end = index === this.blocks.length - 1 ? this.filled : block.length;
      ahead = Math.max(0, start - end);
      if (start >= end) continue;
      const count = Math.min(end - start, target.length - copied);
      target.set(block.subarray(start, start + count), copied);
      copied += count;
    }
    return copied;
  }

  clear(): void {
    this.blocks = [];
    this.length = 0;
    this.readAt = 0;
    this.filled = 0;
  }

  /** The first block, which nobody else has seen, is read to its end. */
  private emptied(block: Uint8Array): void {
    if (this.blocks.length > 1 || block.length > LARGEST_KEPT_BLOCK) {
      this.dropFirst();
    } else {
      this.readAt = 0;
      this.filled = 0;
    }
  }

  private dropFirst(): void {
    this.blocks.shift();
    this.readAt = 0;
    if (this.blocks.length === 0) this.filled = 0;
  }
}
