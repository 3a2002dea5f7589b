// netstrata drill: files and directories, the forms of output, exit codes.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "./test-io.ts";

const GOOD = "0 < S 1000:1000(0) win 1000\n+0 > R. 0:0(0) ack 1\n";
const FILES: Readonly<Record<string, string>> = {
  "good.pkt": GOOD,
  "deeper/bad.pkt": GOOD.replace("ack 1", "ack 2"),
  "deeper/strange.pkt": `\`reboot\`\n${GOOD}`,
  "deeper/only6.pkt": `--ip_version=ipv6\n#ifdef ipv6\n${GOOD}#endif\n`,
  "notes.txt": "no script",
};
let directory = "";

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "netstrata-drill-"));
  mkdirSync(join(directory, "deeper"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
});

afterAll(() => rmSync(directory, { recursive: true }));

test("a directory: what fails is shown, what is unsupported is told apart, passes are counted", async () => {
  const { code, stdout } = await run(["drill", directory]);
  expect(code).toBe(1);
  expect(stdout).toContain("bad.pkt:2 (ipv4, linux): fail: the packet that came out is not the one expected: ack");
  expect(stdout).toContain("  expected  R. 0:0(0) ack 2");
  expect(stdout).toContain("unsupported: the command reboot");
  expect(stdout).toMatch(/4 runs: 2 pass, 1 fail, 1 unsupported \(\d+\.\d\d s\)\n$/);
});

test("exit codes: 0 all pass, 1 something else, 2 a script that cannot be read", async () => {
  const good = join(directory, "good.pkt");
  expect((await run(["drill", good])).code).toBe(0);
  expect((await run(["drill", join(directory, "deeper", "strange.pkt")])).code).toBe(1);
  expect((await run(["drill", join(directory, "notes.txt")])).code).toBe(2);
  expect((await run(["drill", join(directory, "missing.pkt")])).code).toBe(2);
  expect(await run(["drill", good, "--personality", "beos"])).toMatchObject({ code: 2, stdout: "" });
  expect(await run(["drill", good, "--ip-version", "ipv5"])).toMatchObject({ code: 2, stdout: "" });
});

test("--ip-version runs a script over each, and one that names its own once", async () => {
  const { stdout } = await run(["drill", directory, "--ip-version", "ipv4,ipv6", "--json"]);
  const runs = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { name: string; ipVersion: string; outcome: string })
    .map(({ name, ipVersion, outcome }) => `${name.slice(directory.length + 1)} ${ipVersion} ${outcome}`);
  expect(runs).toEqual([
    "deeper/bad.pkt ipv4 fail",
    "deeper/bad.pkt ipv6 fail",
    "deeper/only6.pkt ipv6 pass",
    "deeper/strange.pkt ipv4 unsupported",
    "deeper/strange.pkt ipv6 unsupported",
    "good.pkt ipv4 pass",
    "good.pkt ipv6 pass",
  ]);
});

test("TAP, --verbose, -D, and packetdrill's own options", async () => {
  const good = join(directory, "good.pkt");
  expect((await run(["drill", good, "--tap"])).stdout).toBe(`TAP version 13\nok 1 - ${good} ipv4 linux\n1..1\n`);
  expect((await run(["drill", good, "-v"])).stdout).toContain("0.000000 > R. 0:0(0) ack 1 ");
  const file = join(directory, "defined.txt");
  writeFileSync(file, "0 < S NUMBER:1000(0) win 1000\n+.009 > R. 0:0(0) ack 1\n");
  expect((await run(["drill", file, "-D", "NUMBER=1000", "-D", "OTHER=1"])).code).toBe(1);
  expect((await run(["drill", file, "-D", "NUMBER=1000", "--tolerance_usecs=9000"])).code).toBe(0);
});

test("--set: an option of the stack that wins over the script, by its own name and of its kind", async () => {
  const file = join(directory, "sack.pkt");
  writeFileSync(
    file,
    `\`sysctl -q net.ipv4.tcp_sack=1\`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 \`sysctl -q net.ipv4.tcp_sack=1\`
+0 < S 0:0(0) win 32000 <mss 1000,sackOK>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>
`,
  );
  expect((await run(["drill", file, "--set", "dsack=false"])).code).toBe(0);
  expect((await run(["drill", file, "--set", "sack=false"])).code).toBe(1);
  for (const wrong of ["sack", "sock=true", "sack=1", "sack="]) {
    expect(await run(["drill", file, "--set", wrong])).toMatchObject({ code: 2, stdout: "" });
  }
});
