// Code blocks: the part of Python that assertions are written in.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runCode } from "../../src/drill/code/code-block.ts";
import { CodeFailure, type CodeValue, UnsupportedCode } from "../../src/drill/code/code-value.ts";

function run(text: string, values: Readonly<Record<string, CodeValue>> = {}): string[] {
  const variables = new Map(Object.entries(values));
  const output: string[] = [];
  runCode(text, {
    lookUp: (name) => (variables.has(name) ? variables.get(name) : new UnsupportedCode(name)),
    assign: (name, value) => void variables.set(name, value),
    print: (line) => void output.push(line),
  });
  return output;
}

describe("what holds and what does not", () => {
  test.for([
    "1 + 2 * 3 == 7",
    "7 // 2 == 3 and -7 // 2 == -4 and 7 / 2 == 3.5",
    "-7 % 3 == 2 and 2 ** 3 ** 2 == 512 and -2 ** 2 == -4",
    "1 << 4 == 16 and 0xff & 0x0f == 15 and 6 ^ 3 == 5 and ~0 == -1",
    "5 <= 7 <= 7 < 8",
    "not 1 > 2",
    "3 in [1, 2, 3] and 4 not in (1, 2) and 'b' in 'abc'",
    "None is None and 1 is not None",
    "(1 if 0 else 2) == 2",
    "max(1, 5, 3) == 5 and min([4, 2]) == 2 and abs(-3) == 3 and int(3.9) == 3 and len('abc') == 3",
    "'cwnd=%d of %05.1f %s%%' % (10, 2.5, 'x') == 'cwnd=10 of 002.5 x%'",
    "True == 1 and (1 or unknown) and not (0 and unknown)",
    "(1,\n 2) == (1, 2)",
  ])("%s", (text) => {
    expect(() => run(`assert ${text}`)).not.toThrow();
    expect(() => run(`assert not (${text})`)).toThrow(CodeFailure);
  });

  test("statements: one after the other, assignments, print, remarks, lines that go on", () => {
    const text = "a = 1; b = a + 1\na += b  # three\nassert a == 3 and \\\n  b == 2, 'no'\nprint(a, b)\nprint 'x%d' % a\npass";
    expect(run(text)).toEqual(["3 2", "x3"]);
  });

  test("the message of an assertion is told", () => {
    expect(() => run("assert tcpi_cwnd == 10, 'cwnd=%d' % tcpi_cwnd", { tcpi_cwnd: 11 })).toThrow("cwnd=11");
  });

  test("what is more than assertions need is unsupported, and what Python refuses fails", () => {
    for (const text of ["if 1: pass", "import os", "os.system('x')", "unknown", "open('x')", "a[0]"])
      expect(() => run(text)).toThrow(UnsupportedCode);
    for (const text of ["assert", "assert 1 +", "assert (1", "1 / 0", "'a' - 1", "1 2", "$", "1 << 10000000", "assert 1 = 1"]) {
      expect(() => run(text)).toThrow(CodeFailure);
    }
  });

  test("any text ends in a result or one of the two errors", () => {
    const words = fc.constantFrom(
      ..."1 2.5 a ( ) [ ] , + - * ** // % << == < in not and or if else is assert print = ; 'x' \n".split(" "),
      "\n",
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (scraps) => {
        try {
          run(scraps.join(" "), { a: 3 });
        } catch (error) {
          if (!(error instanceof CodeFailure || error instanceof UnsupportedCode)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
    expect(() => run("(".repeat(100_000))).toThrow(CodeFailure);
    expect(() => run(`assert 2${" ** 2".repeat(100_000)}`)).toThrow(CodeFailure);
  });
});
