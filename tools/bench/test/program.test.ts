// The program as `npm run bench` starts it, with its separate processes. It needs a build, which `npm test` makes first.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const program = resolve(root, "tools/bench/dist/main.js");
const TINY = ["--only", "ping-pong-core-1500", "--rounds", "2", "--sample-time", "0", "--warm-up-time", "0"];

function bench(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
}

describe.skipIf(!existsSync(program))("npm run bench", () => {
  test("prints one table to stdout and progress to stderr", () => {
    const { stdout, stderr, status } = bench(...TINY);
    expect(status).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(/^work +subject +rate +peer +rate +ratio/);
    expect(stdout).toMatch(/^1-byte ping-pong +core API, MTU 1500 /m);
    expect(stderr).toBe("ping-pong-core-1500\n");
  });

  test("--json gives every sample", () => {
    const { rounds, comparisons } = JSON.parse(bench(...TINY, "--json").stdout);
    expect(rounds).toBe(2);
    expect(comparisons).toHaveLength(1);
    expect(comparisons[0].subject.samples).toHaveLength(2);
    expect(comparisons[0].peer.samples).toHaveLength(2);
  });

  test("--against compares with another checkout: this one with itself", () => {
    const { stdout, status } = bench(...TINY, "--json", "--against", root);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).comparisons[0].peer.title).toBe(root);
  });

  test("--profile tells where the time goes", () => {
    const { stdout, status } = bench("--profile", ...TINY);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^package +self time$/m);
    expect(stdout).toMatch(/^function +self time$/m);
  });

  test("a mistake on the command line is one line on stderr, and exit code 2", () => {
    expect(bench("--rounds", "none")).toMatchObject({
      stdout: "",
      stderr: "bench: --rounds none: not a whole number of at least 1\n",
      status: 2,
    });
    const { stderr, status } = bench(...TINY, "--against", "/nowhere");
    expect(stderr).toMatch(/^bench: --against \/nowhere: no built checkout/);
    expect(status).toBe(2);
  });

  test("--help and --list need nothing", () => {
    expect(bench("--help").stdout).toContain("npm run bench -- --quick");
    expect(bench("--list").stdout).toContain("bulk-core-1500\n");
  });
});
