// Two hosts and two routers between them, over Ethernet: the layer in its place.
import { formatIp, type Host, ip, type PacketBuffer, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import { createWire, EthernetInterface, IpInterface, type LinkDevice, LoopbackDevice } from "@netstrata/link";
import { expect, test } from "vitest";
import { InternetLayer, type InternetOptions } from "../src/index.ts";
import { octets, RecordingHandler } from "./bench-host.ts";

class Node {
  readonly layer: InternetLayer;
  readonly udp = new RecordingHandler(17);
  readonly links: EthernetInterface[] = [];
  private readonly host: Host;

  constructor(name: string, clock: VirtualClock, options: InternetOptions = {}) {
    this.host = { name, clock, random: new SeededRandom(1).fork(name) };
    this.layer = new InternetLayer(this.host, options);
    const loopback = new IpInterface(this.host, new LoopbackDevice(clock));
    loopback.addAddress(prefix("127.0.0.1/8"));
    this.layer.addInterface(loopback, { loopback: true });
    this.layer.register(this.udp);
  }

  plug(device: LinkDevice, address: string): EthernetInterface {
    const link = new EthernetInterface(this.host, device);
    this.layer.addInterface(link);
    this.layer.addAddress(link, prefix(address));
    this.links.push(link);
    return link;
  }

  route(to: string, link: EthernetInterface, nextHop: string): void {
    this.layer.routes.add({ prefix: prefix(to), interface: link, nextHop: ip(nextHop) });
  }
}

/** a 10.0.1.2 - 10.0.1.1 r 10.0.2.1 - 10.0.2.2 s 10.0.3.1 - 10.0.3.2 b; the wire in the middle has the given MTU. */
function network(mtu = 1500): { readonly clock: VirtualClock; readonly a: Node; readonly r: Node; readonly s: Node; readonly b: Node } {
  const clock = new VirtualClock();
  const [left, middle, right] = [
    createWire(clock, { latency: 1 }),
    createWire(clock, { latency: 10, mtu }),
    createWire(clock, { latency: 1 }),
  ];
  const [a, b] = [new Node("a", clock), new Node("b", clock)];
  const [r, s] = [new Node("r", clock, { forwarding: true }), new Node("s", clock, { forwarding: true })];
  a.route("0.0.0.0/0", a.plug(left.a, "10.0.1.2/24"), "10.0.1.1");
  r.plug(left.b, "10.0.1.1/24");
  r.route("10.0.3.0/24", r.plug(middle.a, "10.0.2.1/24"), "10.0.2.2");
  s.route("10.0.1.0/24", s.plug(middle.b, "10.0.2.2/24"), "10.0.2.1");
  s.plug(right.a, "10.0.3.1/24");
  b.route("0.0.0.0/0", b.plug(right.b, "10.0.3.2/24"), "10.0.3.1");
  return { clock, a, r, s, b };
}

interface Answers {
  readonly lines: string[];
  reply(sequence: number, payload: PacketBuffer, header: { readonly source: unknown }): void;
  error(error: { readonly kind: string; readonly from: Parameters<typeof formatIp>[0]; readonly mtu: number }, sequence: number): void;
}

function answers(): Answers {
  const lines: string[] = [];
  return {
    lines,
    reply: (sequence, payload, header) =>
      lines.push(`${sequence}: ${payload.length} octets from ${formatIp(header.source as Parameters<typeof formatIp>[0])}`),
    error: ({ kind, from, mtu }, sequence) => lines.push(`${sequence}: ${kind}${mtu === 0 ? "" : ` ${mtu}`} from ${formatIp(from)}`),
  };
}

test("a ping crosses two routers and comes back, each hop resolved by ARP", () => {
  const { clock, a } = network();
  const seen = answers();
  a.layer.echo.open(seen).send({ destination: ip("10.0.3.2"), sequence: 1, payload: octets(56) });
  clock.advance(200);
  expect(seen.lines).toEqual(["1: 56 octets from 10.0.3.2"]);
});

test("traceroute sees the routers one by one", () => {
  const { clock, a } = network();
  const seen = answers();
  const client = a.layer.echo.open(seen);
  for (let timeToLive = 1; timeToLive <= 3; timeToLive += 1) {
    client.send({ destination: ip("10.0.3.2"), sequence: timeToLive, timeToLive });
    clock.advance(200);
  }
  expect(seen.lines).toEqual(["1: time-exceeded from 10.0.1.1", "2: time-exceeded from 10.0.2.2", "3: 0 octets from 10.0.3.2"]);
});

test("a large ping is cut by the sender, cut again by a router, put together at the end, and so is its answer", () => {
  const { clock, a, r, s, b } = network(576);
  const seen = answers();
  a.layer.echo.open(seen).send({ destination: ip("10.0.3.2"), sequence: 1, payload: octets(5000) });
  clock.advance(500);
  expect(seen.lines).toEqual(["1: 5000 octets from 10.0.3.2"]);
  expect(r.layer.ipv4.counters.FragCreates).toBeGreaterThan(8);
  expect(s.layer.ipv4.counters.FragCreates).toBeGreaterThan(8);
  expect([a, b].map(({ layer }) => layer.ipv4.counters.ReasmOKs)).toEqual([1, 1]);
});

test("RFC 1191: the path MTU is found by what the router says, and the next attempt fits", () => {
  const { clock, a } = network(576);
  const seen = answers();
  const client = a.layer.echo.open(seen);
  expect(client.send({ destination: ip("10.0.3.2"), sequence: 1, payload: octets(1472), dontFragment: true })).toBe("sent");
  clock.advance(200);
  expect(a.layer.maxSendSize(ip("10.0.3.2"))).toBe(556);
  expect(client.send({ destination: ip("10.0.3.2"), sequence: 2, payload: octets(1472), dontFragment: true })).toBe("message-too-long");
  expect(client.send({ destination: ip("10.0.3.2"), sequence: 3, payload: octets(548), dontFragment: true })).toBe("sent");
  clock.advance(200);
  expect(seen.lines).toEqual(["1: packet-too-big 576 from 10.0.1.1", "3: 548 octets from 10.0.3.2"]);
});

test("1812-5.2.7.1-1: nobody at the destination: the last router says so after ARP has given up", () => {
  const { clock, a } = network();
  const seen = answers();
  a.layer.echo.open(seen).send({ destination: ip("10.0.3.77"), sequence: 1 });
  clock.advance(10_000);
  expect(seen.lines).toEqual(["1: host-unreachable from 10.0.2.2"]);
});

test("nobody at the neighbour's address: the sender's own layer says so", () => {
  const { clock, a } = network();
  const seen = answers();
  a.layer.echo.open(seen).send({ destination: ip("10.0.1.77"), sequence: 1 });
  expect(seen.lines).toEqual([]);
  clock.advance(10_000);
  expect(seen.lines).toEqual(["1: host-unreachable from 10.0.1.2"]);
});

test("a loop of routes ends with the TTL", () => {
  const { clock, a, r, s } = network();
  r.route("10.9.0.0/16", r.links[1], "10.0.2.2");
  s.route("10.9.0.0/16", s.links[0], "10.0.2.1");
  const seen = answers();
  a.layer.echo.open(seen).send({ destination: ip("10.9.9.9"), sequence: 1, timeToLive: 20 });
  clock.advance(2000);
  // 20 steps: a to r, then to and fro.
  expect(seen.lines).toEqual(["1: time-exceeded from 10.0.2.2"]);
  expect(r.layer.ipv4.counters.ForwDatagrams + s.layer.ipv4.counters.ForwDatagrams).toBe(19 + 1);
});
