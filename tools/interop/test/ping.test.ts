// Echo between our stack and the kernel (RFC 792, RFC 1122 §3.2.2.6).
import { afterEach, describe, expect, test } from "vitest";
import { HostPair, KERNEL, MODES, OURS, PAIR } from "./harness/host-pair.ts";
import { describeWith } from "./harness/requirements.ts";

/** The largest payload of an IPv4 datagram with an ICMP header. */
const LARGEST = 65507;

describeWith([...PAIR, "ping"], "ping", () => {
  describe.each(MODES)("over %s", (mode) => {
    let pair: HostPair;
    afterEach(() => pair.close());

    /** Three requests, each when the one before has been answered. */
    async function ping(...options: string[]): Promise<string> {
      const { code, stdout, stderr } = await pair.network.run("ping", "-n", "-c", "3", "-A", "-W", "20", ...options, OURS);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    }

    test("the kernel pings us", async () => {
      pair = await HostPair.open({ mode });
      expect(await ping()).toContain("3 packets transmitted, 3 received, 0% packet loss");
    });

    test("the kernel pings us with the largest datagram there is: fragments both ways", async () => {
      pair = await HostPair.open({ mode });
      const output = await ping("-s", String(LARGEST));
      expect(output).toContain("3 received");
      expect(output).toContain(`${LARGEST + 8} bytes from ${OURS}`);
      // ping compares what comes back, and says where it differs.
      expect(output).not.toContain("wrong data byte");
      expect(await pair.ours.call("counters")).toMatchObject({ ip: { ReasmOKs: 3, FragOKs: 3, ReasmFails: 0 } });
    });

    test("the kernel pings us with Record Route: we enter our address", async () => {
      pair = await HostPair.open({ mode });
      expect(await ping("-R")).toMatch(/RR:\s+10\.18\.0\.1\s+10\.18\.0\.2/);
    });

    test("we ping the kernel", async () => {
      pair = await HostPair.open({ mode });
      expect(await pair.ours.call("ping", { to: KERNEL })).toEqual({ from: KERNEL, octets: 56 });
    });

    test("we ping the kernel with the largest datagram there is", async () => {
      pair = await HostPair.open({ mode });
      expect(await pair.ours.call("ping", { to: KERNEL, octets: LARGEST })).toEqual({ from: KERNEL, octets: LARGEST });
      expect(await pair.ours.call("counters")).toMatchObject({ ip: { FragCreates: 45, ReasmReqds: 45, ReasmOKs: 1 } });
    });

    test("at an MTU of 68, the smallest there is (RFC 791 §3.1)", async () => {
      pair = await HostPair.open({ mode, mtu: 68 });
      expect(await ping("-s", "500")).toContain("3 received");
      expect(await pair.ours.call("ping", { to: KERNEL, octets: 2000 })).toEqual({ from: KERNEL, octets: 2000 });
    });
  });
});
