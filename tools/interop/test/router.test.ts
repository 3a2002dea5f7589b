// Our stack as the router between two networks of the kernel's (RFC 1812), and as a host behind a router of the kernel's (RFC 1191).
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SocketCalls } from "../src/calls/calls.ts";
import { digestOf, pattern } from "../src/calls/digest.ts";
import type { StackSettings } from "../src/stack-host.ts";
import { HostPair, MODES, type OurHost, PAIR } from "./harness/host-pair.ts";
import { NetworkNamespace } from "./harness/network-namespace.ts";
import { RemoteHost } from "./harness/remote-host.ts";
import { describeWith, testWith } from "./harness/requirements.ts";

const SEVERAL_WINDOWS = 3_000_000;
const NARROW = 1280;

const LEFT = "10.18.1.1";
const RIGHT = "10.18.2.1";
const OUR_LEFT = "10.18.1.254";
const OUR_RIGHT = "10.18.2.254";

const ECHO = 7;

describeWith([...PAIR, "ping"], "a router of ours between two networks", () => {
  describe.each(MODES)("over %s", (mode) => {
    let networks: NetworkNamespace[] = [];
    let left: NetworkNamespace;
    let right: NetworkNamespace;
    let router: OurHost;

    beforeEach(async () => {
      const between = await NetworkNamespace.create();
      left = await NetworkNamespace.create();
      right = await NetworkNamespace.create();
      networks = [between, left, right];
      const settings: StackSettings = {
        interfaces: [
          { tun: { name: "left", mode }, address: `${OUR_LEFT}/24` },
          { tun: { name: "right", mode }, address: `${OUR_RIGHT}/24`, mtu: NARROW },
        ],
        forwarding: true,
      };
      const program = between.node("stack-host", settings);
      await program.event("open");
      router = new RemoteHost(program);
      await connect(between, "left", left, LEFT, OUR_LEFT);
      await connect(between, "right", right, RIGHT, OUR_RIGHT);
    });
    afterEach(async () => {
      const { code, stderr } = await router.end();
      for (const network of networks) await network.close();
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    });

    /** Makes one of the router's devices the way out of a network. */
    async function connect(
      from: NetworkNamespace,
      name: string,
      network: NetworkNamespace,
      address: string,
      gateway: string,
    ): Promise<void> {
      await from.giveInterface(name, network);
      await network.ip(`address add ${address}/24 dev ${name}`);
      await network.ip(`link set ${name} up`);
      await network.ip(`route add default via ${gateway}`);
    }

    async function hostIn(network: NetworkNamespace): Promise<RemoteHost<SocketCalls>> {
      const program = network.node("kernel-host", {});
      await program.event("open");
      return new RemoteHost(program);
    }

    test("ping: one hop fewer to live", async () => {
      const { code, stdout } = await left.run("ping", "-n", "-c", "2", "-A", "-W", "20", RIGHT);
      expect(stdout).toMatch(/from 10\.18\.2\.1: icmp_seq=1 ttl=63/);
      expect(code).toBe(0);
      expect((await router.call("counters")).ip.ForwDatagrams).toBeGreaterThanOrEqual(4);
    });

    test("fragments pass, and are cut again where the way is narrow", async () => {
      const { stdout } = await left.run("ping", "-n", "-c", "1", "-W", "20", "-s", "20000", "-M", "dont", RIGHT);
      expect(stdout).toContain("20008 bytes from 10.18.2.1");
      expect((await router.call("counters")).ip.FragCreates).toBeGreaterThan(20);
    });

    test("what must not be cut: fragmentation needed, with the MTU (RFC 1191 §4)", async () => {
      const { code, stdout } = await left.run("ping", "-n", "-c", "1", "-W", "20", "-s", "1400", "-M", "do", RIGHT);
      expect(stdout).toContain(`From ${OUR_LEFT} icmp_seq=1 Frag needed and DF set (mtu = ${NARROW})`);
      expect(code).toBe(1);
    });

    test("no route: network unreachable; no host: host unreachable", async () => {
      const { stdout } = await left.run("ping", "-n", "-c", "1", "-W", "20", "10.99.0.1");
      expect(stdout).toContain(`From ${OUR_LEFT} icmp_seq=1 Destination Net Unreachable`);
      if (mode === "tun") return;
      const { stdout: other } = await left.run("ping", "-n", "-c", "1", "-W", "20", "10.18.2.77");
      expect(other).toContain(`From ${OUR_LEFT} icmp_seq=1 Destination Host Unreachable`);
    });

    testWith(["traceroute"], "traceroute sees us on the way, by UDP and by ICMP", async () => {
      for (const kind of ["--udp", "--icmp"]) {
        const { stdout } = await left.run("traceroute", "-n", kind, RIGHT);
        const hops = stdout.split("\n").slice(1, -1);
        expect(hops).toHaveLength(2);
        expect(hops[0]).toMatch(/^ 1 {2}10\.18\.1\.254 {2}[0-9.]+ ms/);
        expect(hops[1]).toMatch(/^ 2 {2}10\.18\.2\.1 {2}[0-9.]+ ms/);
      }
    });

    testWith(["tracepath"], "tracepath learns the path's MTU from us", async () => {
      const { stdout } = await left.run("tracepath", "-n", RIGHT);
      expect(stdout).toContain(`pmtu ${NARROW}`);
      expect(stdout).toMatch(new RegExp(`Resume: pmtu ${NARROW} hops 2`));
    });

    test("a connection of the kernel's adapts to the narrow way", async () => {
      const [client, server] = [await hostIn(left), await hostIn(right)];
      await server.call("serve", { service: "echo", port: ECHO });
      const to = { address: RIGHT, port: ECHO };
      expect(await client.call("converse", { to, octets: SEVERAL_WINDOWS })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
      expect(await left.ip(`route get ${RIGHT}`)).toContain(`mtu ${NARROW}`);
      expect((await router.call("counters")).ip.FragFails).toBeGreaterThan(0);
    });

    test("the router is a host as well, to both sides and by either address", async () => {
      await router.call("serve", { service: "echo", port: ECHO });
      for (const network of [left, right]) {
        const client = await hostIn(network);
        for (const address of [OUR_LEFT, OUR_RIGHT]) {
          expect(await client.call("converse", { to: { address, port: ECHO }, octets: 100_000 })).toEqual(digestOf(pattern(100_000)));
        }
      }
    });
  });
});

describeWith(PAIR, "a narrow way behind a router of the kernel's", () => {
  let pair: HostPair;
  let beyond: NetworkNamespace;
  beforeEach(async () => {
    pair = await HostPair.open({ mode: "tun" });
    beyond = await NetworkNamespace.create();
    await NetworkNamespace.join(pair.network, beyond, { a: ["right", "10.18.3.254/24"], b: ["eth0", "10.18.3.1/24"] });
    await pair.setKernel("ipv4/ip_forward", 1);
    // The far host knows nothing of it: its own interface has an MTU of 1500.
    await pair.network.ip(`route change 10.18.3.0/24 dev right mtu lock ${NARROW}`);
    await beyond.ip("route add default via 10.18.3.254");
  });
  afterEach(async () => {
    await beyond.close();
    await pair.close();
  });

  async function farHost(): Promise<RemoteHost<SocketCalls>> {
    const program = beyond.node("kernel-host", {});
    await program.event("open");
    return new RemoteHost(program);
  }

  test("our connection adapts to it (RFC 1191 §6)", async () => {
    const server = await farHost();
    await server.call("serve", { service: "echo", port: ECHO });
    expect(await pair.ours.call("route", { to: "10.18.3.1" })).toEqual({ maxSendSize: 1480 });
    const to = { address: "10.18.3.1", port: ECHO };
    expect(await pair.ours.call("converse", { to, octets: SEVERAL_WINDOWS })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
    expect(await pair.ours.call("route", { to: "10.18.3.1" })).toEqual({ maxSendSize: NARROW - 20 });
  });

  test("our datagrams are cut on the way, or by ourselves", async () => {
    const server = await farHost();
    await server.call("serveUdpEcho", { port: ECHO });
    const to = { address: "10.18.3.1", port: ECHO };
    for (const octets of [1472, 5000]) expect(await pair.ours.call("askUdp", { to, octets })).toEqual(digestOf(pattern(octets)));
    expect(await pair.ours.call("ping", { to: to.address, octets: 1400, dontFragment: true })).toEqual({
      from: "10.18.0.1",
      error: "packet-too-big",
    });
    for (const octets of [1472, 5000]) expect(await pair.ours.call("askUdp", { to, octets })).toEqual(digestOf(pattern(octets)));
  });

  test("we see who is on the way by a time to live of one", async () => {
    expect(await pair.ours.call("ping", { to: "10.18.3.1", timeToLive: 1 })).toEqual({ from: "10.18.0.1", error: "time-exceeded" });
    expect(await pair.ours.call("ping", { to: "10.18.3.1", timeToLive: 2 })).toMatchObject({ from: "10.18.3.1" });
  });
});

describeWith(PAIR, "two of our stacks, and a router of the kernel's between them", () => {
  let network: NetworkNamespace;
  beforeEach(async () => {
    network = await NetworkNamespace.create();
    await network.setKernel("ipv4/ip_forward", 1);
  });
  afterEach(() => network.close());

  async function stackBehind(name: string, kernel: string, address: string, api: "promises" | "posix"): Promise<OurHost> {
    const device = {
      tun: { name, mode: "tun" as const },
      kernel: { address: `${kernel}/24`, up: true },
      address: `${address}/24`,
      gateway: kernel,
    };
    const program = network.node("stack-host", { api, interfaces: [device] } satisfies StackSettings);
    await program.event("open");
    return new RemoteHost(program);
  }

  test.each(["promises", "posix"] as const)("by %s: each holds its end, and gets what the other sends", async (api) => {
    const client = await stackBehind("left", OUR_LEFT, LEFT, api);
    const server = await stackBehind("right", OUR_RIGHT, RIGHT, api);
    await server.call("serve", { service: "echo", port: ECHO });
    await server.call("serveUdpEcho", { port: ECHO });
    const to = { address: RIGHT, port: ECHO };
    expect(await client.call("converse", { to, octets: SEVERAL_WINDOWS })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
    expect(await client.call("askUdp", { to, octets: 5000 })).toEqual(digestOf(pattern(5000)));
    for (const host of [client, server]) expect(await host.end()).toMatchObject({ code: 0, stderr: "" });
  });
});
