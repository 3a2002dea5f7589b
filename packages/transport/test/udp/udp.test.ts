import {
  type DropEvent,
  type ErrorCode,
  type Host,
  IPV4_ANY,
  IPV4_BROADCAST,
  type IpAddress,
  ip,
  PacketBuffer,
  SeededRandom,
  VirtualClock,
} from "@netstrata/core";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { Endpoint } from "../../src/endpoint.ts";
import { Udp } from "../../src/udp/udp.ts";
import { prependUdp, readUdp } from "../../src/udp/udp-header.ts";
import type { UdpDetails, UdpEndpoint, UdpOptions } from "../../src/udp/udp-service.ts";
import { ELSEWHERE, OWN, PEER, RecordingIp, SECOND } from "./recording-ip.ts";

const GROUP = ip("224.0.0.251");
const hello = new Uint8Array([104, 105]);

interface Seen {
  readonly payload: number[];
  readonly from: Endpoint;
  readonly details: UdpDetails;
}

let layer: RecordingIp;
let udp: Udp;
let drops: DropEvent[];

beforeEach(() => {
  layer = new RecordingIp();
  drops = [];
  const host: Host = {
    name: "h",
    clock: new VirtualClock(),
    random: new SeededRandom(7),
    observer: { observe: (event) => void (event.kind === "drop" && drops.push(event as DropEvent)) },
  };
  udp = new Udp(host, layer);
});

class Listener {
  readonly seen: Seen[] = [];
  readonly errors: [ErrorCode, Endpoint][] = [];
  readonly endpoint: UdpEndpoint;

  constructor(local: Partial<Endpoint>, options?: UdpOptions) {
    const endpoint = udp.bind(
      local,
      {
        received: (_, payload, from, details) => this.seen.push({ payload: [...payload], from, details }),
        failed: (_, error, about) => this.errors.push([error, about]),
      },
      options,
    );
    if (typeof endpoint === "string") throw new Error(endpoint);
    this.endpoint = endpoint;
  }
}

function segment(from: Endpoint, to: Endpoint, payload: Uint8Array = hello): Uint8Array {
  const packet = PacketBuffer.allocate(8, payload.length);
  packet.set(payload);
  prependUdp(packet, from.port, to.port, from.address, to.address);
  return packet.slice();
}

function arrive(from: Endpoint, to: Endpoint, payload: Uint8Array = hello): string {
  return layer.arrive(segment(from, to, payload), from.address, to.address);
}

const at = (address: IpAddress, port: number): Endpoint => ({ address, port });
const nobody = { received: () => {} };

describe("ports", () => {
  test("1122-4.1.3.1-1: a datagram to a closed port asks for a port unreachable", () => {
    expect(arrive(at(PEER, 5000), at(OWN, 53))).toBe("port-unreachable");
    expect(udp.counters.NoPorts).toBe(1);
    expect(drops).toMatchObject([{ layer: "udp", reason: "no-port", clause: "RFC 1122 §4.1.3.1" }]);
  });

  test("a port is free again after close, and closing twice is harmless", () => {
    const first = new Listener({ port: 53 });
    expect(udp.bind({ port: 53 }, nobody)).toBe("EADDRINUSE");
    first.endpoint.close();
    first.endpoint.close();
    expect(arrive(at(PEER, 5000), at(OWN, 53))).toBe("port-unreachable");
    expect(first.endpoint.send(hello, at(PEER, 1))).toBe("EBADF");
    expect(first.endpoint.connect(at(PEER, 1))).toBe("EBADF");
    expect(typeof udp.bind({ port: 53 }, nobody)).toBe("object");
    expect([...udp.endpoints]).toHaveLength(1);
  });

  test("different addresses share a port; the wildcard shares with nobody who did not agree", () => {
    new Listener(at(OWN, 53));
    new Listener(at(SECOND, 53));
    expect(udp.bind({ port: 53 }, nobody)).toBe("EADDRINUSE");
    expect(udp.bind(at(OWN, 53), nobody, { reuseAddress: true })).toBe("EADDRINUSE");
    new Listener({ port: 54 }, { reuseAddress: true });
    new Listener({ port: 54 }, { reuseAddress: true });
    expect(udp.bind({ port: 54 }, nobody)).toBe("EADDRINUSE");
    // The two families are two name spaces.
    new Listener(at(ip("2001:db8::1"), 53));
  });

  test("RFC 6056: an unspecified port is a random free one", () => {
    const ports = new Set<number>();
    for (let count = 0; count < 50; count += 1) ports.add(new Listener({}).endpoint.local.port);
    expect(ports.size).toBe(50);
    for (const port of ports) expect(port >= 32768 && port <= 60999).toBe(true);
  });

  test("limits: a full port range is EADDRINUSE, too many endpoints are ENOBUFS", () => {
    const host = { name: "h", clock: new VirtualClock(), random: new SeededRandom(1) };
    udp = new Udp(host, layer, { portRange: { first: 40000, last: 40001 }, endpointLimit: 3 });
    new Listener({});
    new Listener({});
    expect(udp.bind({}, nobody)).toBe("EADDRINUSE");
    new Listener({ port: 1 });
    expect(udp.bind({ port: 2 }, nobody)).toBe("ENOBUFS");
  });

  test("1122-4.1.3.5-2: the user names the local address or leaves it open; a foreign one is refused", () => {
    expect(new Listener({ port: 7 }).endpoint.local).toEqual(at(IPV4_ANY, 7));
    expect(new Listener(at(SECOND, 8)).endpoint.local).toEqual(at(SECOND, 8));
    expect(udp.bind(at(ELSEWHERE, 9), nobody)).toBe("EADDRNOTAVAIL");
  });
});

describe("receiving", () => {
  test("1122-4.1.3.5-1: the address the datagram was sent to is told", () => {
    const listener = new Listener({ port: 53 });
    expect(arrive(at(PEER, 5000), at(SECOND, 53))).toBe("delivered");
    expect(listener.seen).toMatchObject([{ payload: [104, 105], from: at(PEER, 5000), details: { destination: at(SECOND, 53) } }]);
    expect(udp.counters.InDatagrams).toBe(1);
  });

  test("1122-4.1.4-2: TOS, TTL and the interface are told", () => {
    const listener = new Listener({ port: 53 });
    arrive(at(PEER, 5000), at(OWN, 53));
    expect(listener.seen[0].details).toMatchObject({ timeToLive: 61, trafficClass: 0xb8, ipOptions: undefined });
    expect(listener.seen[0].details.arrival.interface).toBe(layer.interface);
  });

  test("1122-4.1.3.2-1: IP options are told as they came", () => {
    const options: number[][] = [];
    const user = {
      received: (_: UdpEndpoint, __: Uint8Array, ___: Endpoint, details: UdpDetails) => options.push([...(details.ipOptions ?? [])]),
    };
    udp.bind({ port: 53 }, user);
    layer.arrive(segment(at(PEER, 5000), at(OWN, 53)), PEER, OWN, new Uint8Array([7, 7, 4, 1, 2, 3, 4, 0]));
    expect(options).toEqual([[7, 7, 4, 1, 2, 3, 4, 0]]);
  });

  test("the most specific endpoint wins: connected, then bound to the address, then the newest on all", () => {
    const shared = { reuseAddress: true };
    const older = new Listener({ port: 53 }, shared);
    const wildcard = new Listener({ port: 53 }, shared);
    const bound = new Listener(at(OWN, 53), shared);
    const connected = new Listener({ port: 53 }, shared);
    expect(connected.endpoint.connect(at(PEER, 5000))).toBeUndefined();
    arrive(at(PEER, 5000), at(OWN, 53), new Uint8Array([1]));
    arrive(at(PEER, 5001), at(OWN, 53), new Uint8Array([2]));
    arrive(at(PEER, 5000), at(SECOND, 53), new Uint8Array([3]));
    const payloads = [connected, bound, wildcard, older].map((listener) => listener.seen.flatMap((seen) => seen.payload));
    expect(payloads).toEqual([[1], [2], [3], []]);
  });

  test("a connected endpoint hears its peer only", () => {
    const listener = new Listener({ port: 53 });
    listener.endpoint.connect(at(PEER, 5000));
    expect(arrive(at(PEER, 5001), at(OWN, 53))).toBe("port-unreachable");
    expect(arrive(at(ELSEWHERE, 5000), at(OWN, 53))).toBe("port-unreachable");
    expect(arrive(at(PEER, 5000), at(OWN, 53))).toBe("delivered");
    listener.endpoint.connect(undefined);
    expect(arrive(at(PEER, 5001), at(OWN, 53))).toBe("delivered");
  });

  test.each([
    ["multicast", GROUP],
    ["limited broadcast", IPV4_BROADCAST],
    ["directed broadcast", ip("192.0.2.255")],
  ])("a %s datagram goes to all endpoints that match, and to no other", (_, destination) => {
    const shared = { reuseAddress: true };
    const all = [new Listener({ port: 53 }, shared), new Listener({ port: 53 }, shared), new Listener(at(destination, 53), shared)];
    const other = new Listener(at(OWN, 53), shared);
    expect(arrive(at(PEER, 5000), at(destination, 53))).toBe("delivered");
    expect(all.map((listener) => listener.seen.length)).toEqual([1, 1, 1]);
    expect(other.seen).toEqual([]);
    // RFC 1122 §3.2.2: no ICMP error about a broadcast.
    expect(arrive(at(PEER, 5000), at(destination, 54))).toBe("dropped");
    expect(udp.counters).toMatchObject({ NoPorts: 0, IgnoredMulti: 1, InDatagrams: 3 });
  });

  test("an endpoint that is closed by its neighbour's callback hears nothing more", () => {
    const seen: string[] = [];
    const endpoints: UdpEndpoint[] = [];
    for (const name of ["a", "b"]) {
      const received = (): void => {
        seen.push(name);
        for (const endpoint of endpoints) endpoint.close();
      };
      endpoints.push(udp.bind({ port: 53 }, { received }, { reuseAddress: true }) as UdpEndpoint);
    }
    arrive(at(PEER, 5000), at(GROUP, 53));
    expect(seen).toEqual(["a"]);
  });

  test("1122-4.1.3.4-1, 1122-4.1.3.4-2: a bad checksum is dropped in silence", () => {
    const listener = new Listener({ port: 53 });
    const bytes = segment(at(PEER, 5000), at(OWN, 53));
    bytes[9] ^= 1;
    expect(layer.arrive(bytes, PEER)).toBe("dropped");
    expect(listener.seen).toEqual([]);
    expect(udp.counters).toMatchObject({ InErrors: 1, InCsumErrors: 1, NoPorts: 0 });
    expect(drops).toMatchObject([{ reason: "bad-checksum", clause: "RFC 1122 §4.1.3.4" }]);
  });

  test("1122-4.1.3.4-4: no checksum is accepted over IPv4, unless the receiver insists; never over IPv6", () => {
    const lenient = new Listener({ port: 53 });
    const strict = new Listener({ port: 54 }, { requireChecksum: true });
    for (const port of [53, 54]) {
      const bytes = segment(at(PEER, 5000), at(OWN, port));
      bytes.fill(0, 6, 8);
      layer.arrive(bytes, PEER);
    }
    expect([lenient.seen.length, strict.seen.length]).toEqual([1, 0]);
    const own6 = ip("2001:db8::1");
    const peer6 = ip("2001:db8::9");
    const listener6 = new Listener(at(own6, 53));
    const bytes = segment(at(peer6, 5000), at(own6, 53));
    expect(layer.arrive(bytes, peer6, own6)).toBe("delivered");
    bytes.fill(0, 6, 8);
    expect(layer.arrive(bytes, peer6, own6)).toBe("dropped");
    expect(listener6.seen).toHaveLength(1);
  });

  test.each([GROUP, IPV4_BROADCAST, ip("192.0.2.255")])("1122-4.1.3.6-1: a source that nobody can have is dropped in silence", (source) => {
    const listener = new Listener({ port: 53 });
    expect(arrive(at(source, 5000), at(OWN, 53))).toBe("dropped");
    expect(listener.seen).toEqual([]);
    expect(drops).toMatchObject([{ reason: "bad-source" }]);
  });

  test("octets behind the datagram are not part of it; an empty datagram is one", () => {
    const listener = new Listener({ port: 53 });
    layer.arrive(new Uint8Array([...segment(at(PEER, 5000), at(OWN, 53)), 9, 9, 9]), PEER);
    arrive(at(PEER, 5000), at(OWN, 53), new Uint8Array(0));
    expect(listener.seen.map((seen) => seen.payload)).toEqual([[104, 105], []]);
  });

  test("random octets are delivered, answered or dropped, but never throw", () => {
    new Listener({ port: 53 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const before = udp.counters.InDatagrams + udp.counters.NoPorts + udp.counters.InErrors;
        layer.arrive(bytes, PEER);
        expect(udp.counters.InDatagrams + udp.counters.NoPorts + udp.counters.InErrors).toBe(before + 1);
      }),
    );
  });

  test("a datagram cut at every octet is dropped and counted", () => {
    const listener = new Listener({ port: 53 });
    const whole = segment(at(PEER, 5000), at(OWN, 53));
    for (let length = 0; length < whole.length; length += 1) expect(layer.arrive(whole.subarray(0, length), PEER)).toBe("dropped");
    expect(listener.seen).toEqual([]);
    expect(udp.counters.InErrors).toBe(whole.length);
  });
});

describe("sending", () => {
  test("1122-4.1.3.4-1, 1122-4.1.3.4-3: a checksum is made, unless the user says otherwise", () => {
    const { endpoint } = new Listener({ port: 53 });
    expect(endpoint.send(hello, at(PEER, 5000))).toBeUndefined();
    const [{ packet, options }] = layer.sent;
    expect(packet.u16(6)).not.toBe(0);
    expect(readUdp(packet, options.source, options.destination)).toMatchObject({ sourcePort: 53, destinationPort: 5000, length: 10 });
    endpoint.set({ noChecksum: true });
    endpoint.send(hello, at(PEER, 5000));
    expect(layer.sent[1].packet.u16(6)).toBe(0);
    expect(udp.counters.OutDatagrams).toBe(2);
  });

  test("RFC 8200 §8.1: over IPv6 there is always a checksum", () => {
    const { endpoint } = new Listener({ address: ip("::"), port: 53 }, { noChecksum: true, ipv6Only: true });
    expect(endpoint.send(hello, at(ip("2001:db8::9"), 5000))).toBeUndefined();
    expect(layer.sent[0].packet.u16(6)).not.toBe(0);
    expect(endpoint.send(hello, at(PEER, 5000))).toBe("EAFNOSUPPORT");
  });

  test("1122-4.1.3.6-2: only an address of this host is sent from", () => {
    const { endpoint } = new Listener({ port: 53 });
    expect(endpoint.send(hello, at(PEER, 5000), { source: ELSEWHERE })).toBe("EADDRNOTAVAIL");
    expect(endpoint.send(hello, at(PEER, 5000), { source: SECOND })).toBeUndefined();
    endpoint.send(hello, at(PEER, 5000));
    new Listener(at(SECOND, 54)).endpoint.send(hello, at(PEER, 5000));
    // A group is no source.
    new Listener(at(GROUP, 55)).endpoint.send(hello, at(PEER, 5000));
    expect(layer.sent.map(({ options }) => options.source)).toEqual([SECOND, OWN, SECOND, OWN]);
  });

  test("1122-4.1.3.2-2, 1122-4.1.4-1: TTL, TOS, IP options and don't-fragment go down, of the endpoint or of the datagram", () => {
    const ipOptions = new Uint8Array([1, 1, 1, 0]);
    const { endpoint } = new Listener({ port: 53 }, { timeToLive: 9, trafficClass: 4 });
    endpoint.send(hello, at(PEER, 5000));
    endpoint.send(hello, at(PEER, 5000), { timeToLive: 3, ipOptions, dontFragment: true });
    expect(layer.sent[0].options).toMatchObject({ timeToLive: 9, trafficClass: 4, options: undefined });
    expect(layer.sent[1].options).toMatchObject({ timeToLive: 3, trafficClass: 4, options: ipOptions, dontFragment: true });
  });

  test("RFC 1112 §6.1: multicast has a TTL of 1 unless the user says otherwise, and goes where the user says", () => {
    const { endpoint } = new Listener({ port: 53 });
    endpoint.send(hello, at(GROUP, 5353));
    endpoint.send(hello, at(GROUP, 5353), { timeToLive: 8, interface: layer.interface });
    expect(layer.sent.map(({ options }) => [options.timeToLive, options.source, options.interface])).toEqual([
      [1, OWN, undefined],
      [8, SECOND, layer.interface],
    ]);
  });

  test("1122-4.1.3.5-3: connecting tells the address that was chosen, dissolving gives it back", () => {
    const { endpoint } = new Listener({ port: 53 });
    expect(endpoint.connect(at(PEER, 5000))).toBeUndefined();
    expect([endpoint.local, endpoint.remote]).toEqual([at(OWN, 53), at(PEER, 5000)]);
    expect(endpoint.send(hello)).toBeUndefined();
    expect(layer.sent[0].options).toMatchObject({ source: OWN, destination: PEER });
    expect(endpoint.send(hello, at(PEER, 5000))).toBeUndefined();
    endpoint.connect(undefined);
    expect([endpoint.local, endpoint.remote]).toEqual([at(IPV4_ANY, 53), undefined]);
    expect(endpoint.send(hello)).toBe("EDESTADDRREQ");
  });

  test("each misuse has its error", () => {
    const { endpoint } = new Listener({ port: 53 });
    expect(endpoint.send(hello, at(ELSEWHERE, 5000))).toBe("ENETUNREACH");
    expect(endpoint.connect(at(ELSEWHERE, 5000))).toBe("ENETUNREACH");
    expect(endpoint.send(hello, at(PEER, 0))).toBe("EINVAL");
    expect(endpoint.send(hello, at(PEER, 65536))).toBe("EINVAL");
    expect(endpoint.send(hello, at(IPV4_ANY, 5000))).toBe("EADDRNOTAVAIL");
    expect(endpoint.send(new Uint8Array(65508), at(PEER, 5000))).toBe("EMSGSIZE");
    expect(endpoint.send(new Uint8Array(70000), at(PEER, 5000))).toBe("EMSGSIZE");
    expect(endpoint.send(new Uint8Array(65507), at(PEER, 5000))).toBeUndefined();
    expect(endpoint.send(new Uint8Array(1473), at(PEER, 5000), { dontFragment: true })).toBe("EMSGSIZE");
    expect(udp.counters.OutDatagrams).toBe(1);
  });

  test("a broadcast needs the option", () => {
    const { endpoint } = new Listener({ port: 53 });
    for (const address of [IPV4_BROADCAST, ip("192.0.2.255")]) {
      expect(endpoint.send(hello, at(address, 67))).toBe("EACCES");
      expect(endpoint.connect(at(address, 67))).toBe("EACCES");
    }
    endpoint.set({ broadcast: true });
    expect(endpoint.send(hello, at(IPV4_BROADCAST, 67))).toBeUndefined();
  });

  test("the payload is copied: who reuses the array changes nothing that was sent", () => {
    const payload = new Uint8Array([1, 2, 3]);
    new Listener({ port: 53 }).endpoint.send(payload, at(PEER, 5000));
    payload.fill(9);
    expect([...layer.sent[0].packet.view(8)]).toEqual([1, 2, 3]);
  });
});

describe("ICMP errors", () => {
  test.each([
    ["port-unreachable", "ECONNREFUSED"],
    ["host-unreachable", "EHOSTUNREACH"],
    ["network-unreachable", "ENETUNREACH"],
    ["protocol-unreachable", "ENOPROTOOPT"],
    ["prohibited", "EHOSTUNREACH"],
    ["time-exceeded", "EHOSTUNREACH"],
    ["source-route-failed", "EOPNOTSUPP"],
    ["parameter-problem", "EINVAL"],
  ] as const)("1122-4.1.3.3-1: %s reaches the endpoint as %s", (kind, code) => {
    const connected = new Listener({ port: 53 }, { reuseAddress: true });
    connected.endpoint.connect(at(PEER, 5000));
    const unconnected = new Listener({ port: 54 });
    connected.endpoint.send(hello);
    unconnected.endpoint.send(hello, at(PEER, 7));
    for (const sent of layer.sent) layer.complain(kind, sent);
    expect(connected.errors).toEqual([[code, at(PEER, 5000)]]);
    expect(unconnected.errors).toEqual([[code, at(PEER, 7)]]);
  });

  test("RFC 1191 §3: a datagram that was too big teaches the path MTU", () => {
    const listener = new Listener({ port: 53 }, { dontFragment: true });
    listener.endpoint.send(hello, at(PEER, 7));
    layer.complain("packet-too-big", layer.sent[0], 576);
    expect(listener.errors).toEqual([["EMSGSIZE", at(PEER, 7)]]);
    expect(layer.reduced).toEqual([[PEER, 576]]);
  });

  test("RFC 5927 §7.2: one that might have been fragmented was never too big, and teaches nothing; the user hears of it", () => {
    const listener = new Listener({ port: 53 });
    listener.endpoint.send(hello, at(ip("192.0.2.77"), 7), { dontFragment: true });
    listener.endpoint.send(hello, at(PEER, 7));
    layer.complain("packet-too-big", layer.sent[1], 68);
    expect([listener.errors, layer.reduced]).toEqual([[["EMSGSIZE", at(PEER, 7)]], []]);
  });

  test("RFC 5927 §4: an error about what no endpoint can have sent changes nothing", () => {
    const listener = new Listener({ port: 53 });
    listener.endpoint.send(hello, at(PEER, 7));
    listener.endpoint.connect(at(PEER, 8));
    layer.complain("packet-too-big", layer.sent[0], 68);
    expect([listener.errors, layer.reduced]).toEqual([[], []]);
    listener.endpoint.close();
    layer.complain("port-unreachable", layer.sent[0]);
    expect(listener.errors).toEqual([]);
  });
});

test("what a user above had no room for is counted under Linux's names", () => {
  udp.refused();
  expect(udp.counters).toMatchObject({ RcvbufErrors: 1, InErrors: 1 });
  expect(drops).toMatchObject([{ reason: "receive-buffer-full" }]);
});
