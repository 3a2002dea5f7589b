// A place in a script's text that moves forward. The language's words mean different things in different places (`.5` is a time
// and a set of TCP flags), so each part of the grammar asks for what it wants instead of reading ready-made tokens.
import type { Definitions } from "./preprocess.ts";
import { ScriptError, SourceText } from "./source-text.ts";

const BLANK = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const WORD = /[A-Za-z_]\w*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|\d+/y;
const DECIMAL = /\d+\.(?!\.)\d*|\.\d+|\d+/y;
const STRING = /"(?:[^"\\]|\\[\s\S])*"/y;

/** Lists within lists: no real script comes near. */
const DEEPEST = 64;

export class Cursor {
  at = 0;
  /** Where the last word ended: blanks and remarks behind it are skipped when the next one is looked for. */
  private end = 0;
  readonly definitions: Definitions;
  private readonly source: SourceText;
  private readonly text: string;
  private depth = 0;

  constructor(text: string, definitions: Definitions = new Map()) {
    this.source = new SourceText(text);
    this.text = text;
    this.definitions = definitions;
  }

  get line(): number {
    return this.source.place(this.at).line;
  }

  /** What was read since `from`, without the blanks around it. */
  since(from: number): string {
    return this.text.slice(from, this.end).trim();
  }

  skipBlanks(): void {
    BLANK.lastIndex = this.at;
    this.at += BLANK.exec(this.text)?.[0].length ?? 0;
  }

  get isAtEnd(): boolean {
    this.skipBlanks();
    return this.at >= this.text.length;
  }

  /** The next characters, blanks skipped. */
  startsWith(symbol: string): boolean {
    this.skipBlanks();
    return this.text.startsWith(symbol, this.at);
  }

  /** True where the expression, which must be sticky, matches here. */
  sees(expression: RegExp): boolean {
    this.skipBlanks();
    expression.lastIndex = this.at;
    return expression.test(this.text);
  }

  /** Takes what a sticky expression matches. */
  take(expression: RegExp): string | undefined {
    this.skipBlanks();
    return this.match(expression);
  }

  takeSymbol(symbol: string): boolean {
    if (!this.startsWith(symbol)) return false;
    this.at += symbol.length;
    this.end = this.at;
    return true;
  }

  /** Takes the word when it is the next whole one. */
  takeWord(word: string): boolean {
    const before = this.at;
    if (this.take(WORD) === word) return true;
    this.at = before;
    return false;
  }

  word(what: string): string {
    return this.take(WORD) ?? this.fail(`${what} is missing`);
  }

  /** A whole number, decimal or hexadecimal, or a defined name that stands for one. */
  integer(what: string, most = 0xffffffff): number {
    const before = this.at;
    let text = this.take(NUMBER);
    if (text === undefined) {
      const name = this.take(WORD);
      text = name === undefined ? undefined : this.definitions.get(name);
    }
    const value = text === undefined ? Number.NaN : Number(text);
    if (value >= 0 && value <= most) return value;
    this.at = before;
    return this.fail(text === undefined ? `${what} is missing` : `${what}: ${text} is not a number from 0 to ${most}`);
  }

  decimal(what: string): number {
    return Number(this.take(DECIMAL) ?? this.fail(`${what} is missing`));
  }

  expect(symbol: string, where: string): void {
    if (!this.takeSymbol(symbol)) this.fail(`${JSON.stringify(symbol)} is missing ${where}`);
  }

  /** A quoted string with C's escapes; its characters are octets. */
  string(): string | undefined {
    const quoted = this.take(STRING);
    return quoted === undefined ? undefined : unquote(quoted.slice(1, -1));
  }

  /** Everything up to `closing`, which is taken too. */
  until(closing: string, what: string): string {
    const end = this.text.indexOf(closing, this.at);
    if (end < 0) this.fail(`${what} has no end: ${JSON.stringify(closing)} is missing`);
    const taken = this.text.slice(this.at, end);
    this.at = end + closing.length;
    this.end = this.at;
    return taken;
  }

  /** Runs `read` one level deeper. */
  nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > DEEPEST) this.fail("lists within too many lists");
    const result = read();
    this.depth -= 1;
    return result;
  }

  /** Throws a complaint about this place. */
  fail(message: string): never {
    this.skipBlanks();
    const end = this.text.slice(this.at, this.at + 20).split("\n")[0];
    const found = end === "" ? "the script ends here" : `found ${JSON.stringify(end)}`;
    throw new ScriptError(`${message}; ${found}`, this.source.place(this.at));
  }

  private match(expression: RegExp): string | undefined {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text);
    if (found === null) return undefined;
    this.at += found[0].length;
    this.end = this.at;
    return found[0];
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", a: "\x07", b: "\b", f: "\f", v: "\v", e: "\x1b" };

function unquote(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|([\s\S]))/g, (_, hex?: string, octal?: string, other?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    return ESCAPES[other as string] ?? (other as string);
  });
}
