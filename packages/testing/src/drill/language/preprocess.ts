// Lines that begin with `#`: `#ifdef NAME … #else … #endif` chooses sections, `#define` names a value, everything else is a remark.
import { ScriptError } from "./source-text.ts";

/** Names and what stands for them: given with `-D NAME=VALUE`, and those of the personality and the IP version. */
export type Definitions = ReadonlyMap<string, string>;

export interface Preprocessed {
  /** As long as the text it was made of, with blanks for what is left out: places stay. */
  readonly text: string;
  readonly definitions: Definitions;
}

interface Section {
  readonly line: number;
  /** What stands around it is kept. */
  readonly outer: boolean;
  kept: boolean;
  /** One of its parts was kept: none behind it is. */
  chosen: boolean;
  hadElse: boolean;
}

const DIRECTIVE = /^[ \t]*#[ \t]*(ifdef|ifndef|if|elif|else|endif|define|undef)\b[ \t]*([^\r\n]*)/;
const REMARK = /^[ \t]*#/;
/** Sections within sections. */
const DEEPEST = 64;

/** @throws ScriptError */
export function preprocess(text: string, given: Definitions): Preprocessed {
  const definitions = new Map(given);
  const stack: Section[] = [];
  const lines = text.split("\n").map((line, index) => {
    const directive = DIRECTIVE.exec(line);
    const section = stack.at(-1);
    if (directive !== null) apply(directive[1], directive[2].trim(), index + 1, stack, definitions);
    const isLeftOut = directive !== null || REMARK.test(line) || section?.kept === false;
    return isLeftOut ? " ".repeat(line.length) : line;
  });
  const open = stack.at(-1);
  if (open !== undefined) throw new ScriptError("this section has no #endif", { line: open.line, column: 1 });
  return { text: lines.join("\n"), definitions };
}

function apply(directive: string, rest: string, line: number, stack: Section[], definitions: Map<string, string>): void {
  const section = stack.at(-1);
  const isKept = section?.kept ?? true;
  const place = { line, column: 1 };
  switch (directive) {
    case "ifdef":
    case "ifndef":
    case "if": {
      if (stack.length >= DEEPEST) throw new ScriptError("sections within too many sections", place);
      const kept = isKept && holds(directive, rest, definitions);
      stack.push({ line, outer: isKept, kept, chosen: kept, hadElse: false });
      return;
    }
    case "else":
    case "elif": {
      if (section === undefined || section.hadElse) throw new ScriptError(`#${directive} without #ifdef`, place);
      section.hadElse = directive === "else";
      section.kept = section.outer && !section.chosen && (directive === "else" || holds("if", rest, definitions));
      section.chosen ||= section.kept;
      return;
    }
    case "endif":
      if (stack.pop() === undefined) throw new ScriptError("#endif without #ifdef", place);
      return;
    default: {
      if (!isKept) return;
      const [, name, value] = /^(\w*)\s*(.*)$/.exec(rest) ?? [];
      if (directive === "define") definitions.set(name, value);
      else definitions.delete(name);
    }
  }
}

/** `NAME`, `defined(NAME)`, `0`, `1`, each with `!` in front or not. */
function holds(directive: string, rest: string, definitions: Definitions): boolean {
  const [, not, name] = /^(!?)\s*(?:defined\s*\(?\s*)?(\w*)/.exec(rest) ?? ["", "", ""];
  const value = directive === "if" && /^\d+$/.test(name) ? Number(name) !== 0 : definitions.has(name);
  return value !== ((not === "!") !== (directive === "ifndef"));
}
