// A router with address translation in a world: whole connections, datagrams, errors and traces through it, on lossy wires too.
import { ip } from "@netstrata/core";
import type { Stack } from "@netstrata/socket";
import { expect, test } from "vitest";
import { simulate, type World } from "../src/index.ts";

interface NatWorld {
  readonly world: World;
  readonly inner: readonly Stack[];
  readonly nat: Stack;
  readonly server: Stack;
}

function natWorld(loss = 0, mtu = 1500): NatWorld {
  const world = simulate({ seed: 7 });
  const nat = world.router("nat", { nat: { outside: "wan" }, filter: { input: ["accept"] } });
  const lan = world.switch({ network: "192.168.1.0/24" });
  lan.attach(nat, { address: "192.168.1.1/24", name: "lan" });
  const inner = ["alice", "bob"].map((name) => world.host(name));
  for (const host of inner) lan.attach(host, { gateway: "192.168.1.1" });
  const isp = world.router("isp");
  const server = world.host("server");
  world.wire(nat, isp, { network: "203.0.113.0/24", names: ["wan", "eth0"], latency: 5, faults: { drop: loss } });
  world.wire(isp, server, { network: "198.51.100.0/24", latency: 5, mtu });
  world.computeRoutes();
  // The outside knows nothing of inner networks.
  for (const host of [isp, server]) host.layers.internet.routes.remove(({ prefix }) => prefix.address === ip("192.168.1.0"));
  return { world, inner, nat, server };
}

const OCTETS = 300_000;

test.each([
  ["a clean wire", 0, 1500],
  ["a lossy wire", 0.03, 1500],
  ["a narrow wire, whose MTU is found through the translation (RFC 1191)", 0, 1280],
])("two hosts send from the same port at the same time over %s", async (_, loss, mtu) => {
  const { world, inner, server, nat } = natWorld(loss, mtu);
  await world.run(async () => {
    const listener = server.listen({ port: 80, allowHalfOpen: true });
    const sending = inner.map(async (host, index) => {
      const socket = host.connect("198.51.100.2:80", { localPort: 5000 });
      await socket.write(new Uint8Array(OCTETS).fill(index + 1));
      await socket.closeWrite();
      let received = 0;
      for await (const bytes of socket) received += bytes.length;
      return received;
    });
    const serving = inner.map(async () => {
      const socket = await listener.accept();
      let received = 0;
      const seen = new Set<number>();
      for await (const bytes of socket) {
        received += bytes.length;
        seen.add(bytes[0]);
      }
      await socket.write(new Uint8Array(OCTETS));
      await socket.close();
      return [received, seen.size, socket.remote?.address];
    });
    expect(await Promise.all(serving)).toEqual([
      [OCTETS, 1, "203.0.113.1"],
      [OCTETS, 1, "203.0.113.1"],
    ]);
    expect(await Promise.all(sending)).toEqual([OCTETS, OCTETS]);
    await listener.close();
  });
  expect(nat.layers.internet.gateway?.nat?.mappings.size).toBe(2);
  await world.settle();
  await world.close();
  expect(world.leaks()).toEqual([]);
});
