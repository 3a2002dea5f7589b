// TCP connections between our stack and the kernel, by both of our interfaces, each way round.
import { afterEach, describe, expect, test } from "vitest";
import { digestOf, pattern } from "../src/calls/digest.ts";
import { DIRECTIONS, type Direction, HostPair, KERNEL, type KernelHost, OURS, PAIR, type PairSettings } from "./harness/host-pair.ts";
import { describeWith, testWith } from "./harness/requirements.ts";
import { TemporaryFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const ECHO = 7;
const SEVERAL_WINDOWS = 3_000_000;
/** More than both ends' buffers hold together. */
const MORE_THAN_BUFFERS = 16_000_000;

const WAYS: readonly Pick<PairSettings, "mode" | "api">[] = [
  { mode: "tun", api: "promises" },
  { mode: "tap", api: "promises" },
  { mode: "tun", api: "posix" },
];

describeWith(PAIR, "TCP", () => {
  let pair: HostPair;
  afterEach(() => pair.close());

  interface Ends {
    readonly client: KernelHost;
    readonly server: KernelHost;
    readonly to: { readonly address: string; readonly port: number };
  }

  async function open(settings: PairSettings, direction: Direction, port = ECHO): Promise<Ends> {
    pair = await HostPair.open(settings);
    const { client, server, address } = pair.directions[direction];
    return { client, server, to: { address, port } };
  }

  /** A counter of the kernel's, in this network alone. */
  async function kernelCounter(name: string): Promise<number> {
    const { stdout } = await pair.network.run("cat", "/proc/net/netstat", "/proc/net/snmp");
    const lines = stdout.split("\n");
    const names = lines.findIndex((line) => line.split(" ").includes(name));
    return Number(lines[names + 1].split(" ")[lines[names].split(" ").indexOf(name)]);
  }

  describe.each(WAYS)("over $mode, by $api", (way) => {
    describe.each(DIRECTIONS)("%s", (direction) => {
      test("an echo of several windows, with a half-closed end", async () => {
        const { client, server, to } = await open(way, direction);
        await server.call("serve", { service: "echo", port: ECHO });
        expect(await client.call("converse", { to, octets: SEVERAL_WINDOWS })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
        expect(await server.event("served")).toMatchObject({ octets: SEVERAL_WINDOWS });
      });

      test("nobody listens: ECONNREFUSED", async () => {
        const { client, to } = await open(way, direction);
        expect(await client.errorOf("connect", { to })).toBe("ECONNREFUSED");
      });

      test("the server ends first, and still hears the client", async () => {
        const { client, server, to } = await open(way, direction);
        using folder = new TemporaryFolder();
        const path = folder.write("file", pattern(SEVERAL_WINDOWS));
        await server.call("serve", { service: "file", port: ECHO, path });
        expect(await client.call("converse", { to, octets: 1000 })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
        expect(await server.event("served")).toMatchObject({ octets: 1000 });
      });

      test("the server resets: the client reads ECONNRESET", async () => {
        const { client, server, to } = await open(way, direction);
        await server.call("serve", { service: "reset", port: ECHO });
        expect(await client.errorOf("converse", { to, octets: 10 })).toBe("ECONNRESET");
      });

      test("the client resets: the server reads ECONNRESET", async () => {
        const { client, server, to } = await open(way, direction);
        await server.call("serve", { service: "echo", port: ECHO });
        await client.call("converseAndReset", { to });
        expect(await server.event("broken")).toMatchObject({ service: "echo", code: "ECONNRESET" });
      });

      test("a server that does not read closes the window; probes keep asking, and the stream goes on where it stopped", async () => {
        const { client, server, to } = await open({ ...way, tcp: { rtoMinimum: 200 } }, direction);
        await server.call("serve", { service: "hold", port: ECHO });
        using folder = new TemporaryFolder();
        const content = pattern(MORE_THAN_BUFFERS);
        const sending = client.call("sendFile", { to, path: folder.write("file", content) });
        await server.event("holding");
        const isOurs = client === pair.ours;
        await until(async () => (isOurs ? (await pair.ours.call("counters")).tcp.TCPWinProbe : await kernelCounter("TCPWinProbe")) >= 2);
        await server.call("releaseHeld");
        expect(await server.event("served")).toMatchObject(digestOf(content));
        expect(await sending).toEqual(digestOf(Buffer.from(`${content.length}\n`)));
      });
    });

    test("both connect and both close, with crossing SYNs and FINs", async () => {
      pair = await HostPair.open({ ...way, faults: { seed: 1, in: SLOW, out: SLOW } });
      const octets = 1000;
      const answers = await Promise.all([
        pair.ours.call("converse", { to: { address: KERNEL, port: 2000 }, localPort: 1000, octets }),
        pair.kernel.call("converse", { to: { address: OURS, port: 1000 }, localPort: 2000, octets }),
      ]);
      expect(answers).toEqual([digestOf(pattern(octets)), digestOf(pattern(octets))]);
      expect((await pair.ours.call("counters")).tcp).toMatchObject({ ActiveOpens: 1, PassiveOpens: 0, OutRsts: 0, AttemptFails: 0 });
      expect(await kernelCounter("PassiveOpens")).toBe(0);
    });

    test("no neighbour and no route: EHOSTUNREACH", async () => {
      pair = await HostPair.open(way);
      const { network, ours } = pair;
      await pair.setKernel("ipv4/ip_forward", 1);
      await network.ip("route add unreachable 10.18.9.0/24");
      await network.ip("route add prohibit 10.18.8.0/24");
      expect(await ours.errorOf("connect", { to: { address: "10.18.9.1", port: 80 } })).toBe("EHOSTUNREACH");
      expect(await ours.errorOf("connect", { to: { address: "10.18.8.1", port: 80 } })).toBe("EHOSTUNREACH");
      if (way.mode === "tap") expect(await ours.errorOf("connect", { to: { address: "10.18.0.77", port: 80 } })).toBe("EHOSTUNREACH");
    });
  });

  /** Far longer than it takes two processes that were told at the same time to begin. */
  const SLOW = { delay: 1, delayTime: [300, 300] } as const;

  describe("a kernel with other settings", () => {
    const SETTINGS = ["tcp_timestamps=0", "tcp_sack=0", "tcp_window_scaling=0", "tcp_ecn=1", "tcp_syncookies=2", "tcp_wmem=4096 4096 4096"];

    describe.each(SETTINGS)("%s", (setting) => {
      test.each(DIRECTIONS)("%s", async (direction) => {
        const { client, server, to } = await open({ mode: "tun" }, direction);
        const [name, value] = setting.split("=");
        await pair.setKernel(`ipv4/${name}`, value);
        await server.call("serve", { service: "echo", port: ECHO });
        expect(await client.call("converse", { to, octets: SEVERAL_WINDOWS })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
      });
    });
  });

  describe("RFC 7323: timestamps with the kernel", () => {
    const CASES: readonly (readonly [timestamps: boolean, direction: Direction])[] = [true, false].flatMap((timestamps) =>
      DIRECTIONS.map((direction) => [timestamps, direction] as const),
    );

    test.each(CASES)("timestamps: %s, %s", async (timestamps, direction) => {
      const { client, server, to } = await open({ mode: "tun", tcp: { timestamps } }, direction);
      await server.call("serve", { service: "hold", port: ECHO });
      const conversation = client.call("converse", { to, octets: 10 });
      await server.event("holding");
      // What the kernel says of the connection: "ts" is one of the words, and its segments are smaller by the option.
      const { stdout } = await pair.network.run("ss", "-tionH");
      expect(/\bts\b/.test(stdout), stdout).toBe(timestamps);
      expect(stdout).toContain(timestamps ? "mss:1448" : "mss:1460");
      await server.call("releaseHeld");
      expect(await conversation).toEqual(digestOf(Buffer.from("10\n")));
      // Nothing that went either way was taken for an old duplicate.
      expect(await kernelCounter("PAWSEstab")).toBe(0);
      expect((await pair.ours.call("counters")).tcp).toMatchObject({ PAWSEstab: 0, PAWSActive: 0 });
    });
  });

  test("the kernel answers our keep-alive probes", async () => {
    const { client, server, to } = await open(
      { mode: "tun", tcp: { keepAlive: true, keepAliveIdle: 20, keepAliveInterval: 20 } },
      "the kernel's client, our server",
    );
    // The kernel would answer two a second, whoever asks more often.
    await pair.setKernel("ipv4/tcp_invalid_ratelimit", 0);
    await server.call("serve", { service: "hold", port: ECHO });
    const conversation = client.call("converse", { to, octets: 10 });
    await server.event("holding");
    await until(async () => (await pair.ours.call("counters")).tcp.TCPKeepAlive >= 20);
    await server.call("releaseHeld");
    expect(await conversation).toEqual(digestOf(Buffer.from("10\n")));
  });

  test.each(DIRECTIONS)(
    "%s: who comes again from the same port is served, though the server is in TIME-WAIT (MAY-2)",
    async (direction) => {
      const { client, server, to } = await open({ mode: "tun" }, direction);
      using folder = new TemporaryFolder();
      await server.call("serve", { service: "file", port: ECHO, path: folder.write("file", pattern(1000)) });
      for (let count = 1; count <= 5; count += 1) {
        expect(await client.call("receive", { to, localPort: 4000 })).toEqual(digestOf(pattern(1000)));
        // Told when both streams have ended, the server's first.
        await server.event("served");
        if (server === pair.ours) {
          expect(await pair.ours.call("counters")).toMatchObject({ connections: 1, tcp: { PassiveOpens: count } });
        }
      }
      expect((await pair.ours.call("counters")).tcp.TCPTimeouts).toBe(0);
    },
  );

  testWith(["nc"], "nc ends its stream and gets the rest of ours", async () => {
    pair = await HostPair.open({ mode: "tun" });
    await pair.ours.call("serve", { service: "collect", port: 9 });
    const { stdout } = await pair.network.run("sh", "-c", `printf hello | nc -N ${OURS} 9`);
    expect(stdout).toBe("5\n");
  });
});
