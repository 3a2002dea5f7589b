// On the host's own loopback interface: what is sent there reaches nobody else, and the kernel is the peer.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { foldChecksum, type Ipv4Address, ip, PacketBuffer, sumBytes } from "@netstrata/core";
import { afterEach, expect, test } from "vitest";
import { hostAddressToward, openRaw, PROTOCOL_ICMP, type RawDevice, RawError, type RawOptions } from "../src/index.ts";
import { errorCode } from "../src/raw-error.ts";
import { describeWithRawSockets } from "./requirements.ts";

const PROTOCOL_UDP = 17;
const ECHO_REPLY = 0;
const DESTINATION_UNREACHABLE = 3;
const ECHO_REQUEST = 8;

const LOOPBACK = ip("127.0.0.1") as Ipv4Address;
/** Ours on the loopback network, so that nobody else's traffic there is mistaken for it. */
const OURS = ip("127.18.7.2") as Ipv4Address;

const opened: RawDevice[] = [];
afterEach(() => {
  for (const device of opened.splice(0)) device.close();
});

function open(options: RawOptions = {}): RawDevice {
  const device = openRaw(options);
  opened.push(device);
  return device;
}

/** A datagram from `OURS` whose header checksum and identification are left to the kernel. */
function datagram(destination: Ipv4Address, protocol: number, payload: Uint8Array): PacketBuffer {
  const packet = PacketBuffer.allocate(0, 20 + payload.length);
  packet.setU16(0, 0x4500);
  packet.setU16(2, packet.length);
  packet.setU8(8, 64);
  packet.setU8(9, protocol);
  packet.setU32(12, OURS);
  packet.setU32(16, destination);
  packet.set(payload, 20);
  return packet;
}

function echoRequest(identifier: number): PacketBuffer {
  const message = new Uint8Array([ECHO_REQUEST, 0, 0, 0, identifier >>> 8, identifier, 0, 1, 0x68, 0x69]);
  const checksum = foldChecksum(sumBytes(message, 0, message.length));
  message.set([checksum >>> 8, checksum], 2);
  return datagram(LOOPBACK, PROTOCOL_ICMP, message);
}

function udpDatagram(port: number): PacketBuffer {
  // A checksum of zero: none was made (RFC 768).
  return datagram(LOOPBACK, PROTOCOL_UDP, new Uint8Array([0x10, 0x92, port >>> 8, port, 0, 10, 0, 0, 0x68, 0x69]));
}

/** The first datagram sent to `OURS` that the device delivers. */
function nextForUs(device: RawDevice): Promise<PacketBuffer> {
  return new Promise((resolve) => {
    device.attach({
      receive(packet) {
        if (packet.u32(16) === OURS) resolve(packet.copy());
      },
    });
  });
}

function errorOf(action: () => unknown): RawError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(RawError);
    return error as RawError;
  }
  throw new Error("nothing was thrown");
}

describeWithRawSockets("raw device", () => {
  test("an echo request goes out, its reply comes in with its header", async () => {
    const device = open();
    expect(device.medium).toBe("ip");
    const reply = nextForUs(device);
    device.transmit(echoRequest(0x1234));
    const packet = await reply;
    expect(packet.u8(0)).toBe(0x45);
    expect(packet.u16(2)).toBe(packet.length);
    expect(packet.u32(12)).toBe(LOOPBACK);
    expect(packet.u8(20)).toBe(ECHO_REPLY);
    expect(packet.u16(24)).toBe(0x1234);
    expect(device.counters).toMatchObject({ txPackets: 1, txBytes: 30, txErrors: 0 });
  });

  test("requests that the kernel answers itself are not delivered", async () => {
    const device = open();
    const types: number[] = [];
    const replied = new Promise<void>((resolve) => {
      device.attach({
        receive(packet) {
          if (packet.u32(12) !== OURS && packet.u32(16) !== OURS) return;
          types.push(packet.u8(20));
          if (packet.u8(20) === ECHO_REPLY) resolve();
        },
      });
    });
    device.transmit(echoRequest(1));
    await replied;
    // On this interface our own request came in before the reply.
    expect(types).toEqual([ECHO_REPLY]);
  });

  test("a datagram of another protocol goes out, and the ICMP error about it comes in", async () => {
    const device = open();
    const error = nextForUs(device);
    const unused = createSocket("udp4");
    unused.bind(0, "127.0.0.1");
    await once(unused, "listening");
    const { port } = unused.address();
    unused.close();
    await once(unused, "close");
    device.transmit(udpDatagram(port));
    const packet = await error;
    expect(packet.u8(20)).toBe(DESTINATION_UNREACHABLE);
    expect(packet.u8(21)).toBe(3); // the port
    expect(packet.u8(28 + 9)).toBe(PROTOCOL_UDP);
  });

  test("a datagram reaches a program of the host", async () => {
    const device = open();
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    device.transmit(udpDatagram(socket.address().port));
    const [message, from] = await once(socket, "message");
    socket.close();
    expect(String(message)).toBe("hi");
    expect(from.address).toBe("127.18.7.2");
  });

  test("datagrams of the protocols asked for arrive whole, however long", async () => {
    const arrived = nextForUs(open({ protocols: [PROTOCOL_ICMP, PROTOCOL_UDP] }));
    const socket = createSocket("udp4");
    socket.send(new Uint8Array(60_000).fill(7), 4242, "127.18.7.2");
    const packet = await arrived;
    socket.close();
    expect(packet.length).toBe(60_028);
    expect(packet.u8(9)).toBe(PROTOCOL_UDP);
    expect(packet.u8(60_027)).toBe(7);
  });

  test("what cannot be sent is lost and counted, never thrown", async () => {
    const device = open({ mtu: 576 });
    device.transmit(datagram(LOOPBACK, PROTOCOL_UDP, new Uint8Array(557))); // longer than the MTU
    device.transmit(PacketBuffer.allocate(0, 0));
    device.transmit(PacketBuffer.allocate(0, 19));
    const ipv6 = PacketBuffer.allocate(0, 40);
    ipv6.setU8(0, 0x60);
    device.transmit(ipv6);
    expect(device.counters.txErrors).toBe(4);
    const refused = udpDatagram(9);
    refused.setU8(0, 0x4f); // a header longer than the datagram: the kernel says EINVAL
    device.transmit(refused);
    while (device.counters.txErrors < 5) await new Promise((resolve) => setImmediate(resolve));
    expect(device.counters.txPackets).toBe(0);
  });

  test("datagrams beyond the queue's limit are lost and counted", async () => {
    const device = open({ queueLimit: 3 });
    for (let count = 0; count < 5; count += 1) device.transmit(udpDatagram(9));
    expect(device.counters.txDropped).toBe(2);
    while (device.counters.txPackets < 3) await new Promise((resolve) => setImmediate(resolve));
    device.transmit(udpDatagram(9));
    expect(device.counters.txDropped).toBe(2);
  });

  test("what arrives while nobody is attached is lost and counted", async () => {
    const device = open();
    device.transmit(echoRequest(2));
    while (device.counters.rxDropped === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(device.counters.rxPackets).toBe(0);
  });

  test("closing frees the descriptors at once, loses what was waiting, and may be repeated", () => {
    const descriptors = readdirSync("/proc/self/fd").length;
    const device = open({ protocols: [PROTOCOL_ICMP, PROTOCOL_UDP] });
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors + 2);
    device.transmit(udpDatagram(9));
    device.close();
    device.close();
    expect(device.closed).toBe(true);
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors);
    device.transmit(udpDatagram(9));
    expect(device.counters).toMatchObject({ txPackets: 0, txDropped: 2 });
    // raw-socket would have opened its socket anew.
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors);
  });

  test("what cannot be opened is said in one line, and leaves no descriptor behind", () => {
    const descriptors = readdirSync("/proc/self/fd").length;
    expect(errorOf(() => openRaw({ interface: "nosuch0" })).message).toBe("raw: ENODEV setsockopt(SO_BINDTODEVICE): no interface nosuch0");
    expect(errorOf(() => openRaw({ protocols: [PROTOCOL_ICMP, 5000] })).message).toMatch(/^raw: E[A-Z]+ socket: .*protocol 5000$/);
    expect(readdirSync("/proc/self/fd").length).toBe(descriptors);
  });
});

test("misuse throws before anything is opened", () => {
  expect(() => openRaw({ mtu: 67 })).toThrow(RangeError);
  expect(() => openRaw({ mtu: 65536 })).toThrow(RangeError);
  expect(() => openRaw({ protocols: [] })).toThrow(RangeError);
});

test("the code of an error is told from its sentence", () => {
  expect(errorCode(new Error("Operation not permitted"))).toBe("EPERM");
  expect(errorCode(new Error("Permission denied"))).toBe("EACCES");
  expect(errorCode(new Error("Protocol not supported"))).toBe("EPROTONOSUPPORT");
  expect(errorCode(new Error("something new"))).toBe("EIO");
});

test("the host's address toward itself is the loopback's", async () => {
  expect(await hostAddressToward(LOOPBACK)).toBe(LOOPBACK);
});
