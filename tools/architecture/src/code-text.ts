// Blanks out what is not code, so that the rules can search the rest with regular expressions. Offsets and lines stay.
// A hand-made scanner because TypeScript 7 offers no JavaScript API to parse with.

export interface Keep {
  /** Leave string literals readable; comments and regular expressions always go. */
  readonly strings: boolean;
}

export function codeText(source: string, keep: Keep): string {
  const out = source.split("");
  // One entry per open `${`: the depth of braces inside it.
  const templates: number[] = [];
  let at = 0;
  // What decides whether a slash divides or opens a regular expression.
  let last = "";

  const blank = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== "\n") out[i] = " ";
  };

  /** Reads a template's text from `at` up to its closing backtick or next `${`. */
  const template = (): void => {
    const from = at;
    while (at < source.length) {
      if (source[at] === "\\") at += 2;
      else if (source[at] === "`") {
        if (!keep.strings) blank(from, at);
        at++;
        last = "`";
        return;
      } else if (source.startsWith("${", at)) {
        if (!keep.strings) blank(from, at);
        at += 2;
        templates.push(0);
        last = "{";
        return;
      } else at++;
    }
  };

  while (at < source.length) {
    const char = source[at];
    if (source.startsWith("//", at)) {
      const end = orEnd(source, source.indexOf("\n", at));
      blank(at, end);
      at = end;
    } else if (source.startsWith("/*", at)) {
      const close = source.indexOf("*/", at + 2);
      const end = close < 0 ? source.length : close + 2;
      blank(at, end);
      at = end;
    } else if (char === '"' || char === "'") {
      const end = closing(source, at, char);
      if (!keep.strings) blank(at + 1, end - 1);
      at = end;
      last = char;
    } else if (char === "`") {
      at++;
      template();
    } else if (char === "/" && opensRegularExpression(last)) {
      const end = closing(source, at, "/");
      blank(at, end);
      at = end;
      last = "/re/";
    } else if (/[\w$]/.test(char)) {
      const word = /^[\w$]+/.exec(source.slice(at, at + 200))?.[0] ?? char;
      at += word.length;
      last = word;
    } else {
      if (templates.length > 0) {
        const top = templates.length - 1;
        if (char === "{") templates[top]++;
        else if (char === "}" && templates[top]-- === 0) {
          templates.pop();
          at++;
          template();
          continue;
        }
      }
      if (!/\s/.test(char)) last = char;
      at++;
    }
  }
  return out.join("");
}

function opensRegularExpression(last: string): boolean {
  return last === "" || /^[([{,;=:!&|?+\-*%~^<>]$/.test(last) || /^(return|typeof|case|in|of|void|yield|await)$/.test(last);
}

/** The index after the delimiter that closes the literal opened at `open`; an unclosed literal ends with its line. */
function closing(source: string, open: number, delimiter: string): number {
  let inClass = false;
  for (let i = open + 1; i < source.length; i++) {
    const char = source[i];
    if (char === "\\") i++;
    else if (char === "\n") return i;
    else if (delimiter === "/" && char === "[") inClass = true;
    else if (delimiter === "/" && char === "]") inClass = false;
    else if (char === delimiter && !inClass) return i + 1;
  }
  return source.length;
}

function orEnd(source: string, index: number): number {
  return index < 0 ? source.length : index;
}
