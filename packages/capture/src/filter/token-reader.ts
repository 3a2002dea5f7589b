// Walks over a filter's tokens.
import { FilterError } from "./filter-error.ts";
import { readTokens, type Token } from "./filter-tokens.ts";

export class TokenReader {
  private readonly text: string;
  private readonly tokens: readonly Token[];
  private index = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = readTokens(text);
  }

  /** The token that comes next, or the `ahead`th behind it; the last one is empty. */
  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)];
  }

  next(): Token {
    const token = this.peek();
    this.index += 1;
    return token;
  }

  /** Takes the next token if it is one of `texts`. */
  take(...texts: readonly string[]): Token | undefined {
    return texts.includes(this.peek().text) ? this.next() : undefined;
  }

  /** Takes `text`, which has to come. */
  expect(text: string): void {
    if (this.take(text) === undefined) throw this.error(`expected ${text}`);
  }

  get atEnd(): boolean {
    return this.peek().text === "";
  }

  /** An error that points at `token`. */
  error(what: string, token: Token = this.peek()): FilterError {
    return new FilterError(token.text === "" ? `${what}, and the filter ends` : what, this.text, token.position);
  }
}
