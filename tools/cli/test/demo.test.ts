import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run } from "./test-io.ts";

/** States of an end in the order of the ladder, each once in a row. */
function states(lines: readonly string[], column: number): string[] {
  const all = lines.map((line) => line.slice(column, column + 12).trim()).filter((text) => /^[A-Z]+(-[A-Z0-9]+)*$/.test(text));
  return all.filter((state, index) => state !== all[index - 1]);
}

describe("netstrata demo", () => {
  test("shows the picture, ARP, the handshake, HTTP and the close, with the states at both ends", async () => {
    const { code, lines, stderr } = await run(["demo"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    await expect(lines.join("\n")).toMatchFileSnapshot("demo-ladder.txt");
    const ladder = lines.slice(lines.findIndex((line) => line.includes("CLOSED")));
    // RFC 9293 Figure 5, from the left at the client's end and from the right at the server's.
    expect(states(ladder, 10)).toEqual(["CLOSED", "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"]);
    expect(states(ladder, 78)).toEqual(["LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "CLOSED"]);
    const controls = ladder.map((line) => /CTL=([A-Z,]+)/.exec(line)?.[1]).filter((control) => control !== undefined);
    expect(controls.slice(0, 3)).toEqual(["SYN", "SYN,ACK", "ACK"]);
    expect(controls.slice(-4)).toEqual(
      ["FIN,ACK", "ACK", "FIN,ACK", "ACK"].map((control) => (controls.at(-4) === "FIN,PSH,ACK" ? control : control)),
    );
  });

  test("the same seed prints the same ladder, another one another", async () => {
    const [first, second, third] = await Promise.all([["5"], ["5"], ["6"]].map(([seed]) => run(["demo", "--loss", "10%", "--seed", seed])));
    expect(second.stdout).toBe(first.stdout);
    expect(third.stdout).not.toBe(first.stdout);
  });

  test("--loss 5% --seed 7 loses packets and recovers, and says by which clause", async () => {
    const { code, stdout } = await run(["demo", "--loss", "5%", "--seed", "7"]);
    expect(code).toBe(0);
    const [, lost, again] = /(\d+) lost, (\d+) sent again\.\n$/.exec(stdout) ?? [];
    expect(Number(lost)).toBeGreaterThan(0);
    expect(Number(again)).toBeGreaterThan(0);
    expect(stdout).toMatch(/✗ lost between (client|left|right|server) and (client|left|right|server)/);
    expect(stdout).toMatch(/↻ sent again: .* \(RFC \d+ §[\d.]+\)/);
    expect(stdout).toContain("arrived as it was sent");
  });

  test("the page arrives over every seed, in 100 columns", async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { code, lines } = await run(["demo", "--loss", "5%", "--seed", String(seed)]);
      expect(code).toBe(0);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    }
  });

  test("--capture writes what passed a host, with comments", async () => {
    const folder = mkdtempSync(join(tmpdir(), "netstrata-demo-"));
    try {
      const path = join(folder, "demo.pcapng");
      const { stderr } = await run(["demo", "--loss", "8%", "--seed", "4", "--capture", path, "--capture-at", "server"]);
      expect(stderr).toBe(`${path}: what passed server\n`);
      const shown = await run(["inspect", path]);
      expect(shown.code).toBe(0);
      expect(shown.stdout).toContain("IP 10.0.1.1");
      expect(shown.stdout).toMatch(/\n {4}# (sent again: .*|drop on the wire)\n/);
      expect((await run(["replay", path, "--as", "10.0.3.2"])).stdout).toMatch(/^same /);
      expect(readFileSync(path).subarray(0, 4)).toEqual(Buffer.of(0x0a, 0x0d, 0x0d, 0x0a));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("colours on a terminal, and none where they are not wanted", async () => {
    expect((await run(["demo"], { isTTY: true })).stdout).toContain("\x1b[36m");
    expect((await run(["demo"], { isTTY: true, environment: { NO_COLOR: "1" } })).stdout).not.toContain("\x1b");
    expect((await run(["demo"])).stdout).not.toContain("\x1b");
  });

  test("a host that is not there cannot be captured", async () => {
    expect(await run(["demo", "--capture", "x", "--capture-at", "moon"])).toMatchObject({
      code: 2,
      stderr: "netstrata: --capture-at: there is no host moon\n",
    });
  });
});
