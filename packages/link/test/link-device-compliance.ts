// The compliance suite of `LinkDevice`: every device runs it, in whatever package it lives.
import { PacketBuffer } from "@netstrata/core";
import { createLinkCounters, ETHERNET_HEADER_LENGTH, type LinkDevice, type Medium } from "@netstrata/link";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

export interface DeviceUnderTest {
  readonly device: LinkDevice;
  /** Makes the far side send one packet to the device. Answers its octets where they are known. */
  inject(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Lets everything that is under way arrive. */
  settle(): void | Promise<void>;
  /** Octets of the packets that reached the far side so far; absent where nobody can tell. */
  readonly arrived?: () => readonly Uint8Array[];
  /** Takes away what the test needed besides the device. */
  dispose?(): void | Promise<void>;
}

/** A well-formed packet for a medium: an IPv4 datagram from 192.0.2.1 to 192.0.2.2, in a broadcast frame on Ethernet. */
export function samplePacket(medium: Medium, datagramLength: number, fill = 0xa5): PacketBuffer {
  const packet = PacketBuffer.allocate(ETHERNET_HEADER_LENGTH, datagramLength);
  packet.view().fill(fill);
  packet.setU16(0, 0x4500);
  packet.setU16(2, datagramLength);
  packet.setU32(4, 0);
  packet.setU32(8, 0x40fd0000); // TTL 64, protocol 253: for experiments (RFC 3692)
  packet.setU32(12, 0xc0000201);
  packet.setU32(16, 0xc0000202);
  packet.setU16(10, headerChecksum(packet));
  if (medium === "ip") return packet;
  packet.prepend(ETHERNET_HEADER_LENGTH);
  packet.setU32(0, 0xffffffff);
  packet.setU32(4, 0xffff0200);
  packet.setU32(8, 0x00000001);
  packet.setU16(12, 0x0800);
  return packet;
}

function headerChecksum(packet: PacketBuffer): number {
  let sum = 0;
  for (let offset = 0; offset < 20; offset += 2) if (offset !== 10) sum += packet.u16(offset);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

/** Runs the suite against a fresh device for each test. */
export function describeLinkDevice(name: string, create: () => DeviceUnderTest | Promise<DeviceUnderTest>): void {
  describe(`${name} is a link device`, () => {
    let under: DeviceUnderTest;
    let device: LinkDevice;

    beforeEach(async () => {
      under = await create();
      device = under.device;
    });

    afterEach(async () => {
      device.close();
      await under.dispose?.();
    });

    test("it says what it is", () => {
      expect(device.name).not.toBe("");
      expect(["ethernet", "ip"]).toContain(device.medium);
      expect(device.mtu).toBeGreaterThanOrEqual(68);
      expect(typeof device.offload.checksum).toBe("boolean");
      expect(device.offload.segmentation).toBeGreaterThanOrEqual(0);
      expect(Object.keys(device.counters)).toEqual(Object.keys(createLinkCounters()));
    });

    test("what it transmits arrives at the far side as it is, and is counted", async () => {
      const packet = samplePacket(device.medium, 100);
      const octets = packet.slice();
      const before = { ...device.counters };
      device.transmit(packet);
      await under.settle();
      expect(device.counters.txPackets - before.txPackets).toBe(1);
      expect(device.counters.txBytes - before.txBytes).toBe(octets.length);
      if (under.arrived !== undefined) expect(under.arrived()).toEqual([octets]);
    });

    test("a datagram as large as the MTU passes", async () => {
      device.transmit(samplePacket(device.medium, device.mtu));
      await under.settle();
      expect(device.counters.txPackets).toBe(1);
      expect(device.counters.txErrors).toBe(0);
      if (under.arrived !== undefined) expect(under.arrived()).toHaveLength(1);
    });

    test("a datagram larger than the MTU is lost and counted as an error", async () => {
      device.transmit(samplePacket(device.medium, device.mtu + 200));
      await under.settle();
      expect(device.counters.txErrors).toBe(1);
      expect(device.counters.txPackets).toBe(0);
      if (under.arrived !== undefined) expect(under.arrived()).toEqual([]);
    });

    test("an empty packet is lost and counted as an error", async () => {
      device.transmit(PacketBuffer.allocate(64));
      await under.settle();
      expect(device.counters.txErrors).toBe(1);
      expect(device.counters.txPackets).toBe(0);
    });

    test("what arrives is lent to the receiver and counted", async () => {
      const received: Uint8Array[] = [];
      device.attach({ receive: (packet) => received.push(packet.slice()) });
      const octets = await under.inject();
      await under.settle();
      expect(received).toHaveLength(1);
      if (octets !== undefined) expect(received).toEqual([octets]);
      expect(device.counters.rxPackets).toBe(1);
      expect(device.counters.rxBytes).toBe(received[0].length);
    });

    test("what a receiver does to the window of a packet does not reach the next one", async () => {
      const lengths: number[] = [];
      device.attach({
        receive: (packet) => {
          lengths.push(packet.length);
          packet.consume(20);
          packet.truncate(3);
        },
      });
      await under.inject();
      await under.settle();
      await under.inject();
      await under.settle();
      expect(lengths).toHaveLength(2);
      expect(lengths[1]).toBe(lengths[0]);
    });

    test("transmit returns before any receiver is called, also when the receiver itself transmits", async () => {
      let depth = 0;
      let deepest = 0;
      let answers = 0;
      device.attach({
        receive: () => {
          depth += 1;
          deepest = Math.max(deepest, depth);
          if (answers < 3) {
            answers += 1;
            device.transmit(samplePacket(device.medium, 60));
          }
          depth -= 1;
        },
      });
      depth = 1; // Whoever calls the receiver from within this transmit makes it two deep.
      device.transmit(samplePacket(device.medium, 60));
      depth = 0;
      await under.inject();
      await under.settle();
      expect(answers).toBeGreaterThan(0);
      expect(deepest).toBe(1);
    });

    test("what arrives while nobody is attached is lost and counted", async () => {
      await under.inject();
      await under.settle();
      expect(device.counters.rxDropped).toBe(1);
      expect(device.counters.rxPackets).toBe(0);
    });

    test("the receiver attached last is the only one", async () => {
      let former = 0;
      let latter = 0;
      device.attach({ receive: () => void (former += 1) });
      device.attach({ receive: () => void (latter += 1) });
      await under.inject();
      await under.settle();
      expect([former, latter]).toEqual([0, 1]);
    });

    test("after close nothing is sent or delivered, and what is transmitted is counted as lost", async () => {
      let received = 0;
      device.attach({ receive: () => void (received += 1) });
      await under.inject();
      const before = device.counters.txPackets;
      device.close();
      device.close();
      device.transmit(samplePacket(device.medium, 60));
      await under.settle();
      expect(received).toBe(0);
      expect(device.counters.txDropped).toBe(1);
      expect(device.counters.txPackets).toBe(before);
    });
  });
}
