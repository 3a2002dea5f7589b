// Expressions and system calls.
import type { Cursor } from "./cursor.ts";
import { Cursor as SubCursor } from "./cursor.ts";
import type { CallAction, Expression, StructField } from "./expression.ts";
import { parseSeconds } from "./parse-time.ts";

const ANY: Expression = { kind: "any" };
const NUMBER = /-?(?:0[xX][0-9a-fA-F]+|\d+\.\d+|\d+)/y;
const NAME = /[A-Za-z_]\w*/y;
const ERRNO = /E[A-Z][A-Z0-9]*\b/y;

export function parseExpression(cursor: Cursor): Expression {
  return cursor.nested(() => {
    const first = parseShift(cursor);
    if (!cursor.startsWith("|")) return first;
    const parts = [first];
    while (cursor.takeSymbol("|")) parts.push(parseShift(cursor));
    return { kind: "or", parts };
  });
}

function parseShift(cursor: Cursor): Expression {
  const operand = parseOperand(cursor);
  return cursor.takeSymbol("<<") ? { kind: "shift", operand, by: parseOperand(cursor) } : operand;
}

function parseOperand(cursor: Cursor): Expression {
  if (cursor.takeSymbol("...")) return ANY;
  if (cursor.takeSymbol("[")) return { kind: "list", items: parseItems(cursor, "]", () => parseExpression(cursor)) };
  if (cursor.takeSymbol("{")) return { kind: "struct", fields: parseItems(cursor, "}", () => parseField(cursor)) };
  if (cursor.takeSymbol("~")) return { kind: "not", operand: cursor.nested(() => parseOperand(cursor)) };
  if (cursor.takeSymbol("(")) {
    const inner = parseExpression(cursor);
    cursor.expect(")", "behind the expression");
    return inner;
  }
  if (cursor.startsWith('"')) return parseString(cursor);
  const text = cursor.take(NUMBER);
  if (text !== undefined) return { kind: "number", value: numberOf(text), text };
  return parseName(cursor);
}

/** Neighbouring strings are one, as in C. A string followed by `...` is cut off there by the writer. */
function parseString(cursor: Cursor): Expression {
  let value = "";
  while (cursor.startsWith('"')) value += cursor.string() ?? cursor.fail("this string has no end");
  cursor.takeSymbol("...");
  return { kind: "string", value };
}

function parseName(cursor: Cursor): Expression {
  const name = cursor.take(NAME) ?? cursor.fail("a value is missing");
  if (cursor.takeSymbol("(")) return { kind: "function", name, operands: parseItems(cursor, ")", () => parseExpression(cursor)) };
  const definition = cursor.definitions.get(name);
  if (definition === undefined) return { kind: "name", name };
  // What is defined may be a list of flags. It is read with no definitions of its own, so that none can lead back to itself.
  const inner = new SubCursor(definition);
  const value = definition.trim() === "" ? { kind: "number" as const, value: 0, text: "0" } : parseExpression(inner);
  return inner.isAtEnd ? value : { kind: "string", value: definition };
}

function parseField(cursor: Cursor): StructField {
  const before = cursor.at;
  const name = cursor.take(NAME);
  if (name !== undefined) {
    const length = cursor.takeSymbol("(") ? parseExpression(cursor) : undefined;
    if (length !== undefined) cursor.takeSymbol(")");
    if (cursor.takeSymbol("=")) return { name, length, value: parseExpression(cursor) };
    cursor.at = before;
  }
  return { name: undefined, length: undefined, value: parseExpression(cursor) };
}

function parseItems<T>(cursor: Cursor, closing: string, parseItem: () => T): T[] {
  const items: T[] = [];
  if (cursor.takeSymbol(closing)) return items;
  for (;;) {
    items.push(parseItem());
    if (cursor.takeSymbol(closing)) return items;
    cursor.expect(",", `between the items, or ${JSON.stringify(closing)} behind the last one`);
    // A comma behind the last item does no harm.
    if (cursor.takeSymbol(closing)) return items;
  }
}

/** A number that begins with 0 is octal, as in C. */
function numberOf(text: string): number {
  const digits = text.replace("-", "");
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return text.startsWith("-") ? -value : value;
}

/** @param end when it returns, for a call that blocks */
export function parseCall(cursor: Cursor, end: number | undefined): CallAction {
  const name = cursor.word("the name of a system call");
  cursor.expect("(", `behind ${name}`);
  const operands = parseItems(cursor, ")", () => parseExpression(cursor));
  cursor.expect("=", `behind ${name}(…): every call has a result`);
  const result = cursor.takeSymbol("?") ? undefined : parseExpression(cursor);
  const errno = cursor.take(ERRNO);
  if (cursor.startsWith("(")) skipNote(cursor);
  return { kind: "call", name, operands, result: result?.kind === "any" ? undefined : result, errno, end };
}

/** `(Connection refused)`: for people. */
function skipNote(cursor: Cursor): void {
  cursor.nested(() => {
    cursor.expect("(", "in front of the note");
    while (cursor.take(/[^()]+/y) !== undefined || cursor.startsWith("(")) if (cursor.startsWith("(")) skipNote(cursor);
    cursor.expect(")", "behind the note");
  });
}

/** `0.1...0.2`: the time behind the dots. */
export function parseEnd(cursor: Cursor): number | undefined {
  return cursor.takeSymbol("...") ? parseSeconds(cursor) : undefined;
}
