// What `dgram.Socket.send` takes as a message.
import { bufferOutOfBounds, invalidArgType } from "./node-error.ts";

/** `send`'s `offset` and `length`. */
export function sliceMessage(message: unknown, offset: unknown, length: unknown): Uint8Array {
  const bytes = typeof message === "string" ? Buffer.from(message) : toBytes(message);
  if (bytes === undefined) throw invalidArgType("buffer", ["string", "Buffer", "TypedArray", "DataView"], message);
  const start = Number(offset) >>> 0;
  const count = Number(length) >>> 0;
  if (start > bytes.byteLength) throw bufferOutOfBounds("offset");
  if (start + count > bytes.byteLength) throw bufferOutOfBounds("length");
  return bytes.subarray(start, start + count);
}

function toBytes(value: unknown): Uint8Array | undefined {
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
}

/** A message as octets: text, a view, or a list of either. */
export function toList(message: unknown): Uint8Array[] {
  if (typeof message === "string") return [Buffer.from(message)];
  if (Array.isArray(message)) {
    const list = message.map((each) => (typeof each === "string" ? Buffer.from(each) : toBytes(each)));
    if (list.includes(undefined)) throw invalidArgType("buffer list arguments", ["string", "Buffer", "TypedArray", "DataView"], message);
    return list as Uint8Array[];
  }
  const bytes = toBytes(message);
  if (bytes === undefined) throw invalidArgType("buffer", ["string", "Buffer", "TypedArray", "DataView"], message);
  return [bytes];
}
