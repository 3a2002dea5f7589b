// A listener for any address and port: connections are taken for hosts that are not there, as gateways and emulators do.
import { ip, prefix } from "@netstrata/core";
import { expect, test } from "vitest";
import type { Stack } from "../src/index.ts";
import { rejection, type TwoStacks, twoStacks } from "./two-stacks.ts";

/** The client sends everything to the server. */
function gatewayAndGuest(): TwoStacks {
  const stacks = twoStacks({ client: { routes: [] } });
  const [, wire] = stacks.client.layers.internet.interfaces;
  for (const each of ["0.0.0.0/0", "::/0"]) {
    stacks.client.layers.internet.routes.add({ prefix: prefix(each), interface: wire });
  }
  for (const [stack, address] of [
    [stacks.client, "2001:db8::1/64"],
    [stacks.server, "2001:db8::2/64"],
  ] as const) {
    stack.layers.internet.addAddress(stack.layers.internet.interfaces[1], prefix(address));
  }
  return stacks;
}

/** What an echo server, told as whom it is spoken to, answers. */
async function ask(client: Stack, server: ReturnType<Stack["listen"]>, address: string): Promise<string> {
  const socket = client.connect(address);
  const accepted = await server.accept();
  await socket.write(new TextEncoder().encode("who?"));
  expect(new TextDecoder().decode((await accepted.read()) ?? undefined)).toBe("who?");
  await accepted.write(new TextEncoder().encode(`${accepted.local?.address} ${accepted.local?.port}`));
  const answer = new TextDecoder().decode((await socket.read()) ?? undefined);
  await Promise.all([socket.close(), accepted.close()]);
  return answer;
}

test("connections to any address and port are taken, of both families; the local end says where they wanted to go", async () => {
  const { client, server, run } = gatewayAndGuest();
  const listener = server.listen({ transparent: true });
  expect(listener.address.port).toBe(0);
  await run(async () => {
    for (const [address, port] of [
      ["203.0.113.9", 80],
      ["198.51.100.1", 443],
      ["10.0.0.2", 8080],
      ["2001:db8:9::9", 25],
    ] as const) {
      const text = address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
      expect(await ask(client, listener, text)).toBe(`${address} ${port}`);
    }
  });
});

test("of one port only, where one is named; every other listener goes before", async () => {
  const { client, server, run } = gatewayAndGuest();
  const any = server.listen({ transparent: true, port: 80 });
  const own = server.listen({ port: 80 });
  await run(async () => {
    expect(await ask(client, any, "203.0.113.9:80")).toBe("203.0.113.9 80");
    expect(await ask(client, own, "10.0.0.2:80")).toBe("10.0.0.2 80");
    // What nobody listens for is for nobody here, as without it.
    const elsewhere = client.connect("203.0.113.9:81", { userTimeout: 3000 });
    expect(await rejection(elsewhere.opened)).toMatchObject({ code: "ETIMEDOUT" });
  });
  expect(server.layers.internet.ipv4.drops.counters["not-for-us"]).toBeGreaterThan(0);
});

test("connections outlive their listener, and then nothing is taken any more", async () => {
  const { client, server, run } = gatewayAndGuest();
  const listener = server.listen({ transparent: true });
  await run(async () => {
    const socket = client.connect("203.0.113.9:80");
    const accepted = await listener.accept();
    await listener.close();
    await socket.write(new TextEncoder().encode("still there?"));
    expect((await accepted.read())?.length).toBe(12);
    await Promise.all([socket.close(), accepted.close()]);
  });
  const late = client.connect("203.0.113.9:80", { userTimeout: 3000 });
  expect(await run(() => rejection(late.opened))).toMatchObject({ code: "ETIMEDOUT" });
});

test("an ACK out of nowhere is answered with a reset in the name of whom it was for", async () => {
  const { client, server, clock } = gatewayAndGuest();
  const listener = server.listen({ transparent: true });
  const socket = client.connect("203.0.113.9:80");
  for (let steps = 0; steps < 40; steps += 1) clock.step();
  server.layers.tcp.close();
  server.listen({ transparent: true });
  for (let steps = 0; steps < 40; steps += 1) clock.step();
  expect(await rejection(socket.closed)).toMatchObject({ code: "ECONNRESET" });
  await listener.close();
});

test("two of one port are in each other's way, and it is for all addresses or none", () => {
  const { server } = gatewayAndGuest();
  server.listen({ transparent: true, port: 80 });
  server.listen({ transparent: true });
  expect(() => server.listen({ transparent: true, port: 80 })).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  expect(() => server.listen({ transparent: true, hostname: "10.0.0.2" })).toThrow(expect.objectContaining({ code: "EADDRNOTAVAIL" }));
  expect(server.layers.tcp.listenerCount).toBe(2);
});

test("nobody else may speak as another, listener or not", async () => {
  const { server, run } = gatewayAndGuest();
  server.listen({ transparent: true });
  const socket = server.connect("10.0.0.1:80", { localAddress: "203.0.113.9" });
  expect(await run(() => rejection(socket.opened))).toMatchObject({ code: "EADDRNOTAVAIL" });
  expect(server.layers.internet.isLocal(ip("203.0.113.9"))).toBe(false);
});
