import { type MacAddress, PacketBuffer, parseMac, VirtualClock, writeMac } from "@netstrata/core";
import { EthernetSwitch, type LinkDevice, type SwitchOptions } from "@netstrata/link";
import { describe, expect, test } from "vitest";
import { describeLinkDevice, samplePacket } from "./link-device-compliance.ts";

describeLinkDevice("a port of a switch", () => {
  const clock = new VirtualClock();
  const ethernetSwitch = new EthernetSwitch(clock);
  const device = ethernetSwitch.port();
  const other = ethernetSwitch.port();
  const arrived: Uint8Array[] = [];
  other.attach({ receive: (packet) => void arrived.push(packet.slice()) });
  return {
    device,
    arrived: () => arrived,
    inject: () => {
      const packet = samplePacket("ethernet", 80, 0x22);
      const octets = packet.slice();
      other.transmit(packet);
      return octets;
    },
    settle: () => void clock.runUntilIdle(),
  };
});

const A = parseMac("02:00:00:00:00:0a") as MacAddress;
const B = parseMac("02:00:00:00:00:0b") as MacAddress;
const C = parseMac("02:00:00:00:00:0c") as MacAddress;
const GROUP = parseMac("01:00:5e:00:00:01") as MacAddress;

function bench(options: SwitchOptions = {}) {
  const clock = new VirtualClock();
  const ethernetSwitch = new EthernetSwitch(clock, options);
  const ports: LinkDevice[] = [ethernetSwitch.port(), ethernetSwitch.port(), ethernetSwitch.port()];
  /** Numbers of the ports where the last frame arrived. */
  const arrivals: number[] = [];
  for (const [number, port] of ports.entries()) port.attach({ receive: () => void arrivals.push(number) });
  const send = (from: number, source: MacAddress, destination: MacAddress): number[] => {
    arrivals.length = 0;
    const frame = PacketBuffer.allocate(0, 60);
    writeMac(frame, 0, destination);
    writeMac(frame, 6, source);
    ports[from].transmit(frame);
    clock.advance(options.latency ?? 0);
    return [...arrivals];
  };
  return { clock, ethernetSwitch, ports, send };
}

describe("a learning switch", () => {
  test("floods frames for stations it has not heard of, and forwards those for stations it has", () => {
    const { send, ethernetSwitch } = bench();
    expect(send(0, A, B)).toEqual([1, 2]);
    expect(send(1, B, A)).toEqual([0]);
    expect(send(0, A, B)).toEqual([1]);
    expect(ethernetSwitch.counters).toMatchObject({ flooded: 1, forwarded: 2 });
  });

  test("floods groups, and never learns one", () => {
    const { send, ethernetSwitch } = bench();
    expect(send(0, A, GROUP)).toEqual([1, 2]);
    expect(send(1, GROUP, A)).toEqual([0]);
    expect(ethernetSwitch.size).toBe(1);
  });

  test("keeps a frame to itself whose station is on the port it came from", () => {
    const { send, ethernetSwitch } = bench();
    send(0, A, GROUP);
    expect(send(0, B, A)).toEqual([]);
    expect(ethernetSwitch.counters.filtered).toBe(1);
  });

  test("keeps the reserved groups 01-80-c2-00-00-00 to -0f to itself (IEEE 802.1D §7.12.6)", () => {
    const { send } = bench();
    expect(send(0, A, parseMac("01:80:c2:00:00:00") as MacAddress)).toEqual([]);
    expect(send(0, A, parseMac("01:80:c2:00:00:0f") as MacAddress)).toEqual([]);
    expect(send(0, A, parseMac("01:80:c2:00:00:10") as MacAddress)).toEqual([1, 2]);
  });

  test("follows a station that moves to another port", () => {
    const { send } = bench();
    send(0, A, GROUP);
    send(2, A, GROUP);
    expect(send(1, B, A)).toEqual([2]);
  });

  test("forgets a station that was silent for longer than the ageing time", () => {
    const { send, clock, ethernetSwitch } = bench({ ageingTime: 1000 });
    clock.advance(5000);
    send(0, A, GROUP);
    clock.advance(1000);
    expect(send(1, B, A)).toEqual([0]);
    clock.advance(1);
    expect(send(1, B, A)).toEqual([0, 2]);
    expect(ethernetSwitch.size).toBe(1);
  });

  test("remembers no more stations than its limit: the first one learned makes room", () => {
    const { send, ethernetSwitch } = bench({ maxStations: 2 });
    send(0, A, GROUP);
    send(1, B, GROUP);
    send(2, C, GROUP);
    expect(ethernetSwitch.size).toBe(2);
    expect(ethernetSwitch.counters.evicted).toBe(1);
    expect(send(1, B, C)).toEqual([2]);
    expect(send(1, B, A)).toEqual([0, 2]);
  });

  test("gives each port a packet of its own: what one receiver does to it, the other does not see", () => {
    const { send, ports } = bench();
    const seen: number[] = [];
    ports[1].attach({ receive: (packet) => packet.view().fill(0xff) });
    ports[2].attach({ receive: (packet) => void seen.push(packet.u8(20)) });
    send(0, A, B);
    expect(seen).toEqual([0]);
  });

  test("loses what a port's queue does not take, and counts it there", () => {
    const { clock, ports, send } = bench({ latency: 10, flightLimit: 1 });
    send(1, B, GROUP);
    clock.runUntilIdle();
    for (let count = 0; count < 3; count += 1) {
      const frame = PacketBuffer.allocate(0, 60);
      writeMac(frame, 0, B);
      writeMac(frame, 6, A);
      ports[0].transmit(frame);
    }
    clock.runUntilIdle();
    expect(ports[1].counters).toMatchObject({ rxPackets: 1, rxDropped: 2 });
  });

  test("counts a frame that is too short to be one", () => {
    const { ports } = bench();
    ports[0].transmit(PacketBuffer.allocate(0, 13));
    expect(ports[0].counters.txErrors).toBe(1);
  });

  test("closed, it leaves no timer armed", () => {
    const { clock, ethernetSwitch, ports } = bench({ latency: 10 });
    const frame = PacketBuffer.allocate(0, 60);
    writeMac(frame, 0, GROUP);
    ports[0].transmit(frame);
    expect(clock.armedTimers).toBe(2);
    ethernetSwitch.close();
    expect(clock.armedTimers).toBe(0);
    expect(ethernetSwitch.size).toBe(0);
  });
});

test("misuse throws: a limit that is none", () => {
  expect(() => new EthernetSwitch(new VirtualClock(), { maxStations: Number.NaN })).toThrow(RangeError);
  expect(() => new EthernetSwitch(new VirtualClock(), { ageingTime: -1 })).toThrow(RangeError);
});
