import { BROADCAST_MAC, IPV4_ANY, IPV4_BROADCAST, NULL_MAC, PacketBuffer, prefix } from "@netstrata/core";
import { ARP_LENGTH, ARP_REPLY, ARP_REQUEST, DEFEND_INTERVAL, ETHERTYPE_ARP } from "@netstrata/link";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EthernetBench, ipv4, mac, OUR_MAC, OURS, THEIR_MAC, THEIRS } from "./ethernet-bench.ts";

describe("asking (RFC 826)", () => {
  test("1122-2.3.3-6: the first datagram to a neighbour is preceded by a broadcast request, and goes out when it is answered", () => {
    const bench = new EthernetBench();
    bench.send(THEIRS, 7);
    const [request] = bench.take();
    expect(request.header).toMatchObject({ destination: BROADCAST_MAC, source: OUR_MAC, etherType: ETHERTYPE_ARP });
    expect(request.arp).toEqual({
      operation: ARP_REQUEST,
      senderHardware: OUR_MAC,
      senderProtocol: OURS,
      targetHardware: NULL_MAC,
      targetProtocol: THEIRS,
    });
    expect(request.length).toBe(60);
    bench.reply();
    const [datagram] = bench.take();
    expect(datagram.header).toMatchObject({ destination: THEIR_MAC, source: OUR_MAC, etherType: 0x0800 });
    expect(datagram.payload[1]).toBe(7);
  });

  test("a request comes from the own address in the target's network", () => {
    const bench = new EthernetBench();
    bench.interface.addAddress(prefix("172.16.0.1/12"));
    bench.clock.advance(0);
    bench.take();
    bench.send(ipv4("172.20.0.9"));
    expect(bench.take()[0].arp?.senderProtocol).toBe(ipv4("172.16.0.1"));
    bench.send(ipv4("192.0.2.9"));
    expect(bench.take()[0].arp?.senderProtocol).toBe(OURS);
  });

  test("without an address of its own a host does not ask: that would be a probe (RFC 5227 §2.1.1)", () => {
    const bench = new EthernetBench({}, "");
    bench.send(THEIRS);
    expect(bench.take()).toEqual([]);
    bench.clock.advance(3000);
    expect(bench.unresolved).toHaveLength(1);
  });

  test("1122-2.4-3, 1812-3.3.2-2: datagrams come back only after three requests went unanswered", () => {
    const bench = new EthernetBench();
    bench.send(THEIRS, 1);
    bench.clock.advance(2999);
    expect(bench.unresolved).toEqual([]);
    bench.clock.advance(1);
    expect(bench.unresolved).toEqual([{ time: 3000, mark: 1, nextHop: THEIRS }]);
    expect(bench.takeRequests().map(({ time }) => time)).toEqual([0, 1000, 2000]);
  });

  test("1122-2.3.2.1-1: an old entry is verified by a request to the neighbour itself, and forgotten when nobody answers", () => {
    const bench = new EthernetBench({ neighbours: { reachableTime: 1000 } });
    bench.send(THEIRS);
    bench.reply();
    bench.take();
    bench.clock.advance(2000);
    bench.send(THEIRS);
    bench.clock.advance(10_000);
    expect(bench.takeRequests()).toEqual([7000, 8000, 9000].map((time) => ({ time, destination: THEIR_MAC })));
    expect(bench.interface.arp.cache.get(THEIRS)).toBeUndefined();
  });

  test("an answered verification keeps the entry", () => {
    const bench = new EthernetBench({ neighbours: { reachableTime: 1000 } });
    bench.send(THEIRS);
    bench.reply();
    bench.clock.advance(2000);
    bench.send(THEIRS);
    bench.clock.advance(5000);
    bench.reply();
    expect(bench.interface.arp.cache.get(THEIRS)).toEqual({ state: "REACHABLE", linkAddress: THEIR_MAC });
  });

  test("progress above keeps an entry without a request", () => {
    const bench = new EthernetBench({ neighbours: { reachableTime: 1000 } });
    bench.send(THEIRS);
    bench.reply();
    bench.take();
    for (let count = 0; count < 20; count += 1) {
      bench.clock.advance(1000);
      bench.send(THEIRS);
      bench.interface.confirm(THEIRS);
    }
    expect(bench.takeRequests()).toEqual([]);
  });
});

describe("answering (RFC 826)", () => {
  test("a request for an own address is answered to whoever asked, and the asker is remembered", () => {
    const bench = new EthernetBench();
    bench.hearArp({});
    const [reply] = bench.take();
    expect(reply.header.destination).toBe(THEIR_MAC);
    expect(reply.arp).toEqual({
      operation: ARP_REPLY,
      senderHardware: OUR_MAC,
      senderProtocol: OURS,
      targetHardware: THEIR_MAC,
      targetProtocol: THEIRS,
    });
    expect(bench.interface.arp.cache.get(THEIRS)).toEqual({ state: "STALE", linkAddress: THEIR_MAC });
  });

  test("every own address is answered for, until it is taken away", () => {
    const bench = new EthernetBench();
    const second = ipv4("10.0.0.77");
    bench.interface.addAddress(prefix("10.0.0.77/24"));
    bench.clock.advance(0);
    bench.take();
    bench.hearArp({ targetProtocol: second });
    expect(bench.take()[0].arp?.senderProtocol).toBe(second);
    bench.interface.removeAddress(second);
    bench.hearArp({ targetProtocol: second });
    expect(bench.take()).toEqual([]);
  });

  test("a probe for an own address is answered, and its sender, which has none yet, is not remembered (RFC 5227 §2.1.1)", () => {
    const bench = new EthernetBench();
    bench.hearArp({ senderProtocol: IPV4_ANY });
    expect(bench.take()[0].arp).toMatchObject({ operation: ARP_REPLY, senderProtocol: OURS, targetProtocol: IPV4_ANY });
    expect(bench.interface.arp.cache.size).toBe(0);
  });

  test("a request for somebody else is not answered, and creates no entry", () => {
    const bench = new EthernetBench();
    bench.hearArp({ targetProtocol: ipv4("10.0.0.99") });
    expect(bench.take()).toEqual([]);
    expect(bench.interface.arp.cache.size).toBe(0);
    expect(bench.interface.arp.drops.counters["not-for-us"]).toBe(1);
  });

  test("but it updates an entry there is: a neighbour that announces a new card is followed", () => {
    const bench = new EthernetBench();
    bench.send(THEIRS);
    bench.reply();
    const newCard = mac("02:00:00:00:00:99");
    bench.hearArp({ senderHardware: newCard, targetProtocol: THEIRS });
    expect(bench.interface.arp.cache.get(THEIRS)).toEqual({ state: "STALE", linkAddress: newCard });
  });

  test("a reply that nobody asked for creates no entry, and confirms none", () => {
    const bench = new EthernetBench();
    bench.reply();
    expect(bench.interface.arp.cache.size).toBe(0);
    expect(bench.interface.arp.drops.counters.unsolicited).toBe(1);
    bench.hearArp({});
    bench.reply();
    expect(bench.interface.arp.cache.get(THEIRS)?.state).toBe("STALE");
  });
});

describe("own addresses (RFC 5227)", () => {
  test("a new address is announced", () => {
    const bench = new EthernetBench({}, "");
    bench.interface.addAddress(prefix("10.0.0.1/24"));
    bench.clock.advance(0);
    const [announcement] = bench.take();
    expect(announcement.header.destination).toBe(BROADCAST_MAC);
    expect(announcement.arp).toMatchObject({ operation: ARP_REQUEST, senderProtocol: OURS, targetProtocol: OURS });
  });

  test("an IPv6 address is not", () => {
    const bench = new EthernetBench({}, "2001:db8::1/64");
    expect(bench.take()).toEqual([]);
  });

  test("somebody who uses an own address is counted, not believed, and answered with an announcement, once an interval", () => {
    const bench = new EthernetBench();
    for (const wait of [DEFEND_INTERVAL, 1, DEFEND_INTERVAL - 2, 1]) {
      bench.clock.advance(wait);
      bench.hearArp({ senderProtocol: OURS, targetProtocol: OURS });
    }
    expect(bench.interface.arp.drops.counters["address-conflict"]).toBe(4);
    expect(bench.takeRequests().map(({ time }) => time)).toEqual([DEFEND_INTERVAL, 2 * DEFEND_INTERVAL]);
    expect(bench.interface.arp.cache.size).toBe(0);
  });

  test("an address that was given up and taken again is defended as a new one", () => {
    const bench = new EthernetBench();
    bench.hearArp({ senderProtocol: OURS, targetProtocol: OURS });
    bench.interface.removeAddress(OURS);
    bench.interface.addAddress(prefix("10.0.0.1/24"));
    bench.clock.advance(0);
    bench.take();
    bench.hearArp({ senderProtocol: OURS, targetProtocol: OURS });
    expect(bench.takeRequests()).toHaveLength(1);
  });

  test("the own message, come back, is no conflict", () => {
    const bench = new EthernetBench();
    bench.hearArp({ senderHardware: OUR_MAC, senderProtocol: OURS, targetProtocol: OURS });
    expect(bench.interface.arp.drops.counters).toMatchObject({ "own-message": 1, "address-conflict": 0 });
    expect(bench.take()).toEqual([]);
  });
});

describe("what is not believed", () => {
  test("1812-3.3.2-3: a sender with a broadcast or multicast link address", () => {
    const bench = new EthernetBench();
    bench.send(THEIRS);
    bench.reply(BROADCAST_MAC);
    bench.reply(mac("01:00:5e:00:00:01"));
    bench.reply(NULL_MAC);
    expect(bench.interface.arp.cache.get(THEIRS)?.state).toBe("INCOMPLETE");
    expect(bench.interface.arp.drops.counters["bad-sender"]).toBe(3);
  });

  test("a sender whose address is a group's, the broadcast's or a loopback's", () => {
    const bench = new EthernetBench();
    for (const senderProtocol of [ipv4("224.0.0.1"), ipv4("127.0.0.1"), IPV4_BROADCAST]) bench.hearArp({ senderProtocol });
    expect(bench.interface.arp.drops.counters["bad-sender"]).toBe(3);
    expect(bench.take()).toEqual([]);
  });

  test("an operation that is neither request nor reply", () => {
    const bench = new EthernetBench();
    for (const operation of [0, 3, 8, 0xffff]) bench.hearArp({ operation });
    expect(bench.interface.arp.drops.counters["bad-operation"]).toBe(4);
    expect(bench.take()).toEqual([]);
  });

  test("other hardware, other protocols, and less than a message", () => {
    const bench = new EthernetBench();
    const patched = (offset: number, value: number, length = ARP_LENGTH): PacketBuffer => {
      const message = PacketBuffer.allocate(0, ARP_LENGTH);
      message.set(Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 1));
      message.setU8(offset, value);
      message.truncate(length);
      return message;
    };
    bench.hear(patched(1, 7), ETHERTYPE_ARP);
    bench.hear(patched(4, 8), ETHERTYPE_ARP);
    bench.hear(patched(2, 9), ETHERTYPE_ARP);
    bench.hear(patched(5, 16), ETHERTYPE_ARP);
    for (let length = 0; length < ARP_LENGTH; length += 1) bench.hear(patched(0, 0, length), ETHERTYPE_ARP);
    expect(bench.interface.arp.drops.counters).toMatchObject({ "bad-hardware": 2, "bad-protocol": 2, truncated: ARP_LENGTH });
  });

  test("whatever an ARP frame holds, the interface goes on answering, and its cache does not grow beyond its limit", () => {
    const bench = new EthernetBench({ neighbours: { maxEntries: 8 } });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 46, size: "max" }), (tail) => {
        const octets = new Uint8Array([0, 1, 8, 0, 6, 4, 0, 1, ...tail]);
        bench.hear(PacketBuffer.wrap(octets), ETHERTYPE_ARP);
        expect(bench.interface.arp.cache.size).toBeLessThanOrEqual(8);
      }),
    );
    for (let index = 0; index < 100; index += 1) bench.hearArp({ senderProtocol: ipv4(`10.0.0.${100 + index}`) });
    expect(bench.interface.arp.cache.size).toBe(8);
    bench.take();
    bench.hearArp({});
    expect(bench.take()).toHaveLength(1);
  });
});
