// What is sent: octets that no layer can take a short cut for.

/** Octets of one write of the bulk works. */
export const BULK_WRITE = 65536;
/** Datagrams on their way at once: enough to keep both ends busy, and less than the smallest of the receive buffers takes. */
export const DATAGRAMS_IN_FLIGHT = 64;
/** Connections that are being opened, used or closed at once. */
export const CONNECTIONS_AT_ONCE = 16;

export function payload(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
