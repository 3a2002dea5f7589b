import { VirtualClock } from "@netstrata/core";
import { LOOPBACK_MTU, LoopbackDevice } from "@netstrata/link";
import { expect, test } from "vitest";
import { describeLinkDevice, samplePacket } from "./link-device-compliance.ts";

describeLinkDevice("the loopback", () => {
  const clock = new VirtualClock();
  const device = new LoopbackDevice(clock);
  return {
    device,
    inject: () => {
      const packet = samplePacket("ip", 80);
      const octets = packet.slice();
      device.transmit(packet);
      return octets;
    },
    settle: () => void clock.runUntilIdle(),
  };
});

test("it carries the largest IPv4 datagram in one piece, with an unfinished checksum", () => {
  const clock = new VirtualClock();
  const device = new LoopbackDevice(clock);
  const seen: [number, string][] = [];
  device.attach({ receive: (packet) => void seen.push([packet.length, packet.checksum]) });
  const packet = samplePacket("ip", LOOPBACK_MTU);
  packet.checksum = "partial";
  device.transmit(packet);
  clock.runUntilIdle();
  expect(device.offload.checksum).toBe(true);
  expect(seen).toEqual([[65535, "partial"]]);
});
