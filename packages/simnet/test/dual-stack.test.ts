// Sockets that serve both families, and those that do not.
import type { Stack } from "@netstrata/socket";
import { expect, test } from "vitest";
import { SimulatedWorld } from "../src/index.ts";

interface Dual {
  readonly world: SimulatedWorld;
  readonly client: Stack;
  readonly server: Stack;
}

/** Two hosts on two wires: 192.0.2.1 and .2, 2001:db8::1 and ::2. */
function dualStack(): Dual {
  const world = new SimulatedWorld({ seed: 1 });
  const client = world.host("client");
  const server = world.host("server");
  for (const network of ["192.0.2.0/24", "2001:db8::/64"]) world.wire(client, server, { medium: "ip", network });
  return { world, client, server };
}

async function peerOf(server: Stack, client: Stack, to: string, hostname?: string): Promise<string | undefined> {
  await using listener = server.listen({ port: 80, hostname });
  await using asking = client.connect(to);
  const [accepted] = await Promise.all([listener.accept(), asking.opened]);
  const { remote } = accepted;
  accepted.abort();
  return remote?.address;
}

test("a listener without a hostname is reached by both families, and names peers by the address they have", async () => {
  const { world, client, server } = dualStack();
  await using _ = world;
  await world.run(async () => {
    expect(await peerOf(server, client, "192.0.2.2:80")).toBe("192.0.2.1");
    expect(await peerOf(server, client, "[2001:db8::2]:80")).toBe("2001:db8::1");
  });
});

test("a listener on 0.0.0.0, or on '::' with ipv6Only, is refused to the other family; both may share a port", async () => {
  const { world, client, server } = dualStack();
  await using _ = world;
  await world.run(async () => {
    await using v4 = server.listen({ port: 80, hostname: "0.0.0.0" });
    await expect(client.connect("[2001:db8::2]:80").opened).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(() => server.listen({ port: 80 })).toThrow("EADDRINUSE");
    await using v6 = server.listen({ port: 80, hostname: "::", ipv6Only: true });
    const asked = [client.connect("192.0.2.2:80"), client.connect("[2001:db8::2]:80")];
    expect((await v4.accept()).remote?.family).toBe(4);
    expect((await v6.accept()).remote?.family).toBe(6);
    for (const socket of asked) socket.abort();
  });
});

test("one UDP socket asks and answers in both families; one with ipv6Only does not", async () => {
  const { world, client, server } = dualStack();
  await using _ = world;
  await world.run(async () => {
    await using asked = server.udp({ port: 53 });
    await using asking = client.udp();
    for (const to of ["192.0.2.2:53", "[2001:db8::2]:53"]) {
      await asking.send(Uint8Array.of(1), to);
      const question = await asked.receive();
      await asked.send(question.data, question);
      const answer = await asking.receive();
      expect(`${answer.family === 6 ? `[${answer.address}]` : answer.address}:${answer.port}`).toBe(to);
    }
    await using only = client.udp({ hostname: "::", ipv6Only: true });
    await expect(only.send(Uint8Array.of(1), "192.0.2.2:53")).rejects.toMatchObject({ code: "EAFNOSUPPORT" });
  });
});
