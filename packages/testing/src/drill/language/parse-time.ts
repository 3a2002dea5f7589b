// When an event happens: `0.1`, `+.1`, `0.1~0.2`, `+0~+.3`, `*`.
import type { Cursor } from "./cursor.ts";
import type { EventTime } from "./script.ts";

const TIME = /[+*\d]|\.\d/y;
const AT_ONCE: EventTime = { kind: "relative", from: 0, to: 0 };

/** Seconds in the script, milliseconds here, to the microsecond. */
export function parseSeconds(cursor: Cursor): number {
  cursor.takeSymbol("+");
  return Math.round(cursor.decimal("a time in seconds") * 1e6) / 1000;
}

/** An event without a time follows at once. */
export function parseTime(cursor: Cursor): EventTime {
  if (!cursor.sees(TIME)) return AT_ONCE;
  if (cursor.takeSymbol("*")) return { kind: "any", from: 0, to: Number.POSITIVE_INFINITY };
  const kind = cursor.startsWith("+") ? "relative" : "absolute";
  const from = parseSeconds(cursor);
  const to = cursor.takeSymbol("~") ? parseSeconds(cursor) : from;
  if (to < from) cursor.fail(`the range ends before it begins (${from} ms to ${to} ms)`);
  return { kind, from, to };
}
