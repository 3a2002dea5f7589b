// The values of code blocks, and what Python does with them.

/** `undefined` is None; an array is a list or a tuple. */
export type CodeValue = number | string | boolean | undefined | readonly CodeValue[];

/** Something in a code block that this tool does not know: the script is neither right nor wrong. */
export class UnsupportedCode extends Error {
  override readonly name: string = "UnsupportedCode";
}

/** An assertion that does not hold, or code that Python would refuse. */
export class CodeFailure extends Error {
  override readonly name: string = "CodeFailure";
}

export function isTrue(value: CodeValue): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

export function isEqual(a: CodeValue, b: CodeValue): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, index) => isEqual(each, b[index]));
  return plain(a) === plain(b);
}

/** In Python True is 1. */
function plain(value: CodeValue): CodeValue {
  return typeof value === "boolean" ? Number(value) : value;
}

export function numberOf(value: CodeValue): number {
  const number = plain(value);
  if (typeof number !== "number") throw new CodeFailure(`${show(value)} is not a number`);
  return number;
}

/** -1, 0 or 1; numbers with numbers, strings with strings. */
export function compare(a: CodeValue, b: CodeValue): number {
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  return Math.sign(numberOf(a) - numberOf(b));
}

export function contains(container: CodeValue, item: CodeValue): boolean {
  if (Array.isArray(container)) return container.some((each) => isEqual(each, item));
  if (typeof container === "string" && typeof item === "string") return container.includes(item);
  throw new CodeFailure(`${show(container)} holds nothing`);
}

/** As `print` writes it. */
export function show(value: CodeValue): string {
  if (value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return Array.isArray(value) ? `[${value.map(show).join(", ")}]` : String(value);
}

/** Python's `'cwnd=%d' % cwnd`. */
export function format(pattern: string, values: readonly CodeValue[]): string {
  let next = 0;
  return pattern.replace(
    /%([-0+ ]*)(\d*)(?:\.(\d+))?([%a-zA-Z])/g,
    (_, flags: string, width: string, precision: string | undefined, kind: string) => {
      if (kind === "%") return "%";
      if (next >= values.length) throw new CodeFailure("not enough values for the pattern");
      const text = formatOne(kind, values[next++], precision === undefined ? undefined : Math.min(Number(precision), 100));
      const columns = Math.min(Number(width), 1000);
      if (flags.includes("-")) return text.padEnd(columns);
      return text.padStart(columns, flags.includes("0") ? "0" : " ");
    },
  );
}

function formatOne(kind: string, value: CodeValue, precision: number | undefined): string {
  switch (kind) {
    case "d":
    case "i":
    case "u":
      return String(Math.trunc(numberOf(value)));
    case "x":
      return Math.trunc(numberOf(value)).toString(16);
    case "X":
      return Math.trunc(numberOf(value)).toString(16).toUpperCase();
    case "o":
      return Math.trunc(numberOf(value)).toString(8);
    case "f":
    case "F":
      return numberOf(value).toFixed(precision ?? 6);
    case "s":
    case "r":
      return show(value).slice(0, precision);
    default:
      return String(numberOf(value));
  }
}
