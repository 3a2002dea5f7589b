// The words of a code block: names, numbers, strings, operators, and the ends of statements.
import { CodeFailure } from "./code-value.ts";

export interface CodeToken {
  readonly kind: "name" | "number" | "string" | "operator" | "end";
  readonly text: string;
}

const TOKEN =
  /(?<blank>[ \t\r]+|\\\r?\n|#[^\n]*)|(?<end>\n|;)|(?<number>0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|(?<name>[A-Za-z_]\w*)|(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<operator>\*\*|\/\/|<<|>>|[-+*/%&|^]=|[<>=!]=|[-+*/%&|^~<>=()[\]{},.:])/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t" };

/** @throws CodeFailure */
export function readTokens(text: string): CodeToken[] {
  const tokens: CodeToken[] = [];
  let depth = 0;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) throw new CodeFailure(`not Python: ${JSON.stringify(text.slice(at, at + 20))}`);
    const kind = (["end", "number", "name", "string", "operator"] as const).find((each) => groups[each] !== undefined);
    if (kind === undefined) continue;
    const word = groups[kind];
    if (kind === "operator" && "([{".includes(word)) depth += 1;
    if (kind === "operator" && ")]}".includes(word)) depth -= 1;
    // Inside of parentheses a statement goes on in the next line.
    if (kind === "end" && word === "\n" && depth > 0) continue;
    tokens.push({ kind, text: kind === "string" ? unquote(word) : word });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
