// Python's operators, by how tightly they bind, and the functions that assertions call.
import { CodeFailure, type CodeValue, compare, contains, format, isEqual, isTrue, numberOf, show } from "./code-value.ts";

export type Binary = (a: CodeValue, b: CodeValue) => CodeValue;

/** Integers in Python have no size; assertions stay below 2^53. */
function bits(operate: (a: bigint, b: bigint) => bigint): Binary {
  return (a, b) => {
    const [left, right] = [numberOf(a), numberOf(b)];
    if (!Number.isSafeInteger(left) || !Number.isSafeInteger(right))
      throw new CodeFailure(`${show(a)} and ${show(b)} are not both integers`);
    return Number(operate(BigInt(left), BigInt(right)));
  };
}

function shift(sign: 1 | -1): Binary {
  return (a, b) => {
    const by = numberOf(b);
    if (!(by >= 0 && by <= 53)) throw new CodeFailure(`a shift by ${show(b)}`);
    return Math.floor(numberOf(a) * 2 ** (sign * by));
  };
}

function divide(operate: (a: number, b: number) => number): Binary {
  return (a, b) => {
    if (numberOf(b) === 0) throw new CodeFailure("division by zero");
    return operate(numberOf(a), numberOf(b));
  };
}

export const COMPARISONS: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ["==", isEqual],
  ["!=", (a, b) => !isEqual(a, b)],
  ["<", (a, b) => compare(a, b) < 0],
  [">", (a, b) => compare(a, b) > 0],
  ["<=", (a, b) => compare(a, b) <= 0],
  [">=", (a, b) => compare(a, b) >= 0],
  ["is", isEqual],
  ["is not", (a, b) => !isEqual(a, b)],
  ["in", (a, b) => contains(b, a)],
  ["not in", (a, b) => !contains(b, a)],
]);

/** From the loosest to the tightest; `**` is apart, because it binds to the right. */
export const LEVELS: readonly ReadonlyMap<string, Binary>[] = [
  new Map([["|", bits((a, b) => a | b)]]),
  new Map([["^", bits((a, b) => a ^ b)]]),
  new Map([["&", bits((a, b) => a & b)]]),
  new Map([
    ["<<", shift(1)],
    [">>", shift(-1)],
  ]),
  new Map<string, Binary>([
    ["+", (a, b) => (typeof a === "string" && typeof b === "string" ? a + b : numberOf(a) + numberOf(b))],
    ["-", (a, b) => numberOf(a) - numberOf(b)],
  ]),
  new Map<string, Binary>([
    ["*", (a, b) => numberOf(a) * numberOf(b)],
    ["//", divide((a, b) => Math.floor(a / b))],
    ["/", divide((a, b) => a / b)],
    // The result has the sign of the divisor.
    ["%", (a, b) => (typeof a === "string" ? format(a, Array.isArray(b) ? b : [b]) : divide((x, y) => x - y * Math.floor(x / y))(a, b))],
  ]),
];

export function power(a: CodeValue, b: CodeValue): CodeValue {
  return numberOf(a) ** numberOf(b);
}

const several = (values: readonly CodeValue[]): readonly CodeValue[] =>
  values.length === 1 && Array.isArray(values[0]) ? values[0] : values;

export const FUNCTIONS: ReadonlyMap<string, (values: readonly CodeValue[]) => CodeValue> = new Map<
  string,
  (values: readonly CodeValue[]) => CodeValue
>([
  ["abs", ([value]) => Math.abs(numberOf(value))],
  ["bool", ([value]) => isTrue(value)],
  ["float", ([value]) => Number(typeof value === "string" ? value : numberOf(value))],
  ["hex", ([value]) => `0x${numberOf(value).toString(16)}`],
  ["int", ([value]) => Math.trunc(Number(typeof value === "string" ? value : numberOf(value)))],
  ["len", ([value]) => (typeof value === "string" || Array.isArray(value) ? value.length : numberOf(value))],
  ["max", (values) => Math.max(...several(values).map(numberOf))],
  ["min", (values) => Math.min(...several(values).map(numberOf))],
  ["round", ([value, digits = 0]) => Number(numberOf(value).toFixed(Math.min(20, Math.max(0, numberOf(digits)))))],
  ["str", ([value]) => show(value)],
  ["sum", (values) => several(values).reduce<number>((total, each) => total + numberOf(each), 0)],
]);
