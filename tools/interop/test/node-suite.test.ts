// Node's own test programs of `net` and `dgram`, from Debian's source package, with only the module swapped for our loopback.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { EXCEPTIONS, INTERNAL, NEVER_END } from "./node-suite/exceptions.ts";

const root = resolve(import.meta.dirname, "../../..");
/** `.ci/debian-source nodejs trixie .cache/sources/nodejs …`, as `.ci/run` calls it. */
const source = join(root, ".cache/sources/nodejs/test/parallel");
const isThere = existsSync(source);
if (!isThere) process.stderr.write(`skipped: Node's own tests: no ${source}\n`);

const programs = isThere ? readdirSync(source).filter((name) => /^test-(net|dgram)-.*\.js$/.test(name)) : [];

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function run(program: string): Promise<Outcome> {
  const flags =
    /^\/\/ Flags:(.*)$/m
      .exec(readFileSync(join(source, program), "utf8"))?.[1]
      .trim()
      .split(/\s+/) ?? [];
  const swap = join(import.meta.dirname, "node-suite/swap.cjs");
  const child = spawn(process.execPath, ["--no-warnings", ...flags, "--require", swap, program], {
    cwd: source,
    env: { ...process.env, NETSTRATA_LOOPBACK: join(root, "packages/node/dist/loopback.js") },
    // A program that does not end by itself keeps the process alive where Node's sockets would not.
    timeout: 60_000,
    killSignal: "SIGKILL",
  });
  return new Promise((done) => {
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (piece: Buffer) => {
        output += piece.toString();
      });
    }
    child.on("close", (code) => done({ code, output }));
  });
}

describe.skipIf(!isThere).concurrent("Node's own tests over our loopback", () => {
  for (const program of programs) {
    const isInternal = INTERNAL.test(readFileSync(join(source, program), "utf8"));
    const reason = EXCEPTIONS.get(program);
    if (isInternal || NEVER_END.has(program)) continue;
    test(reason === undefined ? program : `${program} fails: ${reason}`, async () => {
      const { code, output } = await run(program);
      if (reason === undefined) expect(`${code}\n${output.slice(-2000)}`).toMatch(/^0\n/);
      else expect(code).not.toBe(0);
    });
  }
});

test.skipIf(!isThere)("every exception is a test that exists", () => {
  expect([...EXCEPTIONS.keys()].filter((name) => !programs.includes(name))).toEqual([]);
});
