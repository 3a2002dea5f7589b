// Raw sockets of the host against the Linux kernel, with no stack of ours above them.
import { foldChecksum, type Ipv4Address, ip, PacketBuffer, sumBytes } from "@netstrata/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NetworkNamespace } from "./harness/network-namespace.ts";
import type { ProgramEvent } from "./harness/program.ts";
import { describeWith, testWith } from "./harness/requirements.ts";

const ICMP = 1;
const UDP = 17;
const HOST = "10.18.1.1";
const ROUTER = "10.18.1.2";
const PEER = "10.18.2.2";

const bytesOf = (event: ProgramEvent): PacketBuffer => PacketBuffer.wrap(Uint8Array.from(Buffer.from(String(event.bytes), "hex")));

/** A datagram from the host to the peer, in hexadecimal; header checksum and identification are left to the kernel. */
function datagram(protocol: number, timeToLive: number, payload: readonly number[]): string {
  const packet = PacketBuffer.allocate(0, 20 + payload.length);
  packet.setU16(0, 0x4500);
  packet.setU16(2, packet.length);
  packet.setU8(8, timeToLive);
  packet.setU8(9, protocol);
  packet.setU32(12, ip(HOST) as Ipv4Address);
  packet.setU32(16, ip(PEER) as Ipv4Address);
  packet.set(Uint8Array.from(payload), 20);
  return Buffer.from(packet.view()).toString("hex");
}

function echoRequest(identifier: number): readonly number[] {
  const message = [8, 0, 0, 0, identifier >>> 8, identifier & 0xff, 0, 1];
  const checksum = foldChecksum(sumBytes(Uint8Array.from(message), 0, message.length));
  return [...message.slice(0, 2), checksum >>> 8, checksum & 0xff, ...message.slice(4)];
}

/** From port 4242 to traceroute's first port, with no checksum. */
const PROBE = [0x10, 0x92, 0x82, 0x9b, 0, 8, 0, 0];

describeWith(["root", "namespaces", "ip"], "raw device and the kernel: a host, a router, a peer", () => {
  const networks: NetworkNamespace[] = [];
  let host: NetworkNamespace;
  beforeEach(async () => {
    const [first, router, peer] = [await NetworkNamespace.create(), await NetworkNamespace.create(), await NetworkNamespace.create()];
    networks.push(first, router, peer);
    host = first;
    await NetworkNamespace.join(host, router, { a: ["eth0", `${HOST}/24`], b: ["left", `${ROUTER}/24`] });
    await NetworkNamespace.join(router, peer, { a: ["right", "10.18.2.1/24"], b: ["eth0", `${PEER}/24`] });
    await router.setKernel("ipv4/ip_forward", 1);
    await host.ip(`route add default via ${ROUTER}`);
    await peer.ip("route add default via 10.18.2.1");
  });
  afterEach(async () => {
    for (const network of networks.splice(0)) await network.close();
  });

  test("ping: the peer answers through the router", async () => {
    const probe = host.node("device-probe", { raw: {} });
    expect(await probe.event("open")).toMatchObject({ medium: "ip", mtu: 1500 });
    probe.tell({ transmit: datagram(ICMP, 64, echoRequest(0x4e53)) });
    const reply = bytesOf(await probe.event("packet"));
    expect(reply.u32(12)).toBe(ip(PEER));
    expect(reply.u8(8)).toBe(63);
    expect(reply.u8(20)).toBe(0);
    expect(reply.u16(24)).toBe(0x4e53);
    probe.end();
    expect(await probe.ended).toMatchObject({ code: 0, stderr: "" });
  });

  test("traceroute: the router tells of a time to live exceeded, the peer of a port unreachable", async () => {
    const probe = host.node("device-probe", { raw: { interface: "eth0" } });
    await probe.event("open");
    probe.tell({ transmit: datagram(UDP, 1, PROBE) });
    const exceeded = bytesOf(await probe.event("packet"));
    expect(exceeded.u32(12)).toBe(ip(ROUTER));
    expect(exceeded.u16(20)).toBe(0x0b00);
    expect(exceeded.u16(28 + 22)).toBe(0x829b);
    probe.tell({ transmit: datagram(UDP, 2, PROBE) });
    const unreachable = bytesOf(await probe.event("packet"));
    expect(unreachable.u32(12)).toBe(ip(PEER));
    expect(unreachable.u16(20)).toBe(0x0303);
  });

  describeWith(["ping"], "the kernel's own answers", () => {
    test("whoever pings the host gets one answer, the kernel's", async () => {
      const probe = host.node("device-probe", { raw: {} });
      await probe.event("open");
      const { code, stdout } = await networks[2].run("ping", "-c", "2", "-i", "0.1", "-W", "20", HOST);
      expect(stdout).toContain("2 received");
      expect(stdout).not.toContain("duplicates");
      expect(code).toBe(0);
      probe.tell({ counters: true });
      expect(await probe.event("counters")).toMatchObject({ rxPackets: 0, rxDropped: 0 });
    });
  });

  testWith(["setpriv"], "a process without rights is told in one line what it needs", async () => {
    const probe = host.nodeWithoutRights("device-probe", { raw: {} });
    expect(await probe.event("error")).toMatchObject({ code: "EPERM", message: "raw: EPERM socket: needs root or CAP_NET_RAW" });
    expect(await probe.ended).toMatchObject({ code: 1, stderr: "" });
  });
});
