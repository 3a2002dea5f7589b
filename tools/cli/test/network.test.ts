import type { Ipv4Address } from "@netstrata/core";
import { ip } from "@netstrata/core";
import { type SimulatedWorld, simulate, twoHostsTwoRouters } from "@netstrata/simnet";
import { describe, expect, test } from "vitest";
import { readFaultRates } from "../src/network/fault-rates.ts";
import { type PingOptions, ping } from "../src/network/pinger.ts";
import { traceRoute } from "../src/network/route-tracer.ts";
import { serveEcho, serveUdpEcho } from "../src/network/services.ts";
import { run } from "./test-io.ts";

const never = new AbortController().signal;

/** What is printed in a world of two hosts and two routers; the result of `program` behind it. */
async function printed(
  program: (world: SimulatedWorld, print: (line: string) => void, path: ReturnType<typeof twoHostsTwoRouters>) => Promise<unknown>,
  drop?: number,
): Promise<string[]> {
  const world = simulate({ seed: 3 });
  const path = twoHostsTwoRouters(world, { wire: { latency: 5 }, core: drop === undefined ? {} : { faults: { drop } } });
  const lines: string[] = [];
  // The hosts have announced their addresses before, so that all ARP is that of the program.
  await world.advance(1000);
  const result = await world.run(() => program(world, (line) => void lines.push(line), path));
  await world.close();
  return [...lines, String(result)];
}

function pingOptions(destination: string, changes: Partial<PingOptions> = {}): PingOptions {
  return {
    name: destination,
    destination: ip(destination) as Ipv4Address,
    count: 2,
    interval: 1000,
    timeout: 500,
    size: 56,
    timeToLive: undefined,
    ...changes,
  };
}

describe("ping", () => {
  test("prints what comes back, and sums up, as ping(8) does", async () => {
    expect(await printed((_, print, { client }) => ping(client, pingOptions("10.0.3.2"), print, never))).toEqual([
      "PING 10.0.3.2 (10.0.3.2) 56(84) bytes of data.",
      "64 bytes from 10.0.3.2: icmp_seq=1 ttl=62 time=60.000 ms",
      "64 bytes from 10.0.3.2: icmp_seq=2 ttl=62 time=30.000 ms",
      "",
      "--- 10.0.3.2 ping statistics ---",
      "2 packets transmitted, 2 received, 0% packet loss, time 1030ms",
      "rtt min/avg/max/mdev = 30.000/45.000/60.000/15.000 ms",
      "2",
    ]);
  });

  test("says what routers say, and that nothing came", async () => {
    const lines = await printed((_, print, { client }) => ping(client, pingOptions("10.0.3.2", { timeToLive: 2, count: 1 }), print, never));
    expect(lines.slice(1)).toEqual([
      "From 10.0.2.2 icmp_seq=1 Time to live exceeded",
      "",
      "--- 10.0.3.2 ping statistics ---",
      "1 packets transmitted, 0 received, +1 errors, 100% packet loss, time 500ms",
      "0",
    ]);
    expect((await printed((_, print, { client }) => ping(client, pingOptions("192.0.2.1", { count: 1 }), print, never)))[1]).toBe(
      "icmp_seq=1: network unreachable",
    );
  });

  test("ends with its summary when it is interrupted", async () => {
    const controller = new AbortController();
    const lines = await printed((world, print, { client }) => {
      const timer = world.clock.timer(() => controller.abort());
      timer.arm(2500);
      return ping(client, pingOptions("10.0.3.2", { count: Number.POSITIVE_INFINITY }), print, controller.signal);
    });
    expect(lines.at(-3)).toBe("3 packets transmitted, 3 received, 0% packet loss, time 2500ms");
  });
});

describe("traceroute", () => {
  const options = { name: "server", destination: ip("10.0.3.2") as Ipv4Address, mostHops: 10, probes: 3, timeout: 1000 };

  test("names the routers on the way", async () => {
    expect(await printed((_, print, { client }) => traceRoute(client, options, print, never))).toEqual([
      "traceroute to server (10.0.3.2), 10 hops max, 60 byte packets",
      " 1  10.0.1.2  20.000 ms  20.000 ms  20.000 ms",
      " 2  10.0.2.2  30.000 ms  30.000 ms  30.000 ms",
      " 3  10.0.3.2  40.000 ms  40.000 ms  40.000 ms",
      "true",
    ]);
  });

  test("stars where nobody answers, and an end when there are too many hops", async () => {
    const lines = await printed((_, print, { client }) => traceRoute(client, { ...options, mostHops: 3 }, print, never), 1);
    expect(lines.slice(2)).toEqual([" 2  * * *", " 3  * * *", "false"]);
  });

  test("marks those who say that there is no way", async () => {
    const lines = await printed((_, print, { client, routers: [left] }) => {
      client.addRoute({ to: "203.0.113.0/24", via: "10.0.1.2" });
      left.layers.internet.routes.remove((route) => route.prefix.length === 0);
      return traceRoute(client, { ...options, name: "x", destination: ip("203.0.113.1") as Ipv4Address }, print, never);
    });
    expect(lines[1]).toMatch(/^ 1 {2}10\.0\.1\.2 {2}[\d.]+ ms !N {2}[\d.]+ ms !N {2}[\d.]+ ms !N$/);
    expect(lines.at(-1)).toBe("false");
  });
});

test("echo, over TCP and UDP", async () => {
  const lines = await printed(async (_, print, { client, server }) => {
    const listener = serveEcho(server, 7, print);
    const datagrams = serveUdpEcho(server, 7, print);
    const socket = client.connect("server:7", { allowHalfOpen: true });
    await socket.write(Buffer.from("hello "));
    await socket.write(Buffer.from("again"));
    await socket.closeWrite();
    let heard = "";
    for await (const bytes of socket) heard += Buffer.from(bytes).toString();
    await socket.closed;
    const udp = client.udp();
    await udp.send(Buffer.from("datagram"), "server:7");
    heard += Buffer.from((await udp.receive()).data).toString();
    await udp.close();
    await listener.close();
    await datagrams.close();
    return heard;
  });
  expect(lines).toEqual([
    expect.stringMatching(/^echo: 10\.0\.1\.1:\d+ connected$/),
    expect.stringMatching(/^echo: .* closed: 11 octets received, 11 sent$/),
    "hello againdatagram",
  ]);
});

describe("options that say which network", () => {
  test.for([
    [["up", "--address", "10.9.0.2/24"], "over which network? give one of --tun NAME or --tap NAME"],
    [["ping", "10.9.0.1"], "over which network? give one of --tun NAME, --tap NAME or --raw"],
    [["ping", "10.9.0.1", "--raw", "--tun", "ns0"], "over which network? give one of --tun NAME, --tap NAME or --raw"],
    [["up", "--tun", "ns0"], "--address A/LEN is missing: which address shall our stack have?"],
    [["up", "--tun", "ns0", "--address", "10.9.0.2"], '--address: "10.9.0.2" is not an address with a prefix length such as 10.0.0.2/24'],
    [["up", "--tun", "ns0", "--address", "10.9.0.2/24", "--http", "0"], '--http: "0" is not a whole number from 1 to 65535'],
    [["connect", "10.9.0.1", "port", "--raw"], 'PORT: "port" is not a whole number from 1 to 65535'],
    [["ping", "2001:db8::1", "--raw"], "2001:db8::1: there is no IPv6 yet"],
  ] as const)("%j: %s", async ([argv, message]) => {
    expect(await run(argv)).toMatchObject({ code: 2, stdout: "", stderr: `netstrata: ${message}\n` });
  });

  test("faults are read as people write them", () => {
    expect(readFaultRates("drop=2%, reorder=0.05", "--faults")).toEqual({ drop: 0.02, reorder: 0.05 });
    for (const text of ["", "drop", "drop=2", "lose=2%", "drop=1%=2%"])
      expect(() => readFaultRates(text, "--faults")).toThrow(/^--faults: /);
  });
});
