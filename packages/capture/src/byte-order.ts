// Integers of capture files, which are written in the byte order of the machine that captured.

export function u16(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  return littleEndian ? bytes[at] | (bytes[at + 1] << 8) : (bytes[at] << 8) | bytes[at + 1];
}

export function u32(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  return littleEndian
    ? (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
    : ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

export function setU16(bytes: Uint8Array, at: number, value: number, littleEndian: boolean): void {
  bytes[littleEndian ? at + 1 : at] = value >>> 8;
  bytes[littleEndian ? at : at + 1] = value;
}

export function setU32(bytes: Uint8Array, at: number, value: number, littleEndian: boolean): void {
  setU16(bytes, littleEndian ? at + 2 : at, value >>> 16, littleEndian);
  setU16(bytes, littleEndian ? at : at + 2, value, littleEndian);
}
