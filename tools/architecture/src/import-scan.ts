// Finds what a source file imports.
import { codeText } from "./code-text.ts";

export interface Import {
  readonly specifier: string;
  /** `import type` and `export type` vanish when compiled; `import()` and `require()` run later. Neither can close a cycle while loading. */
  readonly loads: boolean;
  readonly line: number;
}

const statement = /(?<![.\w$])(?:import|export)\s+(type\s+)?(?:[\w$*{},\s]+?\s*from\s*)(["'])([^"'\n]+)\2/g;
const sideEffect = /(?<![.\w$])import\s*(["'])([^"'\n]+)\1/g;
const call = /(?<![.\w$])(?:import|require)\s*\(\s*(["'])([^"'\n]+)\1/g;

export function scanImports(source: string): Import[] {
  const text = codeText(source, { strings: true });
  // The same text without strings: a match whose keyword is blank there stood inside a string.
  const bare = codeText(source, { strings: false });
  const found: Import[] = [];
  const add = (index: number, specifier: string, loads: boolean): void => {
    if (bare[index] === text[index]) found.push({ specifier, loads, line: lineOf(text, index) });
  };
  for (const match of text.matchAll(statement)) add(match.index, match[3], match[1] === undefined);
  for (const match of text.matchAll(sideEffect)) add(match.index, match[2], true);
  for (const match of text.matchAll(call)) add(match.index, match[2], false);
  return found.sort((a, b) => a.line - b.line);
}

export function lineOf(text: string, index: number): number {
  let line = 1;
  for (let i = 0; i < index; i++) if (text[i] === "\n") line++;
  return line;
}
