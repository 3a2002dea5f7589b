import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fixture, run } from "./test-io.ts";

const HTTP = fixture("http-get.pcapng");

describe("netstrata inspect", () => {
  test("shows a line a packet", async () => {
    const { code, lines, stderr } = await run(["inspect", fixture("refused.pcapng")]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(
      lines.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{6} /, "").replace(/(?<=10\.9\.0\.1\.)\d+|(?<=seq |val )\d{4,}/g, "N")),
    ).toEqual([
      "IP 10.9.0.1.N > 10.9.0.2.81: Flags [S], seq N, win 64240, options [mss 1460,sackOK,TS val N ecr 0,nop,wscale 10], length 0",
      "IP 10.9.0.2.81 > 10.9.0.1.N: Flags [R.], seq 1, ack 1, win 0, length 0",
      "IP 10.9.0.1.N > 10.9.0.2.82: UDP, length 8",
      "IP 10.9.0.2 > 10.9.0.1: ICMP 10.9.0.2 udp port 82 unreachable, length 44",
    ]);
  });

  test("a filter takes what it says, in one word or in many", async () => {
    const all = (await run(["inspect", HTTP])).lines;
    const fromServer = (await run(["inspect", HTTP, "src", "port", "80"])).lines;
    expect(fromServer.length).toBeGreaterThan(0);
    expect((await run(["inspect", HTTP, "src port 80"])).lines).toEqual(fromServer);
    expect((await run(["inspect", HTTP, "not", "src", "port", "80"])).lines).toHaveLength(all.length - fromServer.length);
    expect((await run(["inspect", HTTP, "tcp[tcpflags] & tcp-syn != 0"])).lines).toHaveLength(4);
  });

  test("an error in the filter is shown with a caret, and nothing else is", async () => {
    expect(await run(["inspect", HTTP, "tcp", "and", "prot", "80"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/^netstrata: filter: .*\n {2}tcp and prot 80\n {10}\^\n$/),
    });
  });

  test("-v adds layers, -x octets, -S absolute numbers, -c stops", async () => {
    const { lines } = await run(["inspect", "-v", "-x", "-c", "1", HTTP]);
    expect(lines[1]).toMatch(/^ {4}ipv4 .*source 10\.9\.0\.1, destination 10\.9\.0\.2/);
    expect(lines[2]).toMatch(/^ {4}tcp .*flags \[SYN\]/);
    expect(lines[3]).toMatch(/^\t0x0000: {2}4500 /);
    expect((await run(["inspect", "-c", "3", HTTP])).lines).toHaveLength(3);
    const [, , relative] = (await run(["inspect", HTTP])).lines;
    const [, , absolute] = (await run(["inspect", "-S", HTTP])).lines;
    expect(relative).toContain("ack 1,");
    expect(absolute).not.toContain("ack 1,");
  });

  test("--json is one object a line", async () => {
    const { lines } = await run(["inspect", "--json", HTTP, "tcp"]);
    const packets = lines.map((line) => JSON.parse(line) as { number: number; layers: { protocol: string }[] });
    expect(packets[0]).toMatchObject({
      number: 1,
      linkType: "raw IP",
      layers: [
        { protocol: "ipv4", source: "10.9.0.1" },
        { protocol: "tcp", flags: ["SYN"] },
      ],
    });
    expect(packets.map(({ number }) => number)).toEqual(packets.map((_, index) => index + 1));
  });

  test("--streams puts conversations together", async () => {
    const { lines } = await run(["inspect", "--streams", "--octets", "60", HTTP]);
    expect(lines[0]).toMatch(/^conversation 1: 10\.9\.0\.1:\d+ > 10\.9\.0\.2:80, closed$/);
    expect(lines).toContain("  > GET / HTTP/1.1");
    expect(lines).toContain("  < HTTP/1.1 200 OK");
    expect(lines.filter((line) => /^ {2}< \[\d+ more octets\]$/.test(line)).length).toBeGreaterThan(0);
    const binary = await run(["inspect", "--streams", HTTP]);
    expect(binary.stdout).toMatch(/ {2}< 0x0000: {2}/);
  });

  test("--stats is numbers only", async () => {
    const { stdout } = await run(["inspect", "--stats", HTTP]);
    expect(stdout).toMatch(/^packets {3}41\noctets {4}\d+\nfrom /);
    expect(stdout).toMatch(/\nTCP conversations +number\nclosed +2\n/);
    expect((await run(["inspect", "--stats", HTTP, "udp"])).stdout).toBe("no packets\n");
  });

  test("--json, --streams and --stats exclude each other", async () => {
    expect(await run(["inspect", "--json", "--stats", HTTP])).toMatchObject({
      code: 2,
      stderr: "netstrata: inspect: --json, --streams and --stats exclude each other\n",
    });
  });

  test("- is standard input", async () => {
    const bytes = readFileSync(HTTP);
    const stdin = Array.from({ length: Math.ceil(bytes.length / 700) }, (_, index) => bytes.subarray(700 * index, 700 * (index + 1)));
    expect((await run(["inspect", "-"], { stdin })).lines).toEqual((await run(["inspect", HTTP])).lines);
  });

  test("a file that is cut off: every whole packet, then the fault with its place", async () => {
    for (const name of ["http-get.pcapng", "two-kernels.pcap"]) {
      const bytes = readFileSync(fixture(name));
      const all = (await run(["inspect", "-"], { stdin: [bytes] })).lines;
      const { code, lines, stderr } = await run(["inspect", "-"], { stdin: [bytes.subarray(0, bytes.length - 5)] });
      expect(code).toBe(2);
      expect(lines).toEqual(all.slice(0, -1));
      expect(stderr).toMatch(
        new RegExp(`^netstrata: standard input: packet ${all.length} at byte \\d+: the file ends \\d+ octets into a record\n$`),
      );
    }
  });

  test("a foreign file is refused by its first octets", async () => {
    const { code, stdout, stderr } = await run(["inspect", fixture("README.md")]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("README.md: file header at byte 0: ");
  });
});
