import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { foldChecksum, type Ipv4Address, ip, PacketBuffer, sumBytes } from "@netstrata/core";
import { ETHERTYPE_ARP, readEthernet } from "@netstrata/link";
import { afterEach, expect, test } from "vitest";
import { openTun, type TunDevice, TunError, type TunOptions } from "../src/index.ts";
import { kernelMtu } from "../src/kernel-interface.ts";
import { READ_BATCH } from "../src/tun-device.ts";
import { describeInPrivateNetwork } from "./private-network.ts";

const KERNEL = "198.18.0.1";
const OURS = "198.18.0.2";

const opened: TunDevice[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const device of opened.splice(0)) device.close();
  for (const socket of sockets.splice(0)) socket.close();
});

function open(options: TunOptions = {}): TunDevice {
  const device = openTun(options);
  opened.push(device);
  return device;
}

/** A device whose kernel end is up and has an address. */
function openUp(options: TunOptions = {}): TunDevice {
  const device = open(options);
  device.configureKernel({ address: `${KERNEL}/24`, up: true });
  return device;
}

async function kernelSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.bind(0, KERNEL);
  await once(socket, "listening");
  return socket;
}

/** Collects the UDP payloads that reach the device over IPv4, and passes over what else a kernel sends on a new interface. */
function collect(device: TunDevice, enough: number): Promise<string[]> {
  const payloads: string[] = [];
  return new Promise((resolve) => {
    device.attach({
      receive(packet) {
        if (packet.u8(0) !== 0x45 || packet.u8(9) !== 17) return;
        payloads.push(new TextDecoder().decode(packet.view(28)));
        if (payloads.length === enough) resolve(payloads);
      },
    });
  });
}

function udpDatagram(text: string, port: number, length = 28 + text.length): PacketBuffer {
  const packet = PacketBuffer.allocate(0, length);
  packet.setU16(0, 0x4500);
  packet.setU16(2, length);
  packet.setU16(8, 0x4011);
  packet.setU32(12, ip(OURS) as Ipv4Address);
  packet.setU32(16, ip(KERNEL) as Ipv4Address);
  packet.setU16(10, foldChecksum(sumBytes(packet.bytes, packet.start, packet.start + 20)));
  packet.setU16(20, 4242);
  packet.setU16(22, port);
  packet.setU16(24, length - 20);
  packet.set(new TextEncoder().encode(text), 28);
  return packet;
}

/** The kernel's own list of interfaces, in the namespace of this process. */
function kernelInterfaces(): string[] {
  return [...readFileSync("/proc/net/dev", "utf8").matchAll(/^\s*([^\s:]+):/gm)].map((match) => match[1]);
}

function errorOf(action: () => unknown): TunError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(TunError);
    return error as TunError;
  }
  throw new Error("nothing was thrown");
}

describeInPrivateNetwork("TUN and TAP devices", () => {
  test("the interface has the name asked for, or the first free one", () => {
    expect(open({ name: "nstest" }).name).toBe("nstest");
    expect(open({ name: "nst%d" }).name).toBe("nst0");
    expect(open({ name: "nst%d" }).name).toBe("nst1");
    expect(open().name).toBe("tun0");
    expect(open({ mode: "tap" }).name).toBe("tap0");
    expect(kernelInterfaces()).toEqual(expect.arrayContaining(["nstest", "nst0", "nst1", "tun0", "tap0"]));
  });

  test("a TUN device carries IP, a TAP device Ethernet", () => {
    expect(open({ mode: "tun" }).medium).toBe("ip");
    expect(open({ mode: "tap" }).medium).toBe("ethernet");
  });

  test("the MTU is the kernel's, or is set there", () => {
    expect(open().mtu).toBe(1500);
    const device = open({ mtu: 9000 });
    expect(device.mtu).toBe(9000);
    expect(kernelMtu(device.name)).toBe(9000);
  });

  test("the kernel's end gets addresses of both families and goes up", () => {
    const device = openUp();
    device.configureKernel({ address: "fd00:18::1/64" });
    const addresses = networkInterfaces()[device.name]?.map(({ cidr }) => cidr);
    expect(addresses).toEqual(expect.arrayContaining(["198.18.0.1/24", "fd00:18::1/64"]));
    device.configureKernel({ up: false });
    expect(networkInterfaces()[device.name]).toBeUndefined();
  });

  test("what the kernel sends arrives whole", async () => {
    const arrived = collect(openUp(), 1);
    (await kernelSocket()).send("from the kernel", 7, OURS);
    expect(await arrived).toEqual(["from the kernel"]);
  });

  test("what is transmitted reaches the kernel, and is counted", async () => {
    const device = openUp();
    const socket = await kernelSocket();
    device.transmit(udpDatagram("to the kernel", socket.address().port));
    const [message, from] = await once(socket, "message");
    expect(String(message)).toBe("to the kernel");
    expect(from.address).toBe(OURS);
    expect(device.counters).toMatchObject({ txPackets: 1, txBytes: 41, txErrors: 0, txDropped: 0 });
  });

  test("a burst longer than a batch arrives whole and in order", async () => {
    const device = openUp();
    const socket = await kernelSocket();
    const texts = Array.from({ length: 4 * READ_BATCH }, (_, index) => `datagram ${index}`);
    const arrived = collect(device, texts.length);
    for (const text of texts) socket.send(text, 7, OURS);
    expect(await arrived).toEqual(texts);
  });

  test("no batch is longer than its limit, so that the event loop breathes", async () => {
    const device = openUp();
    const socket = await kernelSocket();
    let batch = 0;
    let longest = 0;
    let seen = 0;
    const arrived = new Promise<void>((resolve) => {
      device.attach({
        receive() {
          batch += 1;
          // Microtasks run when the wake-up that delivered the batch is over.
          if (batch === 1) queueMicrotask(() => (batch = 0));
          longest = Math.max(longest, batch);
          if ((seen += 1) === 3 * READ_BATCH) resolve();
        },
      });
    });
    for (let count = 0; count < 4 * READ_BATCH; count += 1) socket.send("x", 7, OURS);
    await arrived;
    expect(longest).toBeLessThanOrEqual(READ_BATCH);
    expect(longest).toBeGreaterThan(1);
  });

  test("what arrives while nobody is attached is lost and counted", async () => {
    const device = openUp();
    const socket = await kernelSocket();
    const before = device.counters.rxDropped;
    socket.send("to nobody", 7, OURS);
    while (device.counters.rxDropped === before) await new Promise((resolve) => setImmediate(resolve));
    expect(device.counters.rxPackets).toBe(0);
  });

  test("what cannot be sent is lost and counted, never thrown", () => {
    const device = open({ mtu: 1280 });
    device.transmit(udpDatagram("the interface is down", 7));
    device.transmit(udpDatagram("longer than the MTU", 7, 1281));
    device.transmit(PacketBuffer.allocate(0, 0));
    device.configureKernel({ up: true });
    device.transmit(PacketBuffer.allocate(0, 40)); // of IP version 0
    expect(device.counters).toMatchObject({ txPackets: 0, txErrors: 4 });
    device.close();
    device.transmit(udpDatagram("closed", 7));
    expect(device.counters).toMatchObject({ txPackets: 0, txErrors: 4, txDropped: 1 });
  });

  test("TAP: the kernel asks for the hardware address of whom it writes to", async () => {
    const device = openUp({ mode: "tap" });
    const asked = new Promise<string>((resolve) => {
      device.attach({
        receive(frame) {
          const header = readEthernet(frame);
          if (typeof header === "string" || header.etherType !== ETHERTYPE_ARP) return;
          resolve(Array.from(frame.view(24, 4)).join("."));
        },
      });
    });
    (await kernelSocket()).send("x", 7, OURS);
    expect(await asked).toBe(OURS);
  });

  test("closing takes the interface away at once, frees the descriptors, and may be repeated", () => {
    const descriptors = readdirSync("/proc/self/fd").length;
    const device = open({ name: "nsclose" });
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors + 2);
    device.close();
    expect(device.closed).toBe(true);
    expect(kernelInterfaces()).not.toContain("nsclose");
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors);
    device.close();
  });

  test("after it is closed from inside a delivery nothing more is delivered", async () => {
    const device = openUp();
    const socket = await kernelSocket();
    let delivered = 0;
    device.attach({
      receive() {
        delivered += 1;
        device.close();
      },
    });
    for (let count = 0; count < 10; count += 1) socket.send("x", 7, OURS);
    while (!device.closed) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(delivered).toBe(1);
  });

  test("a persistent interface outlives its device, until it is told not to", () => {
    open({ name: "nskeep", persist: true }).close();
    expect(kernelInterfaces()).toContain("nskeep");
    open({ name: "nskeep" }).close();
    expect(kernelInterfaces()).toContain("nskeep");
    open({ name: "nskeep", persist: false }).close();
    expect(kernelInterfaces()).not.toContain("nskeep");
  });

  test("what cannot be opened is said in one line, and leaves no descriptor behind", () => {
    const { name } = open({ name: "nsbusy" });
    const descriptors = readdirSync("/proc/self/fd").length;
    expect(errorOf(() => openTun({ name })).message).toBe("nsbusy: EBUSY ioctl(TUNSETIFF): another program holds this interface");
    expect(errorOf(() => openTun({ name: "lo" })).message).toBe(
      "lo: EINVAL ioctl(TUNSETIFF): not a valid name, or an interface of another kind than tun has it",
    );
    expect(errorOf(() => openTun({ name: "a/b" })).code).toBe("EINVAL");
    expect(errorOf(() => openTun({ mtu: 20 })).message).toMatch(/^tun0: EINVAL ioctl\(SIOCSIFMTU\): an MTU of 20 is out of range$/);
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors);
    expect(kernelInterfaces()).not.toContain("tun0");
  });

  test("the kernel's refusal to configure is said in one line", () => {
    const device = open({ name: "nsgone" });
    device.close();
    expect(errorOf(() => device.configureKernel({ up: true })).message).toBe("nsgone: ENODEV ioctl(SIOCGIFFLAGS): the interface is gone");
    expect(() => device.configureKernel({ address: "10.0.0/8" })).toThrow(RangeError);
  });
});

test("a name longer than the kernel's field is refused", () => {
  const error = errorOf(() => openTun({ name: "sixteen-octets-x" }));
  expect(error.code).toBe("ENAMETOOLONG");
  expect(error.message).toBe("sixteen-octets-x: ENAMETOOLONG: an interface name has at most 15 octets");
});
