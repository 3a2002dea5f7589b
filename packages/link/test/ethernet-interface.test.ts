import {
  BROADCAST_MAC,
  type DropEvent,
  IPV4_BROADCAST,
  ip,
  isGroupMac,
  type PacketBuffer,
  type PacketEvent,
  prefix,
  SeededRandom,
  VirtualClock,
} from "@netstrata/core";
import {
  createWire,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_VLAN,
  EthernetInterface,
  multicastMac,
  type NeighbourResolver,
} from "@netstrata/link";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EthernetBench, ipv4, mac, OUR_MAC, THEIR_MAC, THEIRS } from "./ethernet-bench.ts";
import { samplePacket } from "./link-device-compliance.ts";

describe("sending", () => {
  test("1122-2.3.3-1: a datagram leaves in an Ethernet II frame to its next hop", () => {
    const bench = new EthernetBench();
    bench.hearArp({});
    bench.take();
    bench.send(THEIRS, 3);
    const [{ header, payload }] = bench.take();
    expect(header).toEqual({ destination: THEIR_MAC, source: OUR_MAC, etherType: ETHERTYPE_IPV4, vlanTags: [], headerLength: 14 });
    expect(payload).toHaveLength(100);
    expect(payload[1]).toBe(3);
  });

  test("1122-3.3.6-3, 1812-5.3.4-2: broadcasts and multicasts of IP go to the link's own, without asking anybody", () => {
    const bench = new EthernetBench();
    const destinations = ["255.255.255.255", "10.0.0.255", "224.0.0.1", "239.129.2.3", "ff02::1:ff00:1234"].map((text) => {
      bench.send(ip(text));
      return bench.take()[0].header.destination;
    });
    expect(destinations).toEqual([
      BROADCAST_MAC,
      BROADCAST_MAC,
      mac("01:00:5e:00:00:01"),
      mac("01:00:5e:01:02:03"),
      mac("33:33:ff:00:12:34"),
    ]);
  });

  test("the broadcast address of a network that the interface is no longer in is one like any other", () => {
    const bench = new EthernetBench();
    bench.interface.removeAddress(ip("10.0.0.1"));
    bench.send(ip("10.0.0.255"));
    expect(bench.take()).toEqual([]); // It would be asked for, if there were an address to ask from.
    bench.interface.arp.cache.forget(ip("10.0.0.255"));
    bench.interface.addAddress(prefix("10.0.0.1/16"));
    bench.clock.advance(0);
    bench.take();
    bench.send(ip("10.0.0.255"));
    expect(bench.take()[0].header.etherType).toBe(ETHERTYPE_ARP);
    bench.send(ip("10.0.255.255"));
    expect(bench.take()[0].header.destination).toBe(BROADCAST_MAC);
  });

  test("a point-to-point network of 31 bits has no broadcast address (RFC 3021)", () => {
    const bench = new EthernetBench({}, "10.0.0.0/31");
    bench.send(ip("10.0.0.1"));
    expect(bench.take()[0].header.etherType).toBe(ETHERTYPE_ARP);
  });

  test("short frames are padded with zeros, which hold nothing of what the store held before", () => {
    const bench = new EthernetBench();
    const datagram = bench.datagram(0, 40);
    datagram.view().fill(0x99);
    datagram.setU8(0, 0x45);
    datagram.truncate(20);
    bench.interface.send(datagram, IPV4_BROADCAST);
    bench.clock.advance(0);
    const [{ length, payload }] = bench.take();
    expect(length).toBe(60);
    expect([...payload.subarray(20)]).toEqual(new Array(26).fill(0));
  });

  test("an IPv6 next hop needs a resolver of its own, and is lost and counted without", () => {
    const bench = new EthernetBench();
    const neighbour = ip("fe80::2");
    bench.send(neighbour);
    expect(bench.interface.drops.counters["no-resolver"]).toBe(1);
    const calls: string[] = [];
    const resolver: NeighbourResolver = {
      send: (datagram) => {
        calls.push("send");
        bench.interface.transmitDatagram(datagram, THEIR_MAC);
      },
      confirm: () => void calls.push("confirm"),
      close: () => void calls.push("close"),
    };
    bench.interface.registerResolver(6, resolver);
    const datagram = bench.datagram();
    datagram.setU8(0, 0x60);
    bench.interface.send(datagram, neighbour);
    bench.clock.advance(0);
    expect(bench.take()[0].header).toMatchObject({ destination: THEIR_MAC, etherType: ETHERTYPE_IPV6 });
    bench.interface.confirm(neighbour);
    bench.interface.close();
    expect(calls).toEqual(["send", "confirm", "close"]);
  });

  test("1812-3.3.4-1: the MTU can be set lower than the link's, never higher; what is longer is lost and counted", () => {
    const bench = new EthernetBench({ mtu: 576 });
    expect(bench.interface.mtu).toBe(576);
    bench.interface.send(bench.datagram(0, 577), IPV4_BROADCAST);
    expect(bench.interface.drops.counters["too-long"]).toBe(1);
    expect(() => new EthernetBench({ mtu: 1501 })).toThrow(RangeError);
    expect(() => new EthernetBench({ mtu: 0 })).toThrow(RangeError);
  });

  test("a datagram without room for the header is lost and counted, not thrown back", () => {
    const bench = new EthernetBench();
    const datagram = bench.datagram();
    datagram.prepend(1);
    bench.interface.send(datagram, IPV4_BROADCAST);
    expect(bench.interface.drops.counters["no-headroom"]).toBe(1);
  });
});

describe("receiving", () => {
  const datagram = (): PacketBuffer => samplePacket("ip", 80);

  test("1122-2.4-1: IP is told how the frame was addressed", () => {
    const bench = new EthernetBench();
    bench.hear(datagram());
    bench.hear(datagram(), ETHERTYPE_IPV4, BROADCAST_MAC);
    bench.hear(datagram(), ETHERTYPE_IPV4, mac("01:00:5e:00:00:01"));
    expect(bench.received.map(({ cast }) => cast)).toEqual(["unicast", "broadcast", "multicast"]);
    expect(bench.received[0].payload).toEqual(datagram().slice());
  });

  test("a frame for somebody else is dropped", () => {
    const bench = new EthernetBench();
    bench.hear(datagram(), ETHERTYPE_IPV4, mac("02:00:00:00:00:55"));
    expect(bench.received).toEqual([]);
    expect(bench.interface.drops.counters["not-for-us"]).toBe(1);
    expect(bench.events.at(-1)).toMatchObject({ layer: "link", kind: "drop", reason: "not-for-us" } satisfies Partial<DropEvent>);
  });

  test("an unknown EtherType is dropped", () => {
    const bench = new EthernetBench();
    bench.hear(datagram(), 0x88cc);
    expect(bench.interface.drops.counters["unknown-ethertype"]).toBe(1);
  });

  test("both IP versions come up, with the padding: IP knows where a datagram ends", () => {
    const bench = new EthernetBench();
    const short = samplePacket("ip", 30);
    const padded = short.copy(14, 16);
    padded.append(16);
    bench.hear(padded);
    const ipv6 = datagram();
    ipv6.setU8(0, 0x60);
    bench.hear(ipv6, ETHERTYPE_IPV6);
    expect(bench.received.map(({ payload }) => payload.length)).toEqual([46, 80]);
  });

  test("one IP version under the EtherType of the other is dropped; what is neither is IP's to count", () => {
    const bench = new EthernetBench();
    for (const [version, etherType] of [
      [4, ETHERTYPE_IPV6],
      [6, ETHERTYPE_IPV4],
      [5, ETHERTYPE_IPV4],
      [5, ETHERTYPE_IPV6],
    ]) {
      const packet = datagram();
      packet.setU8(0, version << 4);
      bench.hear(packet, etherType);
    }
    expect(bench.received.map(({ payload }) => payload[0] >>> 4)).toEqual([5, 5]);
    expect(bench.interface.drops.counters["other-ethertype"]).toBe(2);
  });

  test("1122-2.3.3-2: IEEE 802.3 frames with a SNAP header come up too", () => {
    const bench = new EthernetBench();
    const payload = samplePacket("ip", 40).copy(8);
    payload.prepend(8);
    payload.setU32(0, 0xaaaa0300);
    payload.setU32(4, ETHERTYPE_IPV4);
    bench.hear(payload, payload.length);
    expect(bench.received[0].payload).toEqual(samplePacket("ip", 40).slice());
  });

  test("what comes before anybody is attached is dropped", () => {
    const clock = new VirtualClock();
    const { a, b } = createWire(clock);
    const ethernet = new EthernetInterface({ name: "host", clock, random: new SeededRandom(1) }, a);
    b.transmit(samplePacket("ethernet", 80));
    clock.runUntilIdle();
    expect(ethernet.drops.counters["no-receiver"]).toBe(1);
  });

  test("whatever a frame holds, it is delivered or counted, and never an exception", () => {
    const bench = new EthernetBench();
    const addressed = fc
      .uint8Array({ maxLength: 100, size: "max" })
      .map((tail) => new Uint8Array([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...tail]));
    const etherTypes = fc.constantFrom([0x08, 0x00], [0x08, 0x06], [0x81, 0x00], [0x88, 0xa8], [0x86, 0xdd], [0, 40]);
    const shaped = fc
      .tuple(etherTypes, fc.uint8Array({ maxLength: 60, size: "max" }))
      .map(([type, tail]) => new Uint8Array([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...type, ...tail]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ minLength: 0, maxLength: 80, size: "max" }), addressed, shaped), (octets) => {
        const { drops, arp } = bench.interface;
        const count = (): number =>
          bench.received.length + Object.values({ ...drops.counters }).reduce((sum, value) => sum + value, 0) + sumOf(arp.drops.counters);
        const before = count();
        const sentBefore = bench.frames.length;
        const learnedBefore = JSON.stringify(arp.cache.addresses());
        const frame = samplePacket("ethernet", 100);
        frame.set(octets);
        frame.truncate(octets.length);
        bench.interface.receive(frame);
        bench.clock.advance(0);
        // A good ARP message is neither delivered nor dropped: it is answered or remembered.
        const isUsed = bench.frames.length > sentBefore || JSON.stringify(arp.cache.addresses()) !== learnedBefore;
        expect(count() - before === 1 || isUsed).toBe(true);
      }),
    );
  });
});

function sumOf(counters: Readonly<Record<string, number>>): number {
  return Object.values(counters).reduce((sum, value) => sum + value, 0);
}

describe("VLANs (IEEE 802.1Q)", () => {
  function tagged(id: number, etherType = ETHERTYPE_IPV4): PacketBuffer {
    const payload = samplePacket("ip", 80).copy(4);
    payload.prepend(4);
    payload.setU16(0, 0xe000 | id);
    payload.setU16(2, etherType);
    return payload;
  }

  test("a tag that carries only a priority does not matter; frames of a VLAN are dropped", () => {
    const bench = new EthernetBench();
    bench.hear(tagged(0), ETHERTYPE_VLAN);
    bench.hear(tagged(5), ETHERTYPE_VLAN);
    expect(bench.received).toHaveLength(1);
    expect(bench.received[0].payload).toEqual(samplePacket("ip", 80).slice());
    expect(bench.interface.drops.counters["other-vlan"]).toBe(1);
  });

  test("an interface in a VLAN tags what it sends, and receives only what has its tag", () => {
    const bench = new EthernetBench({ vlan: 5 });
    bench.send(IPV4_BROADCAST, 9);
    const [{ header, payload }] = bench.take();
    expect(header).toMatchObject({ etherType: ETHERTYPE_IPV4, vlanTags: [{ id: 5, priority: 0, dropEligible: false }] });
    expect(payload[1]).toBe(9);
    bench.hear(tagged(5), ETHERTYPE_VLAN);
    bench.hear(tagged(6), ETHERTYPE_VLAN);
    bench.hear(samplePacket("ip", 80));
    expect(bench.received).toHaveLength(1);
    expect(bench.interface.drops.counters["other-vlan"]).toBe(2);
  });

  test("its largest datagram still fits, because a tag is not part of the payload", () => {
    const bench = new EthernetBench({ vlan: 5 });
    bench.interface.send(bench.datagram(0, 1500), IPV4_BROADCAST);
    bench.clock.advance(0);
    expect(bench.take()[0].length).toBe(1518);
  });

  test("ARP is tagged too", () => {
    const bench = new EthernetBench({ vlan: 5 });
    bench.send(THEIRS);
    expect(bench.take()[0].header).toMatchObject({ etherType: ETHERTYPE_ARP, vlanTags: [{ id: 5 }] });
  });
});

describe("what an interface is", () => {
  test("its MAC address is random and its own unless it is told one", () => {
    const clock = new VirtualClock();
    const random = new SeededRandom(1);
    const create = () => new EthernetInterface({ name: "host", clock, random }, createWire(clock).a);
    const [first, second] = [create().macAddress, create().macAddress];
    expect(first).not.toBe(second);
    for (const address of [first, second]) {
      expect(isGroupMac(address)).toBe(false);
      expect(Math.floor(address / 0x10000000000) & 2).toBe(2); // locally administered
    }
  });

  test("misuse throws: a group as its own address, a VLAN there is none of, a device without frames", () => {
    const clock = new VirtualClock();
    const host = { name: "host", clock, random: new SeededRandom(1) };
    const { a } = createWire(clock);
    expect(() => new EthernetInterface(host, a, { macAddress: BROADCAST_MAC })).toThrow(RangeError);
    for (const vlan of [-1, 4095, 1.5]) expect(() => new EthernetInterface(host, a, { vlan })).toThrow(RangeError);
    expect(new EthernetInterface(host, a, { vlan: 4094 }).headroom).toBe(18);
    expect(() => new EthernetInterface(host, createWire(clock, { medium: "ip" }).a)).toThrow(TypeError);
  });

  test("an address keeps its place when its prefix changes; one that no host can have is refused", () => {
    const { interface: ethernet } = new EthernetBench();
    ethernet.addAddress(prefix("10.0.0.2/24"));
    ethernet.addAddress(prefix("10.0.0.1/16"));
    expect(ethernet.addresses).toEqual([prefix("10.0.0.1/16"), prefix("10.0.0.2/24")]);
    for (const text of ["0.0.0.0/0", "::/0", "224.0.0.1/32", "ff02::1/128", "255.255.255.255/32"]) {
      expect(() => ethernet.addAddress(prefix(text))).toThrow(RangeError);
    }
    expect(() => ethernet.addAddress({ address: ipv4("10.0.0.9"), length: 33 })).toThrow(RangeError);
  });

  test("an observer sees each frame whole, in both directions, before anybody narrows its window", () => {
    const bench = new EthernetBench();
    bench.hearArp({});
    const lengths: [string, string, number][] = [];
    bench.host.observer = {
      observe: (event) => {
        const { kind, direction, interface: name, packet } = event as PacketEvent;
        if (kind === "packet") lengths.push([direction, name, packet.length]);
      },
    };
    bench.send(THEIRS);
    bench.hear(samplePacket("ip", 80));
    expect(lengths).toEqual([
      ["out", "eth0", 114],
      ["in", "eth0", 94],
    ]);
  });

  test("closed, it sends and receives nothing, and no timer is armed", () => {
    const bench = new EthernetBench();
    bench.send(THEIRS);
    bench.interface.close();
    bench.interface.close();
    bench.interface.send(bench.datagram(), IPV4_BROADCAST);
    bench.interface.send(bench.datagram(), THEIRS);
    bench.hear(samplePacket("ip", 80));
    expect(bench.received).toEqual([]);
    expect(bench.interface.device.counters.rxDropped).toBe(1); // The device is closed too.
    expect(bench.interface.drops.counters.closed).toBe(1);
    expect(bench.interface.arp.cache.drops.counters["neighbour-cache-closed"]).toBe(2);
    expect(bench.clock.armedTimers).toBe(0);
  });
});

describe("the Ethernet addresses of groups", () => {
  test("an IPv4 group gives its lower 23 bits (RFC 1112 §6.4)", () => {
    expect(multicastMac(ip("224.0.0.251"))).toBe(mac("01:00:5e:00:00:fb"));
    expect(multicastMac(ip("239.255.255.255"))).toBe(mac("01:00:5e:7f:ff:ff"));
  });

  test("an IPv6 group gives its lower 32 bits (RFC 2464 §7)", () => {
    expect(multicastMac(ip("ff02::1"))).toBe(mac("33:33:00:00:00:01"));
    expect(multicastMac(ip("ff02::1:ffab:cdef"))).toBe(mac("33:33:ff:ab:cd:ef"));
  });
});
