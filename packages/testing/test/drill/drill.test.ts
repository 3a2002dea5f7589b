// A run: outcomes, commands, options, times, mapping of numbers.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type DrillOptions, type DrillReport, renderDrillReport, runDrill } from "../../src/index.ts";
import { drill } from "../../src/node.ts";

const LISTEN = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
`;
const OPEN = `${LISTEN}
   +0 < S 0:0(0) win 32000 <mss 1000>
   +0 > S. 0:0(0) ack 1 <...>
  +.1 < . 1:1(0) ack 1 win 32000
   +0 accept(3, ..., ...) = 4
`;

function run(text: string, options: DrillOptions = {}): Promise<DrillReport> {
  return runDrill(text, options);
}

describe("outcomes", () => {
  test("pass, fail, unsupported and error are four different things", async () => {
    expect(await run(OPEN)).toMatchObject({ outcome: "pass", differences: [], duration: 100 });
    expect(await run(`${OPEN}\n+0 read(4, ..., 10) = 5`)).toMatchObject({ outcome: "fail", message: "the call blocks" });
    expect(await run(`${OPEN}\n+0 fancy(4) = 5`)).toMatchObject({ outcome: "unsupported", message: "unsupported: the call fancy" });
    expect(await run(`${OPEN}\n+0 > ipv4 1.1.1.1 > 2.2.2.2: . 1:1(0)`)).toMatchObject({ outcome: "unsupported" });
    expect(await run("0 < S 0:1(0) win 1")).toMatchObject({ outcome: "error", line: 1, column: 14 });
    expect(await run("--color=red\n0 `true`")).toMatchObject({ outcome: "error", message: "there is no option --color" });
    expect(await run("--wire_client\n0 `true`")).toMatchObject({ outcome: "unsupported" });
  });

  test("a failure shows the line, both packets, each field, and what was before", async () => {
    const report = await run(`${OPEN}\n+0 write(4, ..., 100) = 100\n+0 > P. 1:201(200) ack 7\n`, { name: "x.pkt" });
    expect(report).toMatchObject({ outcome: "fail", line: 12, expected: "P. 1:201(200) ack 7", event: "+0 > P. 1:201(200) ack 7" });
    expect(report.seen).toMatch(/^P\. 1:101\(100\) ack 1 win \d+$/);
    expect(report.differences).toEqual([
      { field: "length", expected: "200", seen: "100" },
      { field: "ack", expected: "7", seen: "1" },
    ]);
    const text = renderDrillReport(report).join("\n");
    expect(text).toContain("x.pkt:12 (ipv4, linux): fail: the packet that came out is not the one expected: length, ack");
    expect(text).toContain("0.100000 = write(4, ..., 100) = 100");
  });

  test("a packet that comes late is told with its time; one that never comes, too", async () => {
    const late = await run(`${OPEN}\n+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+0 > P. 1:101(100) ack 1`, {
      personality: "rfc",
    });
    expect(late).toMatchObject({
      outcome: "fail",
      message: expect.stringMatching(/^no packet came out by 0.104000 s; the next came at \d/),
    });
    expect(await run(`${LISTEN}\n+0 > . 1:1(0)`)).toMatchObject({ outcome: "error" });
    expect(await run("0 < R 1:1(0) win 0\n+0 > R 1:1(0)")).toMatchObject({ outcome: "fail", message: "no packet came out by 0.004000 s" });
  });

  test("the same seed gives the same report", async () => {
    const text = `${OPEN}\n+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 9`;
    expect(await run(text, { seed: 5 })).toEqual(await run(text, { seed: 5 }));
  });

  test("drill() throws what a person needs", async () => {
    await expect(drill(`${OPEN}\n+0 > . 1:1(0) ack 1`)).rejects.toThrow(/expected {2}\. 1:1\(0\) ack 1/);
    await expect(drill(`${OPEN}\n`)).resolves.toMatchObject({ outcome: "pass" });
  });
});

describe("commands", () => {
  const outcome = async (command: string, options: DrillOptions = {}): Promise<string> => {
    const report = await run(`\`${command}\`\n${OPEN}`, options);
    return report.outcome === "pass" ? "pass" : `${report.outcome}: ${report.message}`;
  };

  test.for([
    "sysctl -q net.ipv4.tcp_sack=0",
    'sysctl -w net.ipv4.tcp_rmem="4096 540000 $((15*1024*1024))" net.ipv4.tcp_sack=1',
    "./defaults.sh\n./set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0 \\\n  /proc/sys/net/ipv4/tcp_early_retrans=0",
    "echo 0 > /proc/sys/net/ipv4/tcp_sack",
    "sysctl net.inet.tcp.rfc1323=0; kldload -n tcp_rack",
    "tc qdisc add dev tun0 root pfifo limit 0 2>/dev/null",
    "sleep 0.1 && true || false",
    "echo a | grep -q a",
    "! false",
    "ip route change 192.0.2.0/24 dev tun0 initcwnd 20 mtu lock 1400 > /dev/null 2>&1",
    "ip tcp_metrics flush all",
  ])("%s", async (command) => {
    expect(await outcome(command)).toBe("pass");
  });

  test("what is unknown is unsupported, and reaches no shell", async () => {
    expect(await outcome("iptables -A INPUT -j DROP")).toBe("unsupported: unsupported: the command iptables -A INPUT -j DROP");
    expect(await outcome("sysctl -q net.ipv4.tcp_fancy=1")).toBe("unsupported: unsupported: the setting net.ipv4.tcp_fancy");
    expect(await outcome("sysctl -e -q net.ipv4.tcp_fancy=1")).toBe("pass");
    expect(await outcome("sysctl -q net.ipv4.tcp_shrink_window=1")).toContain("unsupported");
    expect(await outcome("./prepare.sh")).toContain("which is not there");
    expect(await outcome("mkdir /tmp/netstrata-drill-was-here")).toContain("unsupported");
    // Files are the run's own.
    expect(await outcome("touch /tmp/netstrata-drill-was-here; echo x > /tmp/netstrata-drill-was-here")).toBe("pass");
    expect(existsSync("/tmp/netstrata-drill-was-here")).toBe(false);
  });

  test("options of this stack have their own names, and take only what they can be", async () => {
    const sack = `${LISTEN}+0 < S 0:0(0) win 32000 <mss 1000,sackOK>\n+0 > S. 0:0(0) ack 1 <mss 1460>`;
    expect(await run(`\`sysctl -q netstrata.tcp.sack=false\`\n${sack}`)).toMatchObject({ outcome: "pass" });
    expect(await run(sack)).toMatchObject({ outcome: "fail" });
    expect(await outcome("sysctl netstrata.tcp.sock=false")).toBe("unsupported: unsupported: the setting netstrata.tcp.sock");
    expect(await outcome("sysctl netstrata.tcp.sack=1")).toBe("unsupported: unsupported: the setting netstrata.tcp.sack=1");
  });

  test("nstat tells what was counted by Linux's names", async () => {
    const counted = (name: string): string => `${OPEN}\n+0 < P. 1:101(100) ack 1 win 32000\n+0 \`nstat -az | grep -q ${name}\``;
    for (const name of ["TcpPassiveOpens", "TcpInSegs"]) expect(await run(counted(name))).toMatchObject({ outcome: "pass" });
    expect(await run(counted("TcpExtTCPTimeouts"))).toMatchObject({ outcome: "fail" });
    const beyond = `${OPEN}\n+0 < P. 900001:900101(100) ack 1 win 32000\n+0 > . 1:1(0) ack 1\n+0 \`nstat | grep TcpExtBeyondWindow\``;
    expect(await run(beyond)).toMatchObject({ outcome: "pass" });
  });

  test("a command that fails fails the script", async () => {
    expect(await outcome("false")).toBe("fail: the command failed with status 1: false");
    expect(await outcome("echo a | grep -q b")).toContain("fail: the command failed");
  });

  test("nstat tells what the stack has counted", async () => {
    const text = `${OPEN}\n+0 \`nstat | grep TcpPassiveOpens | grep -q " 1 "\``;
    expect(await run(text)).toMatchObject({ outcome: "pass" });
    expect(await run(text.replace('" 1 "', '" 2 "'))).toMatchObject({ outcome: "fail" });
  });

  test("of a preparing script that is there, the lines count that mean something", async () => {
    const files: Record<string, string> = { "prepare.sh": "#!/bin/sh\nfancy --thing\nsysctl -q net.ipv4.tcp_timestamps=0\n" };
    const text = `--init_scripts=prepare.sh\n${LISTEN}\n+0 < S 0:0(0) win 32000 <mss 1000,TS val 5 ecr 0>\n+0 > S. 0:0(0) ack 1 <mss 1460>`;
    expect(await run(text, { readFile: (path) => files[path] })).toMatchObject({ outcome: "pass" });
    expect(await run(text, { readFile: () => "" })).toMatchObject({ outcome: "fail" });
  });

  test("a setting reaches connections from then on", async () => {
    const syn = "+0 < S 0:0(0) win 32000 <mss 1000,sackOK>";
    expect(await run(`${LISTEN}${syn}\n+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>`)).toMatchObject({ outcome: "pass" });
    expect(await run(`0 \`sysctl net.ipv4.tcp_sack=0\`\n${LISTEN}${syn}\n+0 > S. 0:0(0) ack 1 <mss 1460>`)).toMatchObject({
      outcome: "pass",
    });
  });
});

describe("times", () => {
  test("the tolerance is that of the language, and can be chosen", async () => {
    const text = `${LISTEN}\n+0 < S 0:0(0) win 32000 <mss 1000>\n+.008 > S. 0:0(0) ack 1 <...>`;
    expect(await run(text)).toMatchObject({ outcome: "fail", differences: [{ field: "time" }] });
    expect(await run(`--tolerance_usecs=8000\n${text}`)).toMatchObject({ outcome: "pass" });
    expect(await run(text, { arguments: { tolerance_usecs: "8000" } })).toMatchObject({ outcome: "pass" });
    expect(await run(text.replace("+.008", "+.002~+.003"))).toMatchObject({ outcome: "pass" });
    expect(await run(text.replace("+.008", "*"))).toMatchObject({ outcome: "pass" });
  });

  test("a call that blocks returns when it should, and neither earlier nor later", async () => {
    const text = (end: string): string =>
      `${OPEN}\n+0...${end} read(4, ..., 1000) = 100\n+.2 < P. 1:101(100) ack 1 win 32000\n+.5 \`true\``;
    expect(await run(text("0.2"))).toMatchObject({ outcome: "pass" });
    expect(await run(text("0.1"))).toMatchObject({ outcome: "fail", line: 11, differences: [{ field: "time" }] });
    expect(await run(text("0.3"))).toMatchObject({ outcome: "fail", line: 11, differences: [{ field: "time" }] });
  });
});

describe("what belongs together", () => {
  test("two connections by their ports", async () => {
    const text = `${LISTEN}
   +0 < 40001 > 8080: S 0:0(0) win 32000 <mss 1000>
   +0 > 8080 > 40001: S. 0:0(0) ack 1 <...>
   +0 < 40002 > 8080: S 500:500(0) win 32000 <mss 1000>
   +0 > 8080 > 40002: S. 0:0(0) ack 501 <...>
   +0 < 40001 > 8080: . 1:1(0) ack 1 win 32000
   +0 accept(3, ..., ...) = 4
   +0 write(4, ..., 10) = 10
   +0 > 8080 > 40001: P. 1:11(10) ack 1`;
    expect(await run(text)).toMatchObject({ outcome: "pass" });
    expect(await run(text.replace("> 8080 > 40001: P.", "> 8080 > 40002: P."))).toMatchObject({
      outcome: "fail",
      message: "the packet that came out belongs to another connection",
    });
  });

  test("UDP, and the ICMP error for a closed port", async () => {
    const text = `0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3
   +0 connect(3, ..., ...) = 0
   +0 write(3, ..., 100) = 100
   +0 > udp (100)
   +0 < udp (50)
   +0 read(3, ..., 1000) = 50
   +0 write(3, ..., 10) = 10
   +0 > udp (10)
   +0 < icmp unreachable port_unreachable [udp (10)]
   +0 write(3, ..., 10) = -1 ECONNREFUSED (Connection refused)`;
    for (const ipVersion of ["ipv4", "ipv6"] as const) expect(await run(text, { ipVersion })).toMatchObject({ outcome: "pass" });
    expect(await run(text.replace("> udp (100)", "> udp (99)"))).toMatchObject({ outcome: "fail", differences: [{ field: "length" }] });
    expect(await run("0 < udp (10)\n+0 > icmp unreachable port_unreachable")).toMatchObject({ outcome: "pass" });
    expect(await run("0 < udp (10)\n+0 > icmp unreachable host_unreachable")).toMatchObject({ outcome: "fail" });
  });

  test("segments may be joined unless they must not", async () => {
    const text = `${OPEN}\n+0 write(4, ..., 2000) = 2000\n+0 > P. 1:2001(2000) ack 1`;
    expect(await run(text)).toMatchObject({ outcome: "pass" });
    expect(await run(`--strict_segments\n${text}`)).toMatchObject({ outcome: "fail" });
  });

  test("timestamps: ours are whatever they are, the peer's are echoed exactly", async () => {
    const text = (ecr: number): string => `${LISTEN}
   +0 < S 0:0(0) win 32000 <mss 1000,sackOK,TS val 700 ecr 0>
   +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr ${ecr}>
  +.1 < . 1:1(0) ack 1 win 32000 <nop,nop,TS val 800 ecr 100>
   +0 accept(3, ..., ...) = 4
   +0 %{ assert 99000 <= tcpi_rtt <= 101000, tcpi_rtt }%`;
    expect(await run(text(700))).toMatchObject({ outcome: "pass" });
    expect(await run(text(701))).toMatchObject({ outcome: "fail", differences: [{ field: "TS" }] });
  });

  test("--tcp_ts_tick_usecs checks that our timestamps go with the time", async () => {
    const text = (value: number): string => `--tcp_ts_tick_usecs=1000\n${LISTEN}
   +0 < S 0:0(0) win 32000 <mss 1000,sackOK,TS val 700 ecr 0>
   +0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 100 ecr 700>
  +.1 < . 1:1(0) ack 1 win 32000 <nop,nop,TS val 800 ecr 100>
   +0 accept(3, ..., ...) = 4
   +0 write(4, ..., 10) = 10
   +0 > P. 1:11(10) ack 1 <nop,nop,TS val ${value} ecr 800>`;
    expect(await run(text(200))).toMatchObject({ outcome: "pass" });
    expect(await run(text(300))).toMatchObject({ outcome: "fail", differences: [{ field: "TS val" }] });
  });
});

describe("numbers and times", () => {
  test("numbers count from the SYN of either side, wherever it begins", async () => {
    const script = `${LISTEN}
   +0 < S 5000:5000(0) win 32000 <mss 1000,sackOK>
   +0 > S. 700:700(0) ack 5001 <...>
  +.1 < . 1:1(0) ack 1 win 32000
   +0 accept(3, ..., ...) = 4
   +0 < . 11:21(10) ack 1 win 32000
   +0 > . 1:1(0) ack 1 <nop,nop,sack 11:21>
   +0 < P. 1:11(10) ack 1 win 32000
   +0 > . 1:1(0) ack 21
   +0 write(4, ..., 10) = 10
   +0 > P. 1:11(10) ack 21`;
    expect(await run(script)).toMatchObject({ outcome: "pass" });
    expect(await run(script.replace("S. 700:700(0) ack 5001", "S. 700:700(0) ack 1"))).toMatchObject({ outcome: "fail" });
    expect(await run(script.replace("sack 11:21", "sack 5011:5021"))).toMatchObject({ outcome: "fail" });
  });

  test("a time counts from when the event before really happened", async () => {
    // Three packets that come at once, each 3 ms before its time: only as long as each is near enough to the one before.
    const script = `${OPEN}
   +0 write(4, ..., 3000) = 3000
+.003 > . 1:1001(1000) ack 1
+.003 > P. 1001:2001(1000) ack 1
+.003 > P. 2001:3001(1000) ack 1
  +.1 < . 1:1(0) ack 3001 win 32000
 +.01 write(4, ..., 10) = 10`;
    expect(await run(script)).toMatchObject({ outcome: "pass", duration: 210 });
    expect(await run(script.replaceAll("+.003", "+.005"))).toMatchObject({ outcome: "fail" });
  });
});

test("Accurate ECN goes on counting in TIME-WAIT, but in the linux personality it does not (RFC 9768 §3.2.2)", async () => {
  const script = `
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
 +.01...0.011 connect(3, ..., ...) = 0
   +0 > [noecn] SEWA 0:0(0) <...>
   +0 < [ect1] SW. 0:0(0) ack 1 win 32000 <mss 1000,nop,wscale 6,nop,nop,sackOK>
   +0 > [ect0] EW. 1:1(0) ack 1
   +0 close(3) = 0
   +0 > [ect0] F5. 1:1(0) ack 1
   +0 < [ect0] .5 1:1(0) ack 2 win 300
   +0 < [ect0] F5. 1:1(0) ack 2 win 300
   +0 > [ect0] . 2:2(0) ack 2`;
  const options = { personality: "linux", tcp: { ecn: "accurate", accurateEcnOption: false } } as const;
  expect(await run(script, options)).toMatchObject({ outcome: "pass" });
  const counting = { ...options, tcp: { ...options.tcp, timeWaitFeedback: true } };
  expect(await run(script, counting)).toMatchObject({ outcome: "fail", differences: [{ field: "flags" }] });
  expect(await run(script.replace("> [ect0] . 2:2", "> [ect0] .5 2:2"), counting)).toMatchObject({ outcome: "pass" });
});
