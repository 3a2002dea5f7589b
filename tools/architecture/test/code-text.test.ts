import { expect, test } from "vitest";
import { codeText } from "../src/code-text.ts";

const bare = (source: string): string => codeText(source, { strings: false }).replace(/ +/g, " ").trim();

test("comments go, lines stay", () => {
  expect(
    codeText("a // Date\n/* Date\n */ b", { strings: true })
      .split("\n")
      .map((line) => line.trim()),
  ).toEqual(["a", "", "b"]);
});

test("strings go unless they are kept", () => {
  expect(bare('x = "Date"; y')).toBe('x = " "; y');
  expect(codeText('x = "// no comment"', { strings: true })).toBe('x = "// no comment"');
});

test("an escaped quote does not close a string", () => {
  expect(bare('x = "a\\"Date"; y')).toBe('x = " "; y');
});

test("code inside a template is code, however deep", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a template is what is under test
  expect(bare("`Date ${ now({ a: `x${y}` }) } Date`; z")).toBe("` ${ now({ a: ` ${y}` }) } `; z");
});

test("a regular expression is told from a division", () => {
  expect(bare('x = /[/"]Date/.test(s)')).toBe("x = .test(s)");
  expect(bare("a / Date / b")).toBe("a / Date / b");
  expect(bare("(a) / b // Date")).toBe("(a) / b");
});
