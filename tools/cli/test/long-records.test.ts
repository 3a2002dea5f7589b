// Files whose records are longer than their header allows: everything is shown, and the fault is told.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixture, run } from "./test-io.ts";

const SNAP_LENGTH = 100;
const original = fixture("two-kernels.pcap");
let folder: string;
let broken: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "netstrata-"));
  broken = join(folder, "broken.pcap");
  const bytes = readFileSync(original);
  bytes.writeUInt32LE(SNAP_LENGTH, 16);
  writeFileSync(broken, bytes);
});

afterAll(() => rmSync(folder, { recursive: true }));

const FAULT = /^netstrata: .*broken\.pcap.*packet \d+.*\n$/;

test("inspect shows every packet, names file, packet and octet, and ends in trouble", async () => {
  const whole = await run(["inspect", "--json", original]);
  const shown = await run(["inspect", "--json", broken]);
  expect(whole.lines.length).toBeGreaterThan(50);
  expect(shown.lines).toEqual(whole.lines);
  expect(shown).toMatchObject({ code: 2, stderr: expect.stringMatching(FAULT) });
  expect(shown.stderr).toContain("byte");
});

test("replay replays it all, and ends in trouble", async () => {
  const { code, stdout, stderr } = await run(["replay", broken, "--as", "10.8.0.2"]);
  expect(stdout).toContain("2 same, 0 differ, 0 not replayed");
  expect([code, stderr]).toEqual([2, expect.stringMatching(FAULT)]);
});

test("a folder is no capture", async () => {
  expect(await run(["inspect", folder])).toMatchObject({ code: 2, stderr: `netstrata: ${folder} is a directory, not a capture\n` });
});
