// TUN and TAP devices against the Linux kernel, with no stack of ours above them.
import { foldChecksum, sumBytes, updateChecksum } from "@netstrata/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NetworkNamespace } from "./harness/network-namespace.ts";
import type { ProgramEvent } from "./harness/program.ts";
import { describeWith } from "./harness/requirements.ts";

interface LinkStatistics {
  readonly ifname: string;
  readonly mtu: number;
  readonly link_type: string;
  readonly stats64: { readonly rx: { readonly packets: number; readonly bytes: number } };
}

const bytesOf = (event: ProgramEvent): Uint8Array => Uint8Array.from(Buffer.from(String(event.bytes), "hex"));

/** True for an IPv4 datagram without options that carries an echo request. */
function isEchoRequest(event: ProgramEvent): boolean {
  const bytes = bytesOf(event);
  return bytes[0] === 0x45 && bytes[9] === 1 && bytes[20] === 8;
}

/** The answer to an echo request: addresses swapped, the type changed, the checksum with it. */
function echoReply(request: Uint8Array): string {
  const reply = request.slice();
  reply.set(request.subarray(16, 20), 12);
  reply.set(request.subarray(12, 16), 16);
  reply[20] = 0;
  const checksum = updateChecksum((request[22] << 8) | request[23], 0x0800, 0x0000);
  reply.set([checksum >>> 8, checksum], 22);
  return Buffer.from(reply).toString("hex");
}

describeWith(["root", "namespaces", "/dev/net/tun", "ip"], "TUN and TAP devices and the kernel", () => {
  let network: NetworkNamespace;
  beforeEach(async () => {
    network = await NetworkNamespace.create();
  });
  afterEach(() => network.close());

  async function link(name: string): Promise<LinkStatistics> {
    return (JSON.parse(await network.ip(`-json -statistics link show dev ${name}`)) as LinkStatistics[])[0];
  }

  const isThere = async (name: string): Promise<boolean> => (await network.run("ip", "link", "show", "dev", name)).code === 0;

  describeWith(["ping"], "ping", () => {
    test("the kernel's echo request arrives, and our reply satisfies it", async () => {
      const probe = network.node("device-probe", { tun: { name: "ns0" }, kernel: { address: "10.18.0.1/24", up: true } });
      await probe.event("open");
      const ping = network.run("ping", "-c", "1", "-W", "20", "10.18.0.2");
      const request = bytesOf(await probe.event("packet", isEchoRequest));
      expect(request.length).toBe(84);
      expect(foldChecksum(sumBytes(request, 0, 20))).toBe(0);
      expect(foldChecksum(sumBytes(request, 20, 84))).toBe(0);
      probe.tell({ transmit: echoReply(request) });
      const { code, stdout } = await ping;
      expect(stdout).toContain("1 received");
      expect(code).toBe(0);
      probe.tell({ counters: true });
      expect(await probe.event("counters")).toMatchObject({ txPackets: 1, txBytes: 84, txErrors: 0, txDropped: 0 });
      expect((await link("ns0")).stats64.rx).toMatchObject({ packets: 1, bytes: 84 });
    });
  });

  test("the kernel sees the name, the kind and the MTU asked for", async () => {
    const tun = network.node("device-probe", { tun: { name: "ns0", mtu: 9000 } });
    const tap = network.node("device-probe", { tun: { name: "ns1", mode: "tap", mtu: 1280 } });
    expect(await tun.event("open")).toMatchObject({ name: "ns0", medium: "ip", mtu: 9000 });
    expect(await tap.event("open")).toMatchObject({ name: "ns1", medium: "ethernet", mtu: 1280 });
    expect(await link("ns0")).toMatchObject({ mtu: 9000, link_type: "none" });
    expect(await link("ns1")).toMatchObject({ mtu: 1280, link_type: "ether" });
  });

  test("a persistent interface is taken over with the MTU it has", async () => {
    await network.ip("tuntap add dev ns0 mode tun");
    await network.ip("link set ns0 mtu 1400");
    const probe = network.node("device-probe", { tun: { name: "ns0" } });
    expect(await probe.event("open")).toMatchObject({ mtu: 1400 });
    probe.end();
    await probe.ended;
    expect(await isThere("ns0")).toBe(true);
  });

  test("the kernel routes by the addresses we give its end", async () => {
    const probe = network.node("device-probe", { tun: { name: "ns0" }, kernel: { address: "10.18.0.1/20", up: true } });
    await probe.event("open");
    expect(await network.ip("route show")).toMatch(/^10\.18\.0\.0\/20 dev ns0 proto kernel scope link src 10\.18\.0\.1/);
  });

  test("closing takes the interface away, and nothing keeps the process alive", async () => {
    const probe = network.node("device-probe", { tun: { name: "ns0" }, kernel: { up: true } });
    await probe.event("open");
    probe.tell({ close: true });
    await probe.event("closed");
    expect(await isThere("ns0")).toBe(false);
    probe.end();
    expect((await probe.ended).code).toBe(0);
  });

  test("an unreferenced device does not keep the process alive", async () => {
    const probe = network.node("device-probe", { tun: { name: "ns0" }, kernel: { up: true }, unref: true });
    expect(await probe.ended).toMatchObject({ code: 0, stderr: "" });
    expect(await isThere("ns0")).toBe(false);
  });

  test("a killed process leaves no interface behind", async () => {
    const probe = network.node("device-probe", { tun: { name: "ns0" } });
    await probe.event("open");
    probe.kill();
    await probe.ended;
    expect(await isThere("ns0")).toBe(false);
  });

  test("an interface deleted under the device closes it, without an exception", async () => {
    const probe = network.node("device-probe", { tun: { name: "ns0" }, kernel: { up: true } });
    await probe.event("open");
    await network.ip("link delete ns0");
    let closed = false;
    while (!closed) {
      probe.tell({ counters: true });
      closed = (await probe.event("counters")).closed === true;
    }
    probe.tell({ transmit: "45".padEnd(40, "0") });
    probe.tell({ counters: true });
    expect(await probe.event("counters")).toMatchObject({
      txPackets: 0,
      txDropped: 1,
      failure: "ns0: EBADFD read: the interface was deleted",
    });
    probe.end();
    expect(await probe.ended).toMatchObject({ code: 0, stderr: "" });
  });

  describeWith(["setpriv"], "rights", () => {
    test("a process without rights is told in one line what it needs", async () => {
      const probe = network.nodeWithoutRights("device-probe", { tun: { name: "ns0" } });
      expect(await probe.event("error")).toMatchObject({
        code: "EPERM",
        message: "ns0: EPERM ioctl(TUNSETIFF): needs root or CAP_NET_ADMIN, or a persistent interface that this user owns",
      });
      expect(await probe.ended).toMatchObject({ code: 1, stderr: "" });
    });

    test("a process without rights opens the persistent interface that its user owns, but does not configure it", async () => {
      await network.ip("tuntap add dev ns0 mode tun user 0");
      expect(await network.nodeWithoutRights("device-probe", { tun: { name: "ns0" }, unref: true }).event("open")).toMatchObject({
        name: "ns0",
      });
      const configuring = network.nodeWithoutRights("device-probe", { tun: { name: "ns0" }, kernel: { up: true } });
      expect(await configuring.event("error")).toMatchObject({
        code: "EPERM",
        message: "ns0: EPERM ioctl(SIOCSIFFLAGS): needs root or CAP_NET_ADMIN",
      });
    });
  });
});
