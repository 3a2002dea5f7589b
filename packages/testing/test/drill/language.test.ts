// The language: what its grammar takes, and what it says of what it does not take.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PacketAction } from "../../src/index.ts";
import { parseScript, type Script, ScriptError } from "../../src/index.ts";

function parsed(text: string, definitions: Readonly<Record<string, string>> = {}): Script {
  const script = parseScript(text, new Map(Object.entries(definitions)));
  if (script instanceof ScriptError) throw script;
  return script;
}

function packet(line: string): PacketAction {
  const { action } = parsed(line).events[0];
  if (action.kind !== "packet") throw new Error(`${action.kind}, not a packet`);
  return action;
}

describe("times", () => {
  test.for([
    ["0 `x`", "absolute", 0, 0],
    ["0.100 `x`", "absolute", 100, 100],
    ["+.1 `x`", "relative", 100, 100],
    ["+0 `x`", "relative", 0, 0],
    ["+1. `x`", "relative", 1000, 1000],
    ["0.000001 `x`", "absolute", 0.001, 0.001],
    ["0.1~0.2 > . 1:1(0)", "absolute", 100, 200],
    ["+0~+.3 > . 1:1(0)", "relative", 0, 300],
    ["+.1~.3 > . 1:1(0)", "relative", 100, 300],
    ["* > . 1:1(0)", "any", 0, Number.POSITIVE_INFINITY],
    ["`x`\nwrite(3, ..., 1) = 1", "relative", 0, 0],
  ] as const)("%s", ([line, kind, from, to]) => {
    expect(parsed(line).events.at(-1)?.time).toEqual({ kind, from, to });
  });

  test("a call that blocks says when it returns", () => {
    expect(parsed("0...0.200 connect(3, ..., ...) = 0").events[0].action).toMatchObject({ kind: "call", end: 200 });
    expect(parsed("+.1...+0.3 read(3, ..., 10) = 5").events[0].action).toMatchObject({ kind: "call", end: 300 });
    expect(parsed("+.1 read(3, ..., 10) = 5").events[0].action).toMatchObject({ kind: "call", end: undefined });
  });

  test("a range that ends before it begins is refused", () => {
    expect(parseScript("0.2~0.1 > . 1:1(0)")).toMatchObject({ line: 1, message: expect.stringContaining("ends before it begins") });
  });
});

describe("packets", () => {
  test("flags by letter, ACE by digit", () => {
    const flags = (letters: string): unknown => packet(`0 > ${letters} 0:0(0)`).body;
    expect(flags("S")).toMatchObject({ flags: 0x02 });
    expect(flags("S.")).toMatchObject({ flags: 0x12 });
    expect(flags("FP.")).toMatchObject({ flags: 0x19 });
    expect(flags("SEWA")).toMatchObject({ flags: 0x1c2 });
    expect(flags(".5")).toMatchObject({ flags: 0x150 });
    expect(flags("P.7")).toMatchObject({ flags: 0x1d8 });
    expect(flags("-")).toMatchObject({ flags: 0 });
    expect(flags("U.")).toMatchObject({ flags: 0x30 });
  });

  test("everything that a line can have", () => {
    const { ip, ports, body } = packet(
      "0 < [ect0, ttl 64] 5001 > 80: P. 1:101(100) ack 7 win 257 urg 3 <mss 1460,nop,wscale 7,sackOK,TS val 5 ecr 6,sack 1:2 3:4,eol>",
    );
    expect(ip).toEqual({ ecn: "ect0", timeToLive: 64 });
    expect(ports).toEqual({ source: 5001, destination: 80 });
    expect(body).toMatchObject({ protocol: "tcp", start: 1, length: 100, ack: 7, window: 257, urgent: 3 });
    expect(body).toMatchObject({
      options: [
        { kind: "mss", value: 1460 },
        { kind: "nop" },
        { kind: "wscale", shift: 7 },
        { kind: "sackOK" },
        { kind: "TS", value: 5, echo: 6 },
        {
          kind: "sack",
          blocks: [
            { left: 1, right: 2 },
            { left: 3, right: 4 },
          ],
        },
        { kind: "eol" },
      ],
    });
  });

  test("Fast Open, AccECN, MD5 and raw options", () => {
    const { body } = parsed("0 < S 0:0(0) win 9 <FO COOKIE,FOEXP abcd,FO,ECN e1b 1 ceb 0 e0b 2,md5 00ff,254 0xf9890102>", {
      COOKIE: "0a0b",
    }).events[0].action as PacketAction;
    expect(body).toMatchObject({
      options: [
        { kind: "FO", experimental: false, cookie: Uint8Array.of(10, 11) },
        { kind: "FO", experimental: true, cookie: Uint8Array.of(0xab, 0xcd) },
        { kind: "FO", experimental: false, cookie: new Uint8Array(0) },
        { kind: "AccECN", counters: [{ name: "e1b", value: 1 }, { name: "ceb" }, { name: "e0b", value: 2 }] },
        { kind: "md5", digest: Uint8Array.of(0, 255) },
        { kind: "raw", number: 254, data: Uint8Array.of(0xf9, 0x89, 1, 2) },
      ],
    });
  });

  test("options that do not matter, UDP, ICMP, damage, tunnels", () => {
    expect(packet("0 > S 0:0(0) <...>").body).toMatchObject({ options: "any" });
    expect(packet("0 < udp (100)").body).toMatchObject({ protocol: "udp", length: 100 });
    expect(packet("0 < icmp unreachable frag_needed mtu 1200 [1:1001(1000)]").body).toMatchObject({
      type: "unreachable",
      code: "frag_needed",
      mtu: 1200,
      quoted: { protocol: "tcp", start: 1, length: 1000 },
    });
    expect(packet("0 < icmp unreachable [udp (10)]").body).toMatchObject({ quoted: { protocol: "udp", length: 10 } });
    expect(packet("0 < [bad_cksum_tcp] . 1:1(0) ack 1 win 1").ip.damage).toEqual({ transportChecksum: true });
    expect(packet("0 > ipv4 1.1.1.1 > 2.2.2.2: . 1:1(0) ack 1").unsupported).toContain("tunnels");
  });

  test("numbers that contradict each other are refused, at their place", () => {
    expect(parseScript("\n 0 < P. 1:100(100) ack 1 win 1")).toMatchObject({
      line: 2,
      message: expect.stringContaining("1:100 is not 100 octets"),
    });
    expect(parseScript("0 < S 0:0(0) win 1 <...>")).toBeInstanceOf(ScriptError);
    expect(parseScript("0 < S 0:0(0) win 70000")).toBeInstanceOf(ScriptError);
    expect(parseScript("0 < SQ 0:0(0) win 1")).toBeInstanceOf(ScriptError);
    expect(parseScript("0 > . 4294967295:1(2) ack 1")).not.toBeInstanceOf(ScriptError);
  });
});

describe("system calls", () => {
  const call = (line: string): unknown => parsed(line).events[0].action;

  test("results, errors, notes", () => {
    expect(call("0 accept(3, ..., ...) = 4")).toMatchObject({ name: "accept", result: { value: 4 }, errno: undefined });
    expect(call("0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now (really) in progress)")).toMatchObject({
      result: { value: -1 },
      errno: "EINPROGRESS",
    });
    expect(call("0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)")).toMatchObject({ result: { value: 2 } });
    expect(call("0 close(3) = ?")).toMatchObject({ result: undefined });
    expect(call('0 open("x", 010) = 0644')).toMatchObject({ result: { value: 0o644 }, operands: [{ value: "x" }, { value: 8 }] });
  });

  test("lists, structures, flags, functions, strings", () => {
    expect(call("0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1")).toMatchObject({
      operands: [
        { kind: "list", items: [{ kind: "struct", fields: [{ name: "fd" }, { name: "events", value: { kind: "or" } }, {}] }] },
        {},
        {},
      ],
    });
    expect(call('0 bind(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("1.2.3.4")}, ...) = 0')).toMatchObject({
      operands: [
        {},
        {
          fields: [{ name: "sa_family" }, { value: { kind: "function", name: "htons" } }, { value: { operands: [{ value: "1.2.3.4" }] } }],
        },
        {},
      ],
    });
    expect(call("0 sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 100}, {..., 5}], msg_flags=0}, 0) = 105")).toMatchObject({
      operands: [{}, { fields: [{ name: "msg_name" }, { name: "msg_iov", length: { value: 2 } }, {}] }, {}],
    });
    expect(call('0 write(4, "a\\x41\\n\\101" "b", 4) = 4')).toMatchObject({ operands: [{}, { value: "aA\nAb" }, {}] });
    expect(parsed("0 x(F) = 0", { F: "A|1" }).events[0].action).toMatchObject({ operands: [{ kind: "or" }] });
  });
});

describe("the rest of a script", () => {
  test("options, comments, commands over several lines, code", () => {
    const script = parsed(
      "--ip_version=ipv4 // here\n--tolerance_usecs=10000\n--strict_segments\n`one\n two` /* between\n */ 0 %{ assert 1 == 1 }%\n+0 `three`",
    );
    expect(script.options.map(({ name, value }) => [name, value])).toEqual([
      ["ip_version", "ipv4"],
      ["tolerance_usecs", "10000"],
      ["strict_segments", undefined],
    ]);
    expect(script.preparations.map(({ text }) => text)).toEqual(["one\n two"]);
    expect(script.events.map(({ line, action }) => [line, action.kind])).toEqual([
      [6, "code"],
      [7, "command"],
    ]);
  });

  test("sections for one personality; lines that begin with # are remarks", () => {
    const text =
      "#!/usr/bin/packetdrill\n#ifdef linux\n0 `a`\n#else\n0 `b`\n#endif\n#ifndef linux\n0 `c`\n#elif defined(ipv6)\n0 `d`\n#endif\n";
    const commands = (definitions: Record<string, string>): string[] =>
      parsed(text, definitions).events.map(({ action }) => (action.kind === "command" ? action.text : ""));
    expect(commands({ linux: "1" })).toEqual(["a"]);
    expect(commands({ linux: "1", ipv6: "1" })).toEqual(["a", "d"]);
    expect(commands({})).toEqual(["b", "c"]);
    const three = "#ifdef linux\n0 `a`\n#elif defined(freebsd)\n0 `b`\n#else\n0 `c`\n#endif\n";
    const chosen = (name: string): number | undefined => parsed(three, { [name]: "1" }).events[0]?.line;
    expect(["linux", "freebsd", "rfc"].map(chosen)).toEqual([2, 4, 6]);
    expect(parsed(three, { linux: "1", freebsd: "1" }).events).toHaveLength(1);
    expect(parseScript("#ifdef x\n0 `a`")).toMatchObject({ line: 1, message: expect.stringContaining("#endif") });
  });
});

describe("any text gives a script or an error with its place", () => {
  const words = fc.constantFrom(
    ...'0 +0 +.1 * ~ ... < > S. . P. 1:1(0) 0:0(0) ack win urg <mss 1460,nop> <...> [ect0] udp icmp ( ) [ ] { } = -1 EAGAIN socket(3) " ` %{ }% // /* */ # | , -- --mtu=1 sack TS val ecr \n #ifdef #endif'.split(
      " ",
    ),
    "\n",
    "/*",
  );

  test("scraps of the language", () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 60 }), (scraps) => {
        const script = parseScript(scraps.join(" "));
        if (script instanceof ScriptError) expect([script.line > 0, script.column > 0]).toEqual([true, true]);
        else expect(script.events).toBeInstanceOf(Array);
      }),
      { numRuns: 3000 },
    );
  });

  test("any characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(parseScript(text)).toBeDefined();
      }),
      { numRuns: 2000 },
    );
  });

  test("lists within lists, without end", () => {
    expect(parseScript(`0 f(${"[".repeat(100_000)}`)).toBeInstanceOf(ScriptError);
    expect(parseScript(`0 f(${"~".repeat(100_000)}1) = 0`)).toBeInstanceOf(ScriptError);
    expect(parseScript(`0 f(1) = 0 ${"(".repeat(100_000)}`)).toBeInstanceOf(ScriptError);
  });
});
