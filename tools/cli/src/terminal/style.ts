// Colours (ECMA-48 SGR), where a terminal shows them and nobody has asked for none (https://no-color.org).
import type { Io } from "./io.ts";
import type { Output } from "./output.ts";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

export type Style = Readonly<Record<keyof typeof CODES, (text: string) => string>>;

export function styleFor(output: Output, environment: Io["environment"]): Style {
  const noColor = environment["NO_COLOR"];
  const coloured = output.isTTY && (noColor === undefined || noColor === "") && environment["TERM"] !== "dumb";
  const paint = (code: number) => (coloured ? (text: string) => `\x1b[${code}m${text}\x1b[0m` : (text: string) => text);
  return Object.fromEntries(Object.entries(CODES).map(([name, code]) => [name, paint(code)])) as Style;
}
