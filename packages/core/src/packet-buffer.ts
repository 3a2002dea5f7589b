// The packet: one store, one window, headroom in front. Headers are prepended on the way down and consumed on the way up.

/** What is known of the transport checksum inside the packet, as Linux's `ip_summed` says it. */
export type ChecksumState =
  /** The field holds a whole checksum; on receive nobody has verified it yet. */
  | "complete"
  /** The field holds the pseudo-header's sum only; whoever puts the packet on a real medium must finish it. */
  | "partial"
  /** A device below has verified it, or the packet never left memory. */
  | "verified";

/**
 * Allocations are cut from a slab, because zeroing and registering a fresh `Uint8Array` for each packet costs more than
 * everything else that is done to it. A slab is never handed out twice, so nobody sees another packet's bytes.
 */
const SLAB_SIZE = 65536;
/** Larger packets get a store of their own, so that a slab is not thrown away half used. */
const LARGEST_IN_SLAB = SLAB_SIZE / 4;

/**
 * A short packet gets so much: a bare TCP acknowledgment with all headers in front of it can then be padded to the 60
 * octets of an Ethernet frame where it stands.
 */
const SMALLEST_STORE = 128;

let slab = new Uint8Array(SLAB_SIZE);
let slabUsed = 0;

/**
 * A window `[start, end)` on a store. All offsets given to the field accessors count from the window's start; all
 * multi-octet fields are big-endian.
 *
 * Ownership (see `docs/architecture.md`): on receive the packet is lent for the duration of the call, on send it is given
 * away.
 */
export class PacketBuffer {
  /** The store. It may be shared with other packets: look only between `start` and `end`. */
  readonly bytes: Uint8Array;
  /** Index of the window's first octet in `bytes`. */
  start: number;
  /** Index after the window's last octet in `bytes`. */
  end: number;
  /** The part of the store that belongs to this packet. */
  private readonly floor: number;
  private readonly ceiling: number;

  /** Largest payload of the segments this super-segment is to be cut into, in octets; 0 when it is to be sent as it is. */
  segmentSize = 0;
  checksum: ChecksumState = "complete";

  private constructor(bytes: Uint8Array, floor: number, start: number, end: number, ceiling: number) {
    this.bytes = bytes;
    this.floor = floor;
    this.start = start;
    this.end = end;
    this.ceiling = ceiling;
  }

  /** A fresh packet, all zero: at least `headroom` octets to prepend into, a window of `length`, at least `tailroom` octets to append into. */
  static allocate(headroom: number, length = 0, tailroom = 0): PacketBuffer {
    if (!(headroom >= 0 && length >= 0 && tailroom >= 0)) throw new RangeError(`allocate ${headroom}, ${length}, ${tailroom}`);
    const wanted = headroom + length + tailroom;
    const size = wanted < SMALLEST_STORE ? SMALLEST_STORE : wanted;
    if (size > LARGEST_IN_SLAB) return new PacketBuffer(new Uint8Array(size), 0, headroom, headroom + length, size);
    if (slabUsed + size > SLAB_SIZE) {
      slab = new Uint8Array(SLAB_SIZE);
      slabUsed = 0;
    }
    const floor = slabUsed;
    slabUsed += size;
    return new PacketBuffer(slab, floor, floor + headroom, floor + headroom + length, floor + size);
  }

  /** A packet over bytes that exist already; the octets of `bytes` before `start` are its headroom. Nothing is copied. */
  static wrap(bytes: Uint8Array, start = 0, end: number = bytes.length): PacketBuffer {
    if (!(start >= 0 && start <= end && end <= bytes.length)) throw new RangeError(`wrap ${start} to ${end}: ${bytes.length} octets`);
    return new PacketBuffer(bytes, 0, start, end, bytes.length);
  }

  get length(): number {
    return this.end - this.start;
  }

  get headroom(): number {
    return this.start - this.floor;
  }

  get tailroom(): number {
    return this.ceiling - this.end;
  }

  /** Opens `count` octets in front of the window, to write a header into. */
  prepend(count: number): void {
    if (!(count >= 0 && count <= this.start - this.floor))
      throw new RangeError(`prepend ${count}: only ${this.headroom} octets of headroom`);
    this.start -= count;
  }

  /** Takes `count` octets off the front: the header has been read. */
  consume(count: number): void {
    if (!(count >= 0 && count <= this.end - this.start)) throw new RangeError(`consume ${count}: only ${this.length} octets left`);
    this.start += count;
  }

  /** Gives back `count` octets that were consumed, so that the header can be quoted. */
  rewind(count: number): void {
    this.prepend(count);
  }

  /** Opens `count` octets behind the window. */
  append(count: number): void {
    if (!(count >= 0 && count <= this.ceiling - this.end))
      throw new RangeError(`append ${count}: only ${this.tailroom} octets of tailroom`);
    this.end += count;
  }

  /** Cuts the window to `length` octets from its start; does nothing when it is that short already. */
  truncate(length: number): void {
    if (!(length >= 0)) throw new RangeError(`truncate to ${length} octets`);
    if (length < this.end - this.start) this.end = this.start + length;
  }

  /** Gives back `count` octets that were truncated. */
  extend(count: number): void {
    this.append(count);
  }

  u8(offset: number): number {
    return this.bytes[this.start + offset];
  }

  u16(offset: number): number {
    const at = this.start + offset;
    return (this.bytes[at] << 8) | this.bytes[at + 1];
  }

  u32(offset: number): number {
    const at = this.start + offset;
    const bytes = this.bytes;
    return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
  }

  setU8(offset: number, value: number): void {
    this.bytes[this.start + offset] = value;
  }

  setU16(offset: number, value: number): void {
    const at = this.start + offset;
    this.bytes[at] = value >>> 8;
    this.bytes[at + 1] = value;
  }

  setU32(offset: number, value: number): void {
    const at = this.start + offset;
    const bytes = this.bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  /** Copies `source` into the window at `offset`, where there must be room for it: behind the window other packets may lie. */
  set(source: Uint8Array, offset = 0): void {
    if (!(offset >= 0 && offset + source.length <= this.end - this.start)) {
      throw new RangeError(`set ${source.length} octets at ${offset}: the window has ${this.length}`);
    }
    this.bytes.set(source, this.start + offset);
  }

  /** The window, or a part of it, as a view: it shares the store, and dies with the loan of the packet. */
  view(offset = 0, length: number = this.end - this.start - offset): Uint8Array {
    return this.bytes.subarray(this.start + offset, this.start + offset + length);
  }

  /** The window, or a part of it, copied: it is the caller's to keep. */
  slice(offset = 0, length: number = this.end - this.start - offset): Uint8Array {
    // Not `this.bytes.slice`: on a store that is a Node Buffer that would be a view.
    return Uint8Array.prototype.slice.call(this.bytes, this.start + offset, this.start + offset + length);
  }

  /** A packet of its own with the same window and offload state, and `headroom` octets in front. */
  copy(headroom = 0, tailroom = 0): PacketBuffer {
    const copy = PacketBuffer.allocate(headroom, this.length, tailroom);
    copy.bytes.set(this.view(), copy.start);
    copy.segmentSize = this.segmentSize;
    copy.checksum = this.checksum;
    return copy;
  }
}
