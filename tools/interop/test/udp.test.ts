// UDP between our stack and the kernel, by both of our interfaces, each way round.
import { afterEach, describe, expect, test } from "vitest";
import { digestOf, pattern } from "../src/calls/digest.ts";
import { DIRECTIONS, HostPair, MODES, OURS, PAIR } from "./harness/host-pair.ts";
import { describeWith, testWith } from "./harness/requirements.ts";

const ECHO = 7;
/** Nothing, one octet, one frame to the brim, the least that needs two, and the most that Node sends. */
const SIZES = [0, 1, 1472, 1473, 65507];

describeWith(PAIR, "UDP", () => {
  let pair: HostPair;
  afterEach(() => pair.close());

  describe.each(MODES.flatMap((mode) => (["promises", "posix"] as const).map((api) => ({ mode, api }))))("over $mode, by $api", (way) => {
    describe.each(DIRECTIONS)("%s", (direction) => {
      test("an echo of every size: one datagram in fragments where it must be", async () => {
        pair = await HostPair.open(way);
        const { client, server, address } = pair.directions[direction];
        await server.call("serveUdpEcho", { port: ECHO });
        for (const octets of SIZES) {
          expect(await client.call("askUdp", { to: { address, port: ECHO }, octets })).toEqual(digestOf(pattern(octets)));
        }
      });

      test("nobody is there: ICMP says so, and a connected socket gets ECONNREFUSED", async () => {
        pair = await HostPair.open(way);
        const { client, address } = pair.directions[direction];
        expect(await client.errorOf("askUdp", { to: { address, port: 9 }, octets: 100 })).toBe("ECONNREFUSED");
      });
    });

    test("a router that refuses: EHOSTUNREACH", async () => {
      pair = await HostPair.open(way);
      await pair.setKernel("ipv4/ip_forward", 1);
      await pair.network.ip("route add unreachable 10.18.9.0/24");
      expect(await pair.ours.errorOf("askUdp", { to: { address: "10.18.9.1", port: ECHO }, octets: 10 })).toBe("EHOSTUNREACH");
    });
  });

  testWith(["python3"], "a broadcast of the kernel's reaches us, and our answer the one who sent it", async () => {
    pair = await HostPair.open({ mode: "tap" });
    await pair.ours.call("serveUdpEcho", { port: ECHO });
    const script = [
      "import socket",
      "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
      "s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)",
      "s.sendto(b'anybody?', ('10.18.0.255', 7))",
      "print(*s.recvfrom(100))",
    ];
    const { stdout } = await pair.network.run("python3", "-c", script.join("\n"));
    expect(stdout).toBe(`b'anybody?' ('${OURS}', 7)\n`);
  });
});
