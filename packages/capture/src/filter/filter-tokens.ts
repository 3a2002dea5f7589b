// A filter's text as a row of tokens.
import { FilterError } from "./filter-error.ts";

export interface Token {
  /** A keyword, name, number or address; an operator or bracket as it is written; empty at the end. */
  readonly text: string;
  readonly isWord: boolean;
  /** Where it begins. */
  readonly position: number;
}

const SPACE = /\s+/y;
/** Addresses have dots and colons, prefixes a slash, port ranges and names a hyphen; a backslash before a name quotes it. */
const WORD = /\\?[a-zA-Z0-9][a-zA-Z0-9._:-]*(\/[0-9]+)?|::[a-fA-F0-9:.]*(\/[0-9]+)?/y;
/** Within brackets a colon separates, and a hyphen between digits subtracts. */
const WORD_IN_BRACKETS = /0[xX][0-9a-fA-F]+|[0-9]+|[a-zA-Z][a-zA-Z0-9-]*/y;
/** The longer ones first. */
const SYMBOL = /&&|\|\||==|!=|>=|<=|<<|>>|[()[\]:!<>=&|^+\-*/%]/y;

/** The tokens of `text`, and one at its end. @throws FilterError at a character that no token begins with */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  let position = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    return pattern.exec(text)?.[0];
  };
  while (position < text.length) {
    const space = match(SPACE);
    if (space !== undefined) {
      position += space.length;
      continue;
    }
    const word = match(depth > 0 ? WORD_IN_BRACKETS : WORD);
    const token = word ?? match(SYMBOL);
    if (token === undefined) throw new FilterError(`unexpected ${JSON.stringify(text[position])}`, text, position);
    if (token === "[") depth += 1;
    if (token === "]") depth -= 1;
    tokens.push({ text: token, isWord: word !== undefined, position });
    position += token.length;
  }
  tokens.push({ text: "", isWord: false, position });
  return tokens;
}
