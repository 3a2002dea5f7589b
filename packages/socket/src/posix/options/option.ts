// What an option of a socket is: how it is read, and what may be written to it.
import type { Outcome, Result } from "../call.ts";
import type { Errno } from "../errno.ts";
import type { SocketFile } from "../open-file.ts";
import type { OptionValue } from "../option-value.ts";

/** A value as getsockopt returns it, and the length of C's form of it in octets. */
export interface GotOption {
  readonly value: OptionValue;
  readonly length: number;
}

export interface SocketOption {
  /** @param length room that the caller has, in octets */
  get(file: SocketFile, length: number): Outcome<GotOption>;
  /** Absent where an option can only be read: ENOPROTOOPT. @param length of C's form of the value, in octets */
  set?(file: SocketFile, value: OptionValue, length: number): Result;
}

export type OptionTable = ReadonlyMap<number, SocketOption>;

/** An `int`. */
export const INT_LENGTH = 4;

export function int(value: number): GotOption {
  return { value, length: INT_LENGTH };
}

export function bytes(value: Uint8Array): GotOption {
  return { value, length: value.length };
}

/** An integer as C takes it from a pointer; undefined when the value is none. Octets are little-endian, as on most machines. */
export function toInteger(value: OptionValue): number | undefined {
  if (value instanceof Uint8Array) {
    if (value.length < INT_LENGTH) return undefined;
    return new DataView(value.buffer, value.byteOffset).getInt32(0, true);
  }
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

/** What is kept with the file, by level and name. */
export function settingKey(level: number, name: number): number {
  return level * 256 + name;
}

export interface KeptOption {
  readonly low?: number;
  readonly high?: number;
  readonly initial?: number;
  /** What is kept in place of a value. */
  instead?(file: SocketFile, value: number): number;
  /** Why the value cannot be set now. */
  refuse?(file: SocketFile, value: number): Errno | undefined;
  /** What follows from a new value. */
  apply?(file: SocketFile, value: number): void;
}

/** An int that is kept with the file. Who needs it looks there: `file.setting(level, name)`. */
export function kept(level: number, name: number, { low, high, initial = 0, instead, refuse, apply }: KeptOption = {}): SocketOption {
  const key = settingKey(level, name);
  return {
    get: (file) => int(file.settings?.get(key) ?? initial),
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined || (low !== undefined && value < low) || (high !== undefined && value > high)) return "EINVAL";
      const refusal = refuse?.(file, value);
      if (refusal !== undefined) return refusal;
      file.keep(key, instead === undefined ? value : instead(file, value));
      apply?.(file, value);
      return 0;
    },
  };
}

/** Anything but 0 is 1. */
export function flag(level: number, name: number, apply?: (file: SocketFile, isSet: boolean) => void): SocketOption {
  const key = settingKey(level, name);
  return {
    get: (file) => int(file.settings?.get(key) ?? 0),
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined) return "EINVAL";
      file.keep(key, value === 0 ? 0 : 1);
      apply?.(file, value !== 0);
      return 0;
    },
  };
}

/** A flag that is a property of the file. */
export function property(read: (file: SocketFile) => boolean, write: (file: SocketFile, isSet: boolean) => void): SocketOption {
  return {
    get: (file) => int(read(file) ? 1 : 0),
    set: (file, given) => {
      const value = toInteger(given);
      if (value === undefined) return "EINVAL";
      write(file, value !== 0);
      return 0;
    },
  };
}

export function readOnly(read: (file: SocketFile) => number): SocketOption {
  return { get: (file) => int(read(file)) };
}
