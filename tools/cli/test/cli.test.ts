import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { commands } from "../src/commands.ts";
import { VERSION } from "../src/version.ts";
import { fixture, run } from "./test-io.ts";

describe("the command line", () => {
  test("--version is the package's", async () => {
    const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
    expect(VERSION).toBe(manifest.version);
    expect(await run(["--version"])).toMatchObject({ code: 0, stdout: `netstrata ${VERSION}\n`, stderr: "" });
  });

  test("--help lists every command; without a command it stands on stderr", async () => {
    const help = await run(["--help"]);
    expect(help.code).toBe(0);
    for (const { name, summary } of commands) expect(help.stdout).toContain(`${name.padEnd(12)}${summary}`);
    expect(await run([])).toMatchObject({ code: 2, stdout: "", stderr: help.stdout });
  });

  test.for(commands.map(({ name }) => name))("%s --help shows examples first, in lines that fit", async (name) => {
    for (const argv of [
      [name, "--help"],
      [name, "-h"],
      ["help", name],
    ]) {
      const { code, lines } = await run(argv);
      expect(code).toBe(0);
      expect(lines[0]).toMatch(new RegExp(`^netstrata ${name}: `));
      expect(lines[2]).toBe("Examples:");
      expect(lines.slice(3, 5).join()).toContain(`netstrata ${name}`);
      expect(lines.findIndex((line) => line.startsWith("Usage: "))).toBeGreaterThan(3);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
    }
  });

  test.for(commands.map(({ name }) => name))("%s refuses an option that it does not know", async (name) => {
    const { code, stdout, stderr } = await run([name, "--colour"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toBe(`netstrata: ${name}: unknown option --colour\n`);
  });

  test("a nearly right option is named", async () => {
    expect((await run(["inspect", "--stream", "x"])).stderr).toBe("netstrata: inspect: unknown option --stream; do you mean --streams?\n");
  });

  test("an unknown command, too few words, too many words, a value that is missing", async () => {
    expect(await run(["dance"])).toMatchObject({
      code: 2,
      stderr: 'netstrata: there is no command "dance"; netstrata --help lists them\n',
    });
    expect((await run(["inspect"])).stderr).toMatch(/^netstrata: inspect: something is missing; it goes: netstrata inspect FILE/);
    expect((await run(["demo", "now"])).stderr).toMatch(/^netstrata: demo: "now" is too much/);
    expect(await run(["demo", "--seed"])).toMatchObject({ code: 2 });
  });

  test("values are checked", async () => {
    expect((await run(["demo", "--seed", "x"])).stderr).toBe('netstrata: --seed: "x" is not a whole number from 0 to 4294967295\n');
    expect((await run(["demo", "--loss", "105%"])).stderr).toMatch(/^netstrata: --loss: "105%" is neither/);
    expect((await run(["replay", "x", "--as", "300.1.1.1"])).stderr).toBe('netstrata: --as: "300.1.1.1" is not an IP address\n');
  });

  test("a file that is not there is one line", async () => {
    expect(await run(["inspect", "/nowhere/at/all"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "netstrata: /nowhere/at/all: no such file\n",
    });
  });

  test("a reader that leaves early is no error", async () => {
    for (const argv of [["inspect", fixture("http-lossy.pcapng")], ["demo"], ["replay", fixture("http-get.pcapng"), "--as", "10.9.0.2"]]) {
      expect(await run(argv, { stdoutLimit: 0 })).toMatchObject({ code: 0, stdout: "", stderr: "" });
    }
  });
});
