// Opening connections: every way in which an attempt can end settles every promise.
import { describe, expect, test } from "vitest";
import { constants, createStack, SystemError } from "../src/index.ts";
import { rejection, twoStacks } from "./two-stacks.ts";

test("a connection tells both ends' addresses", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    const listener = server.listen({ port: 80 });
    const socket = client.connect("10.0.0.2:80", { localPort: 5000 });
    expect(await socket.opened).toEqual({ remoteAddress: "10.0.0.2:80", localAddress: "10.0.0.1:5000", alpn: undefined });
    expect(socket.local).toEqual({ address: "10.0.0.1", family: 4, port: 5000 });
    const accepted = await listener.accept();
    expect((await accepted.opened).remoteAddress).toBe("10.0.0.1:5000");
    expect([socket.upgraded, socket.secureTransport]).toEqual([false, "off"]);
    expect(socket.info()?.state).toBe("ESTABLISHED");
  });
});

test("every form of an address is understood", async () => {
  const { client, server, run } = twoStacks({ client: { hosts: { web: "10.0.0.2" } } });
  await run(async () => {
    const listener = server.listen({ port: 80 });
    for (const address of ["10.0.0.2:80", "web:80", "WEB:80", { hostname: "10.0.0.2", port: 80 }, { address: "10.0.0.2", port: 80 }]) {
      const socket = client.connect(address);
      expect((await socket.opened).remoteAddress).toBe("10.0.0.2:80");
      await listener.accept();
    }
  });
});

test("a host reaches itself by localhost, by 0.0.0.0 and by its own address", async () => {
  const { client, run } = twoStacks();
  await run(async () => {
    const listener = client.listen({ port: 80 });
    for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1"]) {
      const socket = client.connect(`${host}:80`);
      await socket.opened;
      await socket.write(new Uint8Array([1]));
      expect(await (await listener.accept()).read()).toEqual(new Uint8Array([1]));
    }
  });
});

describe("attempts that fail", () => {
  test("refused: ECONNREFUSED, as Node says it", async () => {
    const { client, run } = twoStacks();
    await run(async () => {
      const socket = client.connect("10.0.0.2:80");
      const writing = rejection(socket.write(new Uint8Array(1)));
      const reading = rejection(socket.read());
      const error = (await rejection(socket.opened)) as SystemError;
      expect(error.message).toBe("connect ECONNREFUSED 10.0.0.2:80");
      expect(error).toMatchObject({ code: "ECONNREFUSED", errno: -111, syscall: "connect", address: "10.0.0.2", port: 80 });
      for (const other of [writing, reading, rejection(socket.closed), rejection(socket.read()), rejection(socket.closeWrite())]) {
        expect(await other).toBe(error);
      }
      expect(client.openSockets).toBe(0);
    });
  });

  test("silent: ETIMEDOUT, after three minutes or more (MUST-23)", async () => {
    const { client, clock, wire, run } = twoStacks();
    wire.b.close();
    await run(async () => {
      const error = await rejection(client.connect("10.0.0.2:80").opened);
      expect(error).toMatchObject({ code: "ETIMEDOUT", syscall: "connect" });
      expect(clock.now()).toBeGreaterThanOrEqual(180_000);
    });
  });

  test("without a route: ENETUNREACH, in a rejection and not in an exception", async () => {
    const { client, run } = twoStacks();
    await run(async () => {
      const socket = client.connect("192.0.2.1:80");
      expect(await rejection(socket.opened)).toMatchObject({ code: "ENETUNREACH", address: "192.0.2.1", port: 80 });
      expect(await rejection(socket.closed)).toMatchObject({ code: "ENETUNREACH" });
      expect([socket.local, socket.remote, socket.info()]).toEqual([undefined, undefined, undefined]);
    });
  });

  test("to a neighbour that is not there: EHOSTUNREACH as soon as the link knows, not when TCP has had enough (RFC 5461 §4.1)", async () => {
    const { client, clock, run } = twoStacks({ wire: { medium: "ethernet" } });
    await run(async () => {
      const error = (await rejection(client.connect("10.0.0.9:80").opened)) as SystemError;
      expect(error.message).toBe("connect EHOSTUNREACH 10.0.0.9:80");
      expect(clock.now()).toBeLessThan(10_000);
      expect([client.openSockets, client.layers.tcp.connectionCount]).toEqual([0, 0]);
    });
  });

  test("with an unknown name: ENOTFOUND, and a word about what would help", async () => {
    const { client, run } = twoStacks();
    await run(async () => {
      const error = (await rejection(client.connect("example.com:80").opened)) as SystemError;
      expect(error).toMatchObject({ code: "ENOTFOUND", syscall: "getaddrinfo", errno: -3008 });
      expect(error.message).toContain("no DNS resolver");
    });
  });

  test("aborted before, during and after the handshake: the signal's reason", async () => {
    const { client, server, run, sleep } = twoStacks();
    await run(async () => {
      const listener = server.listen({ port: 80 });
      const before = client.connect("10.0.0.2:80", { signal: AbortSignal.abort("never") });
      expect(await rejection(before.opened)).toBe("never");
      expect(client.layers.tcp.counters.OutSegs).toBe(0);

      const during = new AbortController();
      const socket = client.connect("10.0.0.2:80", { signal: during.signal });
      await sleep(1);
      during.abort("changed my mind");
      expect(await rejection(socket.opened)).toBe("changed my mind");
      expect(await rejection(socket.closed)).toBe("changed my mind");

      const after = new AbortController();
      const established = client.connect("10.0.0.2:80", { signal: after.signal });
      await established.opened;
      const peer = await listener.accept();
      const reading = rejection(established.read());
      after.abort("enough");
      expect(await reading).toBe("enough");
      expect(await rejection(established.closed)).toBe("enough");
      expect(await rejection(peer.read())).toMatchObject({ code: "ECONNRESET" });
    });
  });

  test("closed before it is open: with the reason that was given, or ECONNABORTED; that it was closed is no failure", async () => {
    const { client, run } = twoStacks();
    await run(async () => {
      for (const [reason, expected] of [
        ["not needed", "not needed"],
        [undefined, expect.objectContaining({ code: "ECONNABORTED" })],
      ]) {
        const socket = client.connect("10.0.0.2:80");
        const opened = rejection(socket.opened);
        await socket.close(reason);
        expect(await opened).toEqual(expected);
        expect(client.layers.tcp.connectionCount).toBe(0);
      }
    });
  });

  test("a signal is listened to no longer than the connection lives", async () => {
    const { client, server, run } = twoStacks();
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal) as (...parameters: unknown[]) => void;
    const remove = signal.removeEventListener.bind(signal) as (...parameters: unknown[]) => void;
    signal.addEventListener = (...parameters: unknown[]) => {
      listeners += 1;
      add(...parameters);
    };
    signal.removeEventListener = (...parameters: unknown[]) => {
      listeners -= 1;
      remove(...parameters);
    };
    await run(async () => {
      const listener = server.listen({ port: 80 });
      for (let count = 0; count < 3; count += 1) {
        const socket = client.connect("10.0.0.2:80", { signal });
        const peer = await listener.accept();
        expect(listeners).toBe(1);
        void peer.close();
        await socket.close();
        expect(listeners).toBe(0);
      }
    });
  });

  test("TLS is refused at once, in plain words", async () => {
    const { client, run } = twoStacks();
    expect(() => client.connect("10.0.0.2:443", { secureTransport: "on" })).toThrow(/EPROTONOSUPPORT.*no TLS/);
    await run(async () => {
      const socket = client.connect("10.0.0.2:443");
      expect(() => socket.startTls()).toThrow(/no TLS/);
      await rejection(socket.closed);
    });
  });

  test.each([null, undefined, 80, {}, { host: "10.0.0.2", port: 80 }, { hostname: "10.0.0.2", port: "80" }])(
    "nor is %j, without a compiler to say so",
    (address) => {
      const { client } = twoStacks();
      expect(() => client.connect(address as unknown as string)).toThrow(/connect EINVAL.*(write "host:port"|not "80")/);
    },
  );

  test.each([
    "10.0.0.2",
    "10.0.0.2:",
    ":80",
    "10.0.0.2:65536",
    "2001:db8::1:80",
    { hostname: "10.0.0.2", port: -1 },
    { hostname: "10.0.0.2", port: 1.5 },
    { hostname: "", port: 80 },
  ])("misuse throws at once: %j is no address", (address) => {
    const { client } = twoStacks();
    expect(() => client.connect(address)).toThrow(SystemError);
    expect(() => client.connect(address)).toThrow(/EINVAL/);
    expect(client.openSockets).toBe(0);
  });
});

test("a closed stack opens nothing", async () => {
  const stack = createStack({ name: "gone" });
  await stack.close();
  await stack.close();
  for (const call of [() => stack.connect("localhost:80"), () => stack.listen(), () => stack.udp()]) {
    expect(call).toThrow(/EINVAL: the stack gone is closed/);
  }
  expect(() => stack.posix.socket(constants.AF_INET, constants.SOCK_STREAM)).toThrow(/socket EINVAL: the stack gone is closed/);
  expect(await stack.posix.poll([], -1)).toBe(0);
  expect(stack.openSockets).toBe(0);
});
