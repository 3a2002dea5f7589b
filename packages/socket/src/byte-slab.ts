// Copies of what users give and get. They are cut from slabs of this package's own: see `PacketBuffer` for why slabs, and never
// from the packets' slabs, so that a user who transfers an ArrayBuffer away takes nothing from the stack.

const SLAB_SIZE = 65536;
const LARGEST_IN_SLAB = SLAB_SIZE / 4;

let slab = new Uint8Array(SLAB_SIZE);
let used = 0;

/** A copy that nobody else refers to. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  // Not `bytes.slice()`: in a Node Buffer that is a view.
  if (length > LARGEST_IN_SLAB) {
    const copy = new Uint8Array(length);
    copy.set(bytes);
    return copy;
  }
  // A slab whose buffer was transferred away has length 0, and so is never used again.
  if (used + length > slab.length) {
    slab = new Uint8Array(SLAB_SIZE);
    used = 0;
  }
  const copy = slab.subarray(used, used + length);
  used += length;
  copy.set(bytes);
  return copy;
}
