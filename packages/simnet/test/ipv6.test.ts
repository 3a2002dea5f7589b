// Two whole stacks over IPv6, from the socket down to the wire and back.
import type { Stack } from "@netstrata/socket";
import { expect, test } from "vitest";
import { SimulatedWorld, twoHosts } from "../src/index.ts";

/** Carries bare datagrams, so that no neighbour has to be asked for. */
const wire = { medium: "ip", network: "2001:db8:1::/64" } as const;

async function echoOnce(server: Stack): Promise<string | undefined> {
  await using listener = server.listen({ port: 80, hostname: "::" });
  const accepted = await listener.accept();
  const from = accepted.remote?.address;
  for (let chunk = await accepted.read(); chunk !== null; chunk = await accepted.read()) await accepted.write(chunk);
  await accepted.close();
  return from;
}

async function throughEcho(client: Stack, to: string, sent: Uint8Array): Promise<Buffer> {
  await using socket = client.connect(to);
  const written = socket.write(sent);
  const chunks: Uint8Array[] = [];
  let count = 0;
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
    chunks.push(chunk);
    count += chunk.length;
    if (count >= sent.length) break;
  }
  await written;
  return Buffer.concat(chunks);
}

const octets = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);

test("TCP over IPv6: 256 KiB there and back, between addresses that the network gave out", async () => {
  await using world = new SimulatedWorld({ seed: 1 });
  const { client, server } = twoHosts(world, { wire: { ...wire, latency: 5 } });
  const sent = octets(1 << 18);
  const [from, received] = await world.run(() => Promise.all([echoOnce(server), throughEcho(client, "[2001:db8:1::2]:80", sent)]));
  expect(from).toBe("2001:db8:1::1");
  expect(Buffer.compare(received, sent)).toBe(0);
  expect(client.layers.internet.ipv4.counters.OutRequests).toBe(0);
  expect(server.layers.internet.ipv6.counters.InHdrErrors).toBe(0);
});

test("TCP over IPv6 by ::1, inside one host", async () => {
  await using world = new SimulatedWorld({ seed: 2 });
  const host = world.host("host");
  const [from, received] = await world.run(() => Promise.all([echoOnce(host), throughEcho(host, "[::1]:80", octets(100_000))]));
  expect(from).toBe("::1");
  expect(Buffer.compare(received, octets(100_000))).toBe(0);
});

test("TCP over IPv6 with loss, and with devices that leave checksums and cutting to others", async () => {
  await using world = new SimulatedWorld({ seed: 3 });
  const { client, server } = twoHosts(world, { wire: { ...wire, latency: 5, faults: { drop: 0.05 } } });
  const sent = octets(200_000);
  const [, received] = await world.run(() => Promise.all([echoOnce(server), throughEcho(client, "[2001:db8:1::2]:80", sent)]));
  expect(Buffer.compare(received, sent)).toBe(0);
  const offload = { checksum: true, segmentation: 65535 };
  const a = world.host("a");
  const router = world.router("router");
  const b = world.host("b");
  world.wire(a, router, { medium: "ip", network: "2001:db8:2::/64", offload });
  world.wire(router, b, { medium: "ip", network: "2001:db8:3::/64" });
  const [, routed] = await world.run(() => Promise.all([echoOnce(b), throughEcho(a, "[2001:db8:3::2]:80", sent)]));
  expect(Buffer.compare(routed, sent)).toBe(0);
  expect(b.layers.tcp.counters.InCsumErrors).toBe(0);
});

test("UDP over IPv6: 65,000 octets in fragments, and a port where nobody is", async () => {
  await using world = new SimulatedWorld({ seed: 4 });
  const { client, server } = twoHosts(world, { wire: { ...wire, latency: 5 } });
  await world.run(async () => {
    await using asked = server.udp({ port: 53, hostname: "::" });
    const errors: string[] = [];
    await using asking = client.udp({ hostname: "::", onError: (error) => errors.push(`${error.code} ${error.address}`) });
    await asking.send(octets(65_000), "[2001:db8:1::2]:53");
    const question = await asked.receive();
    expect(question).toMatchObject({ address: "2001:db8:1::1", family: 6, destination: "2001:db8:1::2" });
    expect(Buffer.compare(question.data, octets(65_000))).toBe(0);
    await asked.send(question.data, question);
    expect((await asking.receive()).data.length).toBe(65_000);
    await asking.send(octets(10), "[2001:db8:1::2]:54");
    await world.sleep(100);
    expect(errors).toEqual(["ECONNREFUSED 2001:db8:1::2"]);
  });
  expect(server.layers.internet.ipv6.counters).toMatchObject({ ReasmReqds: 45, ReasmOKs: 1, ReasmFails: 0 });
});

test("RFC 8201 §4: a narrow link behind a router makes TCP's segments smaller, without a segment that is lost twice", async () => {
  await using world = new SimulatedWorld({ seed: 5 });
  const client = world.host("client");
  const router = world.router("router");
  const server = world.host("server");
  world.wire(client, router, { medium: "ip", network: "2001:db8:2::/64", latency: 5 });
  world.wire(router, server, { medium: "ip", network: "2001:db8:3::/64", latency: 5, mtu: 1280 });
  const sent = octets(100_000);
  const [, received] = await world.run(() => Promise.all([echoOnce(server), throughEcho(client, "[2001:db8:3::2]:80", sent)]));
  expect(Buffer.compare(received, sent)).toBe(0);
  expect(router.layers.internet.icmpv6.counters.OutPktTooBigs).toBe(0);
  // The SYN has told the server's MSS. UDP does not know of the path before a router says so.
  await world.run(async () => {
    await using asked = server.udp({ port: 53, hostname: "::" });
    await using asking = client.udp({ hostname: "::" });
    await asking.send(octets(1400), "[2001:db8:3::2]:53");
    await world.sleep(100);
    await asking.send(octets(1400), "[2001:db8:3::2]:53");
    expect((await asked.receive()).data.length).toBe(1400);
  });
  expect(router.layers.internet.icmpv6.counters.OutPktTooBigs).toBe(1);
  expect(client.layers.internet.maxSendSize(client.hosts.resolve("server"))).toBe(1240);
});
