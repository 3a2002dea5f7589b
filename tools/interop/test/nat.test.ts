// Hosts of the kernel's behind our address translation, in front of another of the kernel's (RFC 3022, RFC 4787, RFC 5508).
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SocketCalls } from "../src/calls/calls.ts";
import { digestOf, pattern } from "../src/calls/digest.ts";
import type { StackSettings } from "../src/stack-host.ts";
import { MODES, type OurHost, PAIR } from "./harness/host-pair.ts";
import { NetworkNamespace } from "./harness/network-namespace.ts";
import { RemoteHost } from "./harness/remote-host.ts";
import { describeWith, testWith } from "./harness/requirements.ts";

const SEVERAL_WINDOWS = 3_000_000;
const NARROW = 1280;
const ECHO = 7;

const INNER = "192.168.7.2";
const OUR_INNER = "192.168.7.1";
const OUR_OUTER = "10.18.2.254";
const SERVER = "10.18.2.1";
/** Behind the server, by a narrow way. */
const FAR = "10.18.3.1";

describeWith([...PAIR, "ping"], "a router of ours that translates", () => {
  describe.each(MODES)("over %s", (mode) => {
    let networks: NetworkNamespace[] = [];
    let inside: NetworkNamespace;
    let outside: NetworkNamespace;
    let far: NetworkNamespace;
    let router: OurHost;

    beforeEach(async () => {
      const between = await NetworkNamespace.create();
      inside = await NetworkNamespace.create();
      outside = await NetworkNamespace.create();
      far = await NetworkNamespace.create();
      networks = [between, inside, outside, far];
      const settings: StackSettings = {
        interfaces: [
          { tun: { name: "lan", mode }, address: `${OUR_INNER}/24` },
          { tun: { name: "wan", mode }, address: `${OUR_OUTER}/24`, gateway: SERVER },
        ],
        forwarding: true,
        nat: { outside: "wan", forward: [{ port: 8007, to: `${INNER}:${ECHO}` }] },
        filter: { forward: ["accept state established,related", "accept in lan", `accept to ${INNER} port ${ECHO}`, "drop"] },
      };
      const program = between.node("stack-host", settings);
      await program.event("open");
      router = new RemoteHost(program);
      await connect(between, "lan", inside, INNER);
      await connect(between, "wan", outside, SERVER);
      await inside.ip(`route add default via ${OUR_INNER}`);
      // The outside knows nothing of the inner network: what is not translated is not answered.
      await NetworkNamespace.join(outside, far, { a: ["right", "10.18.3.254/24"], b: ["eth0", `${FAR}/24`] });
      await outside.setKernel("ipv4/ip_forward", 1);
      // Behind a translation all traces are one host's.
      await outside.setKernel("ipv4/icmp_ratelimit", 0);
      await outside.ip(`route change 10.18.3.0/24 dev right mtu lock ${NARROW}`);
      await far.ip("route add default via 10.18.3.254");
    });
    afterEach(async () => {
      const { code, stderr } = await router.end();
      for (const network of networks) await network.close();
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    });

    async function connect(from: NetworkNamespace, name: string, network: NetworkNamespace, address: string): Promise<void> {
      await from.giveInterface(name, network);
      await network.ip(`address add ${address}/24 dev ${name}`);
      await network.ip(`link set ${name} up`);
    }

    async function hostIn(network: NetworkNamespace): Promise<RemoteHost<SocketCalls>> {
      const program = network.node("kernel-host", {});
      await program.event("open");
      return new RemoteHost(program);
    }

    test("ping: small, and large in fragments", async () => {
      const { code, stdout } = await inside.run("ping", "-n", "-c", "2", "-A", "-W", "20", SERVER);
      expect(stdout).toMatch(/from 10\.18\.2\.1: icmp_seq=1 ttl=63/);
      expect(code).toBe(0);
      const large = await inside.run("ping", "-n", "-c", "1", "-W", "20", "-s", "20000", "-M", "dont", SERVER);
      expect(large.stdout).toContain("20008 bytes from 10.18.2.1");
    });

    test("TCP out: both ways and whole; the server sees only the router", async () => {
      const [client, server] = [await hostIn(inside), await hostIn(outside)];
      await server.call("serve", { service: "echo", port: ECHO });
      const to = { address: SERVER, port: ECHO };
      expect(await client.call("converse", { to, octets: SEVERAL_WINDOWS })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
      expect(await outside.ip("route get 192.168.7.2").catch(String)).toContain("unreachable");
    });

    test("TCP in, by a port that is forwarded; and from inside by the same address (RFC 4787 REQ-9)", async () => {
      const server = await hostIn(inside);
      await server.call("serve", { service: "echo", port: ECHO });
      const to = { address: OUR_OUTER, port: 8007 };
      for (const network of [outside, inside]) {
        const client = await hostIn(network);
        expect(await client.call("converse", { to, octets: 300_000 })).toEqual(digestOf(pattern(300_000)));
      }
    });

    test("UDP: one datagram, and fragments of one", async () => {
      const [client, server] = [await hostIn(inside), await hostIn(outside)];
      await server.call("serveUdpEcho", { port: ECHO });
      const to = { address: SERVER, port: ECHO };
      for (const octets of [100, 5000]) expect(await client.call("askUdp", { to, octets })).toEqual(digestOf(pattern(octets)));
    });

    test("the way's MTU is found through the translation (RFC 1191, RFC 5508 REQ-4)", async () => {
      const [client, server] = [await hostIn(inside), await hostIn(far)];
      await server.call("serve", { service: "echo", port: ECHO });
      const to = { address: FAR, port: ECHO };
      expect(await client.call("converse", { to, octets: SEVERAL_WINDOWS })).toEqual(digestOf(pattern(SEVERAL_WINDOWS)));
      expect(await inside.ip(`route get ${FAR}`)).toContain(`mtu ${NARROW}`);
    });

    testWith(["traceroute"], "traceroute sees every hop, by UDP, ICMP and TCP", async () => {
      const server = await hostIn(far);
      await server.call("serve", { service: "echo", port: ECHO });
      for (const kind of [["--udp"], ["--icmp"], ["--tcp", "-p", String(ECHO)]]) {
        const { stdout } = await inside.run("traceroute", "-n", ...kind, FAR);
        const hops = stdout.split("\n").slice(1, -1);
        expect(hops.map((line) => /^ *\d+ {2}(\S+)/.exec(line)?.[1])).toEqual([OUR_INNER, SERVER, FAR]);
      }
    });
  });
});
