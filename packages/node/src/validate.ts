// Arguments of Node's calls, checked in Node's order and refused in Node's words.
import { badPort, invalidArgType, invalidArgValue, outOfRange } from "./node-error.ts";

// biome-ignore lint/complexity/noBannedTypes: any function will do, as in Node.
export function requireFunction(value: unknown, name: string): asserts value is Function {
  if (typeof value !== "function") throw invalidArgType(name, "function", value);
}

export function requireString(value: unknown, name: string): asserts value is string {
  if (typeof value !== "string") throw invalidArgType(name, "string", value);
}

export function requireBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== "boolean") throw invalidArgType(name, "boolean", value);
}

export function requireNumber(value: unknown, name: string, low?: number, high?: number): asserts value is number {
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if ((low !== undefined && value < low) || (high !== undefined && value > high) || (low !== undefined && Number.isNaN(value))) {
    throw outOfRange(name, rangeText(low, high), value);
  }
}

export function requireInteger(value: unknown, name: string, low: number, high: number): asserts value is number {
  if (typeof value !== "number") throw invalidArgType(name, "number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < low || value > high) throw outOfRange(name, `>= ${low} && <= ${high}`, value);
}

export function requireObject(value: unknown, name: string): asserts value is object {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw invalidArgType(name, "object", value);
}

export function requireAbortSignal(value: unknown, name: string): asserts value is AbortSignal {
  if (value === null || typeof value !== "object" || !("aborted" in value)) throw invalidArgType(name, "AbortSignal", value);
}

/** A port as Node takes it: a number, or a string that reads as one. */
export function toPort(value: unknown, name = "Port", allowZero = true): number {
  const isText = typeof value === "string" && value.trim() !== "";
  const port = Number(value);
  if ((typeof value !== "number" && !isText) || port !== port >>> 0 || port > 65535 || (port === 0 && !allowZero)) {
    throw badPort(name, value, allowZero);
  }
  return port;
}

/** The delay of a timer, in ms. */
export function toDuration(value: unknown, name: string): number {
  requireNumber(value, name);
  if (value < 0 || !Number.isFinite(value)) throw outOfRange(name, "a non-negative finite number", value);
  return Math.min(value, 2 ** 31 - 1);
}

export function requireOneOf(value: unknown, name: string, allowed: readonly unknown[]): void {
  if (allowed.includes(value)) return;
  const shown = allowed.map((each) => (typeof each === "string" ? `'${each}'` : String(each))).join(", ");
  throw invalidArgValue(name, value, `must be one of: ${shown}`);
}

function rangeText(low: number | undefined, high: number | undefined): string {
  if (low === undefined) return `<= ${high}`;
  return high === undefined ? `>= ${low}` : `>= ${low} && <= ${high}`;
}
