// The commands that put a stack on a network: netstrata up, ping, traceroute, connect and listen, with the kernel as the peer.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf, pattern } from "../src/calls/digest.ts";
import { MODES, type Mode, PAIR } from "./harness/host-pair.ts";
import { NETSTRATA, NetworkNamespace } from "./harness/network-namespace.ts";
import type { Program } from "./harness/program.ts";
import { describeWith, testWith } from "./harness/requirements.ts";
import { TemporaryFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const OURS = "10.9.0.2";
const KERNEL = "10.9.0.1";
const PATIENCE = 300_000;
const HUNDRED_MEGABYTES = 100_000_000;

/** The options of every command here that needs a device. */
const deviceOptions = (mode: Mode): string[] => [`--${mode}`, "ns0", "--address", `${OURS}/24`, "--host-address", `${KERNEL}/24`];

describeWith([...PAIR, "curl", "ping", "nc"], "netstrata", () => {
  let network: NetworkNamespace;
  let folder: TemporaryFolder;
  beforeEach(async () => {
    network = await NetworkNamespace.create();
    folder = new TemporaryFolder();
  });
  afterEach(async () => {
    folder[Symbol.dispose]();
    await network.close();
  });

  async function shell(command: string): Promise<string> {
    const { code, stdout, stderr } = await network.run("sh", "-c", command);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  }

  /** Takes one connection, answers it and writes what comes to a file. */
  async function ncListening(where: NetworkNamespace, received: string): Promise<Program> {
    const nc = where.start("sh", "-c", `printf 'well received' | nc -n -v -N -l 9000 > ${received}`);
    await nc.errorLine((line) => line.startsWith("Listening"));
    return nc;
  }

  describe("up", () => {
    async function up(...options: string[]): Promise<Program> {
      const program = network.netstrata("up", "--http", "80", "--echo", "7", ...options);
      await program.errorLine((line) => line === "ready");
      return program;
    }

    /** Asks it to end, as a service manager would. */
    async function end(program: Program, device = "ns0"): Promise<void> {
      program.kill("SIGTERM");
      expect(await program.ended).toMatchObject({ code: 0, stdout: "", stderr: expect.stringMatching(/closed\n$/) as string });
      expect((await network.run("ip", "link", "show", "dev", device)).code).not.toBe(0);
    }

    test.each(MODES)("over %s it answers ping, curl and nc, and goes without a trace", async (mode) => {
      const program = await up(...deviceOptions(mode));
      expect(await shell(`ping -c 1 -W 20 ${OURS}`)).toContain("1 received");
      expect(await shell(`curl --silent --show-error --fail http://${OURS}/`)).toContain("carried by netstrata");
      expect(JSON.parse(await shell(`curl --silent http://${OURS}/info`))).toMatchObject({
        connection: { state: "ESTABLISHED", local: { address: OURS, port: 80 }, remote: { address: KERNEL } },
        tcp: { PassiveOpens: 2 },
      });
      expect(await shell(`printf hello | nc -N ${OURS} 7`)).toBe("hello");
      await end(program);
    });

    test("100 MB agree both ways, over a good network and a bad one", { timeout: PATIENCE }, async () => {
      const good = await up(...deviceOptions("tun"));
      const bad = await up(
        ...["--tap", "ns1", "--address", "10.9.1.2/24", "--host-address", "10.9.1.1/24"],
        ...["--faults", "drop=2%,reorder=2%", "--seed", "3"],
      );
      const file = folder.pathOf("100MB");
      await shell(`curl --silent --show-error --output ${file} http://${OURS}/bytes/${HUNDRED_MEGABYTES}`);
      expect(await shell(`stat --format %s ${file}`)).toBe(`${HUNDRED_MEGABYTES}\n`);
      const [sha256] = (await shell(`sha256sum ${file}`)).split(" ");
      expect(await shell(`curl --silent --show-error http://10.9.1.2/bytes/${HUNDRED_MEGABYTES} | sha256sum`)).toBe(`${sha256}  -\n`);
      for (const address of [OURS, "10.9.1.2"]) {
        expect(await shell(`curl --silent --show-error --upload-file ${file} http://${address}/sha256`)).toBe(`${sha256}\n`);
      }
      await end(bad, "ns1");
      await end(good);
    });

    testWith(["tshark"], "what it captures, tshark reads", async () => {
      const capture = folder.pathOf("capture.pcapng");
      const program = await up(...deviceOptions("tap"), "--capture", capture);
      await shell(`curl --silent http://${OURS}/`);
      await end(program);
      const { code, stdout } = await network.run(
        "tshark",
        "-r",
        capture,
        "-Y",
        "http",
        "-T",
        "fields",
        "-e",
        "ip.src",
        "-e",
        "http.response.code",
      );
      expect({ code, stdout }).toEqual({ code: 0, stdout: `${KERNEL}\t\n${OURS}\t200\n` });
    });

    testWith(["setpriv"], "without rights: one line and exit code 2", async () => {
      const { code, stdout, stderr } = await network.netstrataWithoutRights("up", ...deviceOptions("tun")).ended;
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^netstrata: ns0: EPERM .*needs root.*\n(closed\n)?$/);
    });

    test("an interface deleted under it ends it with exit code 2", async () => {
      const program = await up(...deviceOptions("tun"));
      await network.ip("link delete ns0");
      expect(await program.ended).toMatchObject({ code: 2, stderr: expect.stringContaining("netstrata: ns0") as string });
    });
  });

  describe.each(MODES)("over %s", (mode) => {
    test("ping: the kernel answers", async () => {
      const { code, stdout } = await network.netstrata("ping", KERNEL, ...deviceOptions(mode), "-c", "3", "-i", "10ms", "-s", "2000").ended;
      expect(stdout.match(/^2008 bytes from 10\.9\.0\.1: icmp_seq=\d ttl=64 time=[0-9.]+ ms$/gm)).toHaveLength(3);
      expect(stdout).toContain("3 packets transmitted, 3 received, 0% packet loss");
      expect(code).toBe(0);
    });

    const connectCommand = [...NETSTRATA, "connect", KERNEL, "9000", ...deviceOptions(mode)].join(" ");

    test("connect: standard input to the kernel's nc, and its answer to standard output", async () => {
      const content = pattern(1_000_000);
      const received = folder.pathOf("received");
      const nc = await ncListening(network, received);
      const { code, stdout } = await network.run("sh", "-c", `${connectCommand} < ${folder.write("content", content)}`);
      expect({ code, stdout }).toEqual({ code: 0, stdout: "well received" });
      await nc.ended;
      expect(await shell(`sha256sum < ${received}`)).toBe(`${digestOf(content).sha256}  -\n`);
    });

    test("connect: refused is one line and exit code 1", async () => {
      const { code, stdout, stderr } = await network.run("sh", "-c", `${connectCommand} < /dev/null`);
      expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: `netstrata: connect ECONNREFUSED ${KERNEL}:9000\n` });
    });

    test("connect: while nobody answers, a signal ends it in silence", async () => {
      const program = network.netstrata("connect", "10.9.0.77", "9000", ...deviceOptions(mode));
      await until(async () => (await network.run("ip", "link", "show", "dev", "ns0")).code === 0);
      program.kill("SIGTERM");
      expect(await program.ended).toEqual({ code: 1, stdout: "", stderr: "" });
    });

    test("listen: the kernel's nc to standard output, and standard input to it", async () => {
      const content = pattern(1_000_000);
      const received = folder.pathOf("received");
      const listening = [...NETSTRATA, "listen", "9000", ...deviceOptions(mode)].join(" ");
      const listener = network.start("sh", "-c", `printf 'well received' | ${listening} > ${received}`);
      await listener.errorLine((line) => line.endsWith("listening on port 9000"));
      expect(await shell(`nc -N ${OURS} 9000 < ${folder.write("content", content)}`)).toBe("well received");
      expect((await listener.ended).code).toBe(0);
      expect(await shell(`sha256sum < ${received}`)).toBe(`${digestOf(content).sha256}  -\n`);
    });

    test("traceroute: through the kernel to another network", async () => {
      const beyond = await NetworkNamespace.create();
      try {
        await NetworkNamespace.join(network, beyond, { a: ["eth0", "10.9.8.1/24"], b: ["eth0", "10.9.8.2/24"] });
        await beyond.ip("route add default via 10.9.8.1");
        await network.setKernel("ipv4/ip_forward", 1);
        const { code, stdout } = await network.netstrata("traceroute", "10.9.8.2", ...deviceOptions(mode), "-q", "2").ended;
        const hops = stdout.split("\n").slice(1, -1);
        expect(hops).toEqual([
          expect.stringMatching(/^ 1 {2}10\.9\.0\.1 {2}[0-9.]+ ms {2}[0-9.]+ ms$/),
          expect.stringMatching(/^ 2 {2}10\.9\.8\.2 {2}[0-9.]+ ms {2}[0-9.]+ ms$/),
        ]);
        expect(code).toBe(0);
      } finally {
        await beyond.close();
      }
    });
  });

  describe("through the host's raw sockets", () => {
    const PEER = "10.9.2.2";
    let others: NetworkNamespace[] = [];
    beforeEach(async () => {
      const [router, peer] = (others = [await NetworkNamespace.create(), await NetworkNamespace.create()]);
      await NetworkNamespace.join(network, router, { a: ["eth0", "10.9.1.1/24"], b: ["left", "10.9.1.254/24"] });
      await NetworkNamespace.join(router, peer, { a: ["right", "10.9.2.254/24"], b: ["eth0", `${PEER}/24`] });
      await router.setKernel("ipv4/ip_forward", 1);
      await network.ip("route add default via 10.9.1.254");
      await peer.ip("route add default via 10.9.2.254");
    });
    afterEach(async () => {
      for (const other of others.splice(0)) await other.close();
    });

    test("ping: the peer answers through the router", async () => {
      const { code, stdout } = await network.netstrata("ping", PEER, "--raw", "-c", "2", "-i", "10ms").ended;
      expect(stdout).toContain(`64 bytes from ${PEER}: icmp_seq=2 ttl=63`);
      expect(code).toBe(0);
    });

    test("ping: the router says that there is no such host; exit code 1", async () => {
      await others[0].ip("route add unreachable 10.9.9.0/24");
      const { code, stdout } = await network.netstrata("ping", "10.9.9.1", "--raw", "-c", "1", "-W", "50ms").ended;
      expect(stdout).toContain("From 10.9.1.254 icmp_seq=1 Destination Host Unreachable");
      expect(code).toBe(1);
    });

    test("traceroute: the router, then the peer", async () => {
      const { code, stdout } = await network.netstrata("traceroute", PEER, "--raw", "-q", "1").ended;
      expect(stdout).toMatch(/\n 1 {2}10\.9\.1\.254 {2}[0-9.]+ ms\n 2 {2}10\.9\.2\.2 {2}[0-9.]+ ms\n$/);
      expect(code).toBe(0);
    });

    describeWith(["nft", "ethtool"], "a connection that the kernel knows nothing of", () => {
      test("connect, with the kernel's RSTs filtered", async () => {
        await shell("nft add table ip filter");
        await shell("nft 'add chain ip filter output { type filter hook output priority 0; }'");
        await shell("nft add rule ip filter output tcp flags rst drop");
        // Otherwise the peer leaves its checksums to a network card, and there is none on the way to a raw socket.
        await others[1].run("ethtool", "-K", "eth0", "tx", "off");
        const content = pattern(1_000_000);
        const received = folder.pathOf("received");
        const nc = await ncListening(others[1], received);
        const command = [...NETSTRATA, "connect", PEER, "9000", "--raw"].join(" ");
        const { code, stdout } = await network.run("sh", "-c", `${command} < ${folder.write("content", content)}`);
        expect({ code, stdout }).toEqual({ code: 0, stdout: "well received" });
        await nc.ended;
        expect(await shell(`sha256sum < ${received}`)).toBe(`${digestOf(content).sha256}  -\n`);
      });
    });

    testWith(["setpriv"], "without rights: one line and exit code 2", async () => {
      expect(await network.netstrataWithoutRights("ping", PEER, "--raw", "-c", "1").ended).toMatchObject({
        code: 2,
        stdout: "",
        stderr: "netstrata: raw: EPERM socket: needs root or CAP_NET_RAW\n",
      });
    });
  });
});
