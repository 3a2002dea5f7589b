// AF_INET6 sockets: IPv6, and IPv4 in mapped addresses (RFC 3493 §3.7, §5.3).

import { SeededRandom, VirtualClock } from "@netstrata/core";
import { expect, test } from "vitest";
import { createStack, type Stack } from "../../src/index.ts";
import * as c from "../../src/posix/linux-numbers.ts";

function stack(): { readonly stack: Stack; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  return { stack: createStack({ host: { name: "host", clock, random: new SeededRandom(1) } }), clock };
}

async function settle<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isOver = false;
  void promise.catch(() => {}).then(() => (isOver = true));
  for (let turn = 0; turn < 200 && !isOver; turn += 1) {
    await Promise.resolve();
    clock.advance(10);
  }
  return promise;
}

test("RFC 3493 §5.3: a listener on '::' names an IPv4 peer by its mapped address, an IPv6 peer by its own", async () => {
  const { stack: host, clock } = stack();
  const { posix } = host;
  const listening = posix.socket(c.AF_INET6, c.SOCK_STREAM);
  posix.bind(listening, { address: "::", port: 80 });
  posix.listen(listening);
  for (const [family, to, seen] of [
    [c.AF_INET, "127.0.0.1", "::ffff:127.0.0.1"],
    [c.AF_INET6, "::1", "::1"],
    [c.AF_INET6, "::ffff:127.0.0.1", "::ffff:127.0.0.1"],
  ] as const) {
    const asking = posix.socket(family, c.SOCK_STREAM);
    const connected = posix.connect(asking, { address: to, port: 80 });
    const accepted = await settle(clock, posix.accept(listening));
    await connected;
    expect(accepted).toMatchObject({ address: seen, family: 6 });
    expect(posix.getsockname(accepted.fd)).toEqual({ address: seen, family: 6, port: 80 });
    expect(posix.getpeername(accepted.fd).address).toBe(seen);
    expect(posix.getpeername(asking)).toEqual({ address: to, family: family === c.AF_INET ? 4 : 6, port: 80 });
  }
  await host.close();
});

test("RFC 3493 §3.7: a datagram socket of AF_INET6 sends to mapped addresses, and gets answers from them", async () => {
  const { stack: host, clock } = stack();
  const { posix } = host;
  const asked = posix.socket(c.AF_INET, c.SOCK_DGRAM);
  posix.bind(asked, { address: "127.0.0.1", port: 53 });
  const asking = posix.socket(c.AF_INET6, c.SOCK_DGRAM);
  await posix.sendto(asking, Uint8Array.of(1), 0, { address: "::ffff:127.0.0.1", port: 53 });
  const question = await settle(clock, posix.recvfrom(asked, new Uint8Array(8)));
  expect(question.from).toMatchObject({ address: "127.0.0.1", family: 4 });
  await posix.sendto(asked, Uint8Array.of(2), 0, question.from);
  const answer = await settle(clock, posix.recvfrom(asking, new Uint8Array(8)));
  expect(answer.from).toEqual({ address: "::ffff:127.0.0.1", family: 6, port: 53 });
  await host.close();
});

test("a port on '::' is not free for IPv4; an address of the other family is EINVAL, or EAFNOSUPPORT", () => {
  const { posix } = stack().stack;
  const v6 = posix.socket(c.AF_INET6, c.SOCK_STREAM);
  posix.bind(v6, { address: "::", port: 80 });
  const v4 = posix.socket(c.AF_INET, c.SOCK_STREAM);
  expect(() => posix.bind(v4, { address: "0.0.0.0", port: 80 })).toThrow("EADDRINUSE");
  expect(() => posix.bind(v4, { address: "::1", port: 81 })).toThrow("EAFNOSUPPORT");
  expect(() => posix.bind(posix.socket(c.AF_INET6, c.SOCK_STREAM), { address: "127.0.0.1", port: 82 })).toThrow("EINVAL");
});
