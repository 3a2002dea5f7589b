import { describe, expect, test } from "vitest";
import { renderReport } from "../src/replay/report-view.ts";
import { styleFor } from "../src/terminal/style.ts";
import { fixture, KeptOutput, run } from "./test-io.ts";

describe("netstrata replay", () => {
  test("0: what the kernel did, our stack does", async () => {
    const { code, stdout } = await run(["replay", fixture("two-kernels.pcap"), "--as", "10.8.0.2"]);
    expect(code).toBe(0);
    expect(stdout.replace(/:\d{5}/g, ":PORT").replace(/\d+ (packets of the peer met by) \d+/g, "N $1 N")).toBe(
      [
        "same         tcp 10.8.0.2:8000 with 10.8.0.1:PORT, packets 1 to 52",
        "             N packets of the peer met by N of ours; 81 octets received, 31703 sent",
        "same         tcp 10.8.0.2:8000 with 10.8.0.1:PORT, packets 53 to 64",
        "             N packets of the peer met by N of ours; 84 octets received, 520 sent",
        "2 same, 0 differ, 0 not replayed",
        "",
      ].join("\n"),
    );
  });

  test("1: something differs, and both packets are decoded", () => {
    const bytes = Uint8Array.from([0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    const end = { address: 0x0a000001 as never, port: 80 };
    const lines = renderReport(
      {
        protocol: "tcp",
        own: end,
        peer: { ...end, port: 5000 },
        packets: [3, 9],
        peerPackets: 4,
        ownPackets: 3,
        verdict: "differs",
        divergence: { expected: "no reset", found: "a reset", recorded: { number: 7, time: 12.5, bytes }, ours: undefined },
        octetsSent: 1,
        octetsReceived: 2,
        packetsSent: 3,
        whole: false,
        liberties: { retransmissions: 1, acknowledgmentsSplit: 2, longestWait: 30.4 },
      },
      styleFor(new KeptOutput(), {}),
    );
    expect(lines.map((line) => line.trim())).toEqual([
      "differs      tcp 10.0.0.1:80 with 10.0.0.1:5000, packets 3 to 9",
      "4 packets of the peer played against 3 of ours; 2 octets received, 1 sent; the recording ends before the connection does",
      "1 of our packets repeat octets; 2 acknowledgments given in steps; a recorded packet waited 30 ms for ours",
      "expected  no reset",
      "found     a reset",
      expect.stringMatching(/^recorded {2}#7 at 12\.500 ms: IP 10\.0\.0\.1 > 10\.0\.0\.2/),
      expect.stringMatching(/^ipv4 {3}source 10\.0\.0\.1/),
      expect.any(String),
      "ours      nothing",
    ]);
  });

  test("2: nothing that could be replayed, a file that is none, no address", async () => {
    const http = fixture("http-get.pcapng");
    const nobody = await run(["replay", http, "--as", "192.0.2.1"]);
    expect(nobody).toMatchObject({ code: 2, stderr: `netstrata: ${http}: no conversation of 192.0.2.1 that can be replayed\n` });
    expect((await run(["replay", http])).stderr).toBe("netstrata: replay: --as ADDRESS is missing: which host shall our stack play?\n");
    expect(await run(["replay", fixture("README.md"), "--as", "10.0.0.1"])).toMatchObject({ code: 2, stdout: "" });
    expect((await run(["replay", http, "--as", "::1"])).stderr).toContain("only IPv4 conversations can be replayed");
    expect((await run(["replay", http, "--as", "0.0.0.0"])).stderr).toContain("0.0.0.0 is no host's address");
  });

  test("--as ADDRESS:PORT plays one port only", async () => {
    const { stdout } = await run(["replay", fixture("refused.pcapng"), "--as", "10.9.0.2:82"]);
    expect(stdout).toMatch(/^same {9}udp 10\.9\.0\.2:82 with .*\n.*\n1 same, 0 differ, 0 not replayed\n$/);
  });

  test("--json is one object a conversation", async () => {
    const { lines } = await run(["replay", fixture("http-get.pcapng"), "--as", "10.9.0.2", "--json"]);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { protocol: "tcp", own: "10.9.0.2:80", verdict: "same", whole: true },
      { protocol: "tcp", own: "10.9.0.2:80", verdict: "same", whole: true },
    ]);
  });
});

test("netstrata start: the demo, then a recording, without root or network", async () => {
  const { code, stdout, stderr } = await run(["start"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("arrived as it was sent");
  expect(stdout).toContain("2 same, 0 differ, 0 not replayed");
});
