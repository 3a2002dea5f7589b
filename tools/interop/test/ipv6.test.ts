// IPv6 between our stack and the kernel: echoes, fragments, neighbours, UDP and TCP each way round, autoconfiguration.
import { afterEach, describe, expect, test } from "vitest";
import { digestOf, pattern } from "../src/calls/digest.ts";
import { HostPair, INTERFACE, KERNEL_V6, type KernelHost, MODES, OURS_V6, PAIR } from "./harness/host-pair.ts";
import { describeWith } from "./harness/requirements.ts";
import { until } from "./harness/until.ts";

const ECHO = 7;
/** The largest payload of an ICMPv6 echo: 65,535 octets behind the IPv6 header. */
const LARGEST = 65527;

describeWith([...PAIR, "ping"], "IPv6", () => {
  let pair: HostPair;
  afterEach(() => pair.close());

  describe.each(MODES)("over %s", (mode) => {
    async function ping(...options: string[]): Promise<string> {
      const { code, stdout, stderr } = await pair.network.run("ping", "-6", "-n", "-c", "3", "-A", "-W", "20", ...options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    }

    test("RFC 4443 §4: the kernel pings us, and we the kernel", async () => {
      pair = await HostPair.open({ mode, ipv6: true });
      expect(await ping(OURS_V6)).toContain("3 packets transmitted, 3 received, 0% packet loss");
      expect(await pair.ours.call("ping", { to: KERNEL_V6 })).toEqual({ from: KERNEL_V6, octets: 56 });
    });

    test("RFC 8200 §4.5: the largest datagram there is, in fragments both ways", async () => {
      pair = await HostPair.open({ mode, ipv6: true });
      const output = await ping("-s", String(LARGEST - 20), OURS_V6);
      expect(output).toContain("3 received");
      expect(output).not.toContain("wrong data byte");
      expect(await pair.ours.call("ping", { to: KERNEL_V6, octets: 65_000 })).toEqual({ from: KERNEL_V6, octets: 65_000 });
      expect(await pair.ours.call("counters")).toMatchObject({ ip6: { ReasmOKs: 4, FragOKs: 4, ReasmFails: 0 } });
    });

    test("RFC 4443 §3.1, §3.4: a port and a protocol where nobody is", async () => {
      pair = await HostPair.open({ mode, ipv6: true });
      const ways: [KernelHost, string][] = [
        [pair.ours, KERNEL_V6],
        [pair.kernel, OURS_V6],
      ];
      for (const [client, address] of ways) {
        expect(await client.errorOf("askUdp", { to: { address, port: 9 }, octets: 100 })).toBe("ECONNREFUSED");
      }
    });

    test("UDP from 0 to 65,000 octets and TCP of 3 MB, each way round", async () => {
      pair = await HostPair.open({ mode, ipv6: true });
      const ways: [KernelHost, KernelHost, string][] = [
        [pair.ours, pair.kernel, KERNEL_V6],
        [pair.kernel, pair.ours, OURS_V6],
      ];
      for (const [client, server, address] of ways) {
        await server.call("serveUdpEcho", { port: ECHO });
        for (const octets of [0, 1, 1452, 1453, 65_000]) {
          expect(await client.call("askUdp", { to: { address, port: ECHO }, octets })).toEqual(digestOf(pattern(octets)));
        }
        await server.call("serve", { service: "echo", port: ECHO });
        expect(await client.call("converse", { to: { address, port: ECHO }, octets: 3_000_000 })).toEqual(digestOf(pattern(3_000_000)));
      }
    });
  });

  test("RFC 4861 §7: each side has the other in its neighbour cache, sure of it", async () => {
    pair = await HostPair.open({ mode: "tap", ipv6: true });
    expect(await pair.ours.call("ping", { to: KERNEL_V6 })).toMatchObject({ octets: 56 });
    expect(await pair.network.ip("-6 neighbour show")).toMatch(new RegExp(`${OURS_V6} dev ${INTERFACE} lladdr .* (REACHABLE|DELAY|STALE)`));
    expect((await pair.ours.call("addresses")).neighbours).toContain(KERNEL_V6);
  });

  test("RFC 4862 §5.4: the kernel keeps an address that we ask for, and does not take one that we have", async () => {
    pair = await HostPair.open({ mode: "tap", ipv6: true });
    await pair.network.ip(`-6 address add ${OURS_V6}/64 dev ${INTERFACE}`);
    await until(async () => (await pair.network.ip(`-6 address show dev ${INTERFACE}`)).includes("dadfailed"));
    expect((await pair.ours.call("addresses")).own).toContain(`${OURS_V6}/64`);
  });

  test("RFC 4862 §5.5: the kernel takes address and router from our advertisements, and reaches us by them", async () => {
    const ipv6 = { addresses: ["fd00:18::1/64"], options: { advertise: { interval: 4, lifetime: 60 } } };
    pair = await HostPair.open({ mode: "tap", ipv6, forwarding: true });
    await until(async () => (await pair.network.ip("-6 route show")).includes("default via fe80::"));
    expect(await pair.network.ip(`-6 address show dev ${INTERFACE} scope global`)).toMatch(/fd00:18::?.*dynamic/);
    const { code } = await pair.network.run("ping", "-6", "-c", "1", "-W", "20", "fd00:18::1");
    expect(code).toBe(0);
  });
});
