// Neighbour solicitations and advertisements (RFC 4861 §7), and duplicate addresses (RFC 4862 §5.4).
import { ip, type MacAddress, PacketBuffer } from "@netstrata/core";
import { describe, expect, test } from "vitest";
import { octets } from "../bench-host.ts";
import { bytesOf, datagramV6, fragmentHeader } from "../ipv6-bench.ts";
import {
  advertisement,
  DiscoveryBench,
  FLAGS,
  neighbourMessages,
  octetsOf,
  solicitation,
  sourceLinkAddress,
  targetLinkAddress,
} from "./discovery-bench.ts";

const PEER = ip("2001:db8::2");
const PEER_MAC = 0x020000000002 as MacAddress;

function sendTo(bench: DiscoveryBench, destination = "2001:db8::2"): void {
  const packet = PacketBuffer.allocate(bench.layer.headroom, 16);
  packet.set(octets(16));
  bench.layer.send(packet, { source: ip("2001:db8::1"), destination: ip(destination), protocol: 17 });
}

test("RFC 4861 §7.2.2: a datagram waits while its next hop is asked for, and goes when it has answered", () => {
  const bench = new DiscoveryBench();
  sendTo(bench);
  expect(neighbourMessages(bench.eth.takeFrames())).toEqual([
    { type: 135, flags: 0, target: "2001:db8::2", to: "ff02::1:ff00:2", from: "2001:db8::1", linkAddress: undefined },
  ]);
  bench.eth.deliver(advertisement(FLAGS.solicited | FLAGS.override));
  expect(bench.eth.takeFrames()).toMatchObject([{ payload: octets(16), linkAddress: PEER_MAC }]);
  expect(bench.discovery.cache.get(PEER)).toEqual({ state: "REACHABLE", linkAddress: PEER_MAC });
});

test("RFC 4861 §7.2.4: who asks for us is answered, and remembered as STALE", () => {
  const bench = new DiscoveryBench();
  bench.eth.deliver(solicitation(), "multicast");
  expect(neighbourMessages(bench.eth.takeFrames())).toEqual([
    {
      type: 136,
      flags: FLAGS.solicited + FLAGS.override,
      target: "2001:db8::1",
      to: "2001:db8::2",
      from: "2001:db8::1",
      linkAddress: PEER_MAC,
    },
  ]);
  // The answer was sent, which is why it is being watched (§7.3.3).
  expect(bench.discovery.cache.get(PEER)?.state).toBe("DELAY");
  bench.clock.advance(5000);
  expect(neighbourMessages(bench.eth.takeFrames())).toMatchObject([{ type: 135, to: "2001:db8::2", linkAddress: PEER_MAC }]);
});

test("RFC 4861 §7.2.4: who has no address yet is answered before all nodes", () => {
  const bench = new DiscoveryBench();
  bench.eth.deliver(solicitation("2001:db8::1", [], { source: "::" }), "multicast");
  expect(neighbourMessages(bench.eth.takeFrames())).toMatchObject([{ type: 136, flags: FLAGS.override, to: "ff02::1" }]);
});

describe("RFC 4861 §7.1: what is not believed", () => {
  test.each([
    ["hop limit 254: it has passed a router", solicitation(undefined, undefined, { timeToLive: 254 })],
    ["a target that is a group", solicitation("ff02::1")],
    ["an option of length 0", solicitation(undefined, [1, 0, 0, 0, 0, 0, 0, 0])],
    ["an option that leads out of it", solicitation(undefined, [1, 2, 0, 0, 0, 0, 0, 0])],
    ["a probe with a link address", solicitation(undefined, sourceLinkAddress(), { source: "::" })],
    ["a probe to all nodes", solicitation(undefined, [], { source: "::", destination: "ff02::1" })],
    ["an advertisement with hop limit 64", advertisement(FLAGS.override, undefined, undefined, { timeToLive: 64 })],
    ["a solicited advertisement to all", advertisement(FLAGS.solicited, undefined, undefined, { destination: "ff02::1" })],
    ["an advertisement of a group", advertisement(FLAGS.override, "ff02::5")],
  ])("%s", (_, packet) => {
    const bench = new DiscoveryBench();
    bench.eth.deliver(packet, "multicast");
    expect(bench.takeDrops()).toEqual(["not-credible"]);
    expect([bench.discovery.cache.size, bench.eth.takeFrames()]).toEqual([0, []]);
  });

  test("RFC 6980 §5: in fragments, even in one", () => {
    const bench = new DiscoveryBench();
    const whole = solicitation(undefined, undefined, { destination: "2001:db8::1" });
    const inFragment = bytesOf(fragmentHeader(58, 0, false), whole.view(40, whole.length - 40));
    bench.eth.deliver(datagramV6({ protocol: 44, timeToLive: 255 }, inFragment));
    expect(bench.takeDrops()).toEqual(["not-credible"]);
  });

  test("RFC 4861 §7.2.5: an advertisement that nobody asked for makes no entry, however many come", () => {
    const bench = new DiscoveryBench();
    for (let number = 0; number < 20_000; number += 1)
      bench.eth.deliver(advertisement(FLAGS.override, `2001:db8::${(number + 16).toString(16)}`));
    expect(bench.discovery.cache.size).toBe(0);
    expect(bench.discovery.drops.counters.unsolicited).toBe(20_000);
  });

  test("a flood of solicitations with forged senders stays within the table, and a neighbour we talk to stays in it", () => {
    const bench = new DiscoveryBench({ neighbours: { maxEntries: 64 } });
    sendTo(bench);
    bench.eth.deliver(advertisement(FLAGS.solicited | FLAGS.override));
    for (let number = 0; number < 5000; number += 1) {
      bench.eth.deliver(solicitation(undefined, undefined, { source: `2001:db8::${(number + 256).toString(16)}` }), "multicast");
      if (number % 500 === 0) bench.eth.takeFrames();
    }
    expect(bench.discovery.cache.size).toBeLessThanOrEqual(64);
    bench.eth.takeFrames();
    sendTo(bench);
    expect(bench.eth.takeFrames()).toMatchObject([{ payload: octets(16), linkAddress: PEER_MAC }]);
  });
});

describe("RFC 4861 §7.2.5, Appendix C: what an advertisement does to a neighbour that is known", () => {
  const OTHER_MAC = [2, 0, 0, 0, 0, 7];
  const known = (): DiscoveryBench => {
    const bench = new DiscoveryBench();
    sendTo(bench);
    bench.eth.deliver(advertisement(FLAGS.solicited | FLAGS.override));
    return bench;
  };

  test.each([
    ["another link address without override: in doubt, but kept", 0, OTHER_MAC, "STALE", PEER_MAC],
    ["another one with override: taken, and in doubt", FLAGS.override, OTHER_MAC, "STALE", 0x020000000007],
    ["another one with override and solicited: taken", FLAGS.override | FLAGS.solicited, OTHER_MAC, "REACHABLE", 0x020000000007],
    ["the same: nothing", FLAGS.override, [...[2, 0, 0, 0, 0, 2]], "REACHABLE", PEER_MAC],
  ])("%s", (_, flags, mac, state, linkAddress) => {
    const bench = known();
    bench.eth.deliver(advertisement(flags, undefined, targetLinkAddress(mac)));
    expect(bench.discovery.cache.get(PEER)).toEqual({ state, linkAddress });
  });

  test("while it is asked for, one without a link address says nothing; one not solicited makes it STALE", () => {
    const bench = new DiscoveryBench();
    sendTo(bench);
    bench.eth.deliver(advertisement(FLAGS.solicited, undefined, []));
    expect(bench.discovery.cache.get(PEER)?.state).toBe("INCOMPLETE");
    bench.eth.deliver(advertisement(0));
    expect(bench.discovery.cache.get(PEER)?.linkAddress).toBe(PEER_MAC);
  });
});

describe("RFC 4862 §5.4", () => {
  test("a new address is asked for from '::', and the link-local address is used only when nobody answers", () => {
    const bench = new DiscoveryBench();
    bench.layer.addAddress(bench.eth, { address: ip("2001:db8::5"), length: 64 });
    bench.clock.advance(1);
    expect(neighbourMessages(bench.eth.takeFrames())).toMatchObject([
      { type: 135, from: "::", target: "2001:db8::5", to: "ff02::1:ff00:5" },
    ]);
    expect(bench.discovery.isTentative(ip("2001:db8::5") as never)).toBe(true);
    bench.clock.advance(1000);
    expect(bench.discovery.isTentative(ip("2001:db8::5") as never)).toBe(false);
  });

  test.each([
    [
      "an advertisement of it",
      () => advertisement(FLAGS.override, "2001:db8::5", targetLinkAddress(), { source: "2001:db8::5", destination: "ff02::1" }),
    ],
  ])("%s takes it away", (_, packet) => {
    const bench = new DiscoveryBench();
    bench.layer.addAddress(bench.eth, { address: ip("2001:db8::5"), length: 64 });
    expect(bench.addresses).toContain("2001:db8::5");
    bench.eth.deliver(packet(), "multicast");
    expect(bench.addresses).not.toContain("2001:db8::5");
    expect(bench.takeDrops()).toEqual(["address-conflict"]);
  });

  test("RFC 7217 §6: a link-local address that is taken is made anew, three times at most", () => {
    const bench = new DiscoveryBench();
    const eth = bench.eth;
    const [first] = bench.addresses.filter((text) => text.startsWith("fe80"));
    bench.layer.removeInterface(eth);
    for (const { address } of eth.addresses) eth.removeAddress(address);
    bench.layer.addInterface(eth);
    bench.layer.enableIpv6(eth);
    const tried: string[] = [];
    for (let step = 0; step < 60; step += 1) {
      bench.clock.advance(100);
      for (const message of neighbourMessages(eth.takeFrames()) as { from: string; target: string }[]) {
        if (message.from !== "::") continue;
        tried.push(message.target);
        eth.deliver(
          advertisement(FLAGS.override, message.target, targetLinkAddress(), { source: "fe80::77", destination: "ff02::1" }),
          "multicast",
        );
      }
    }
    expect(tried[0]).toBe(first);
    expect(new Set(tried).size).toBe(4);
    expect(bench.addresses).toEqual([]);
    expect(octetsOf(tried[1]).slice(0, 8)).toEqual([0xfe, 0x80, 0, 0, 0, 0, 0, 0]);
  });

  test("with 0 probes nothing is asked", () => {
    const bench = new DiscoveryBench({ duplicateDetection: 0 });
    bench.layer.addAddress(bench.eth, { address: ip("2001:db8::5"), length: 64 });
    bench.clock.advance(3000);
    expect(neighbourMessages(bench.eth.takeFrames())).toEqual([]);
  });
});
