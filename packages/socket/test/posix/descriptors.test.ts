// Descriptors, options and poll.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { constants as c } from "../../src/index.ts";
import { rejection, twoStacks } from "../two-stacks.ts";

describe("descriptors", () => {
  test("are the lowest that are free, from 3 on", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (steps) => {
        const { posix } = twoStacks().client;
        const open = new Set<number>();
        for (const step of steps) {
          const victim = step + 3;
          if (open.has(victim)) {
            void posix.close(victim);
            open.delete(victim);
          } else {
            let lowest = 3;
            while (open.has(lowest)) lowest += 1;
            expect(posix.socket(c.AF_INET, step % 2 === 0 ? c.SOCK_STREAM : c.SOCK_DGRAM)).toBe(lowest);
            open.add(lowest);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("there is a limit: EMFILE, also for accept, which leaves the connection to be accepted later", async () => {
    const { client, server, run } = twoStacks({ server: { maxDescriptors: 2 } });
    await run(async () => {
      const { posix } = server;
      const listener = posix.socket(c.AF_INET, c.SOCK_STREAM);
      posix.bind(listener, { address: "0.0.0.0", port: 80 });
      posix.listen(listener);
      const other = posix.socket(c.AF_INET, c.SOCK_DGRAM);
      expect(() => posix.socket(c.AF_INET, c.SOCK_DGRAM)).toThrow("socket EMFILE");
      await client.connect("10.0.0.2:80").opened;
      expect(await rejection(posix.accept(listener))).toMatchObject({ code: "EMFILE" });
      await posix.close(other);
      expect((await posix.accept(listener)).fd).toBe(other);
    });
  });

  test("when two accepts race for the last descriptor, the loser's connection is reset", async () => {
    const { client, server, run } = twoStacks({ server: { maxDescriptors: 2 } });
    await run(async () => {
      const { posix } = server;
      const listener = posix.socket(c.AF_INET, c.SOCK_STREAM);
      posix.bind(listener, { address: "0.0.0.0", port: 80 });
      posix.listen(listener);
      const accepting = Promise.allSettled([posix.accept(listener), posix.accept(listener)]);
      const sockets = [client.connect("10.0.0.2:80"), client.connect("10.0.0.2:80")];
      const reading = sockets.map((socket) => rejection(socket.read()));
      const results = await accepting;
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(await Promise.race(reading)).toMatchObject({ code: "ECONNRESET" });
      expect(server.openSockets).toBe(2);
    });
  });

  test("what is no descriptor is EBADF in every call", async () => {
    const { posix } = twoStacks().client;
    const address = { address: "10.0.0.2", port: 1 };
    const buffer = new Uint8Array(1);
    for (const fd of [-1, 0, 3, 99, 1.5]) {
      const asynchronous = [
        posix.accept(fd),
        posix.connect(fd, address),
        posix.read(fd, buffer),
        posix.write(fd, buffer),
        posix.send(fd, buffer),
        posix.recv(fd, buffer),
        posix.sendto(fd, buffer, 0, address),
        posix.recvfrom(fd, buffer),
        posix.close(fd),
      ];
      for (const call of asynchronous) expect(await rejection(call)).toMatchObject({ code: "EBADF", errno: -9 });
      const synchronous = [
        () => posix.bind(fd, address),
        () => posix.listen(fd),
        () => posix.shutdown(fd, c.SHUT_RD),
        () => posix.getsockname(fd),
        () => posix.getpeername(fd),
        () => posix.getsockopt(fd, c.SOL_SOCKET, c.SO_TYPE),
        () => posix.setsockopt(fd, c.SOL_SOCKET, c.SO_KEEPALIVE, 1),
        () => posix.fcntl(fd, c.F_GETFL),
      ];
      for (const call of synchronous) expect(call).toThrow(/EBADF/);
    }
  });

  test("what is no socket is refused", () => {
    const { posix } = twoStacks().client;
    expect(() => posix.socket(1, c.SOCK_STREAM)).toThrow("socket EAFNOSUPPORT");
    expect(() => posix.socket(c.AF_INET, 3)).toThrow("socket EPROTONOSUPPORT");
    expect(() => posix.socket(c.AF_INET, c.SOCK_STREAM, c.IPPROTO_UDP)).toThrow("socket EPROTONOSUPPORT");
  });
});

describe("options", () => {
  const { SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP } = c;

  test.each([
    ["SO_REUSEADDR", SOL_SOCKET, c.SO_REUSEADDR, 0, 1],
    ["SO_KEEPALIVE", SOL_SOCKET, c.SO_KEEPALIVE, 0, 1],
    ["SO_RCVBUF", SOL_SOCKET, c.SO_RCVBUF, 262144, 5000],
    ["SO_SNDBUF", SOL_SOCKET, c.SO_SNDBUF, 262144, 5000],
    ["TCP_NODELAY", IPPROTO_TCP, c.TCP_NODELAY, 0, 1],
    ["TCP_MAXSEG", IPPROTO_TCP, c.TCP_MAXSEG, 536, 600],
    ["TCP_KEEPIDLE", IPPROTO_TCP, c.TCP_KEEPIDLE, 7200, 60],
    ["TCP_KEEPINTVL", IPPROTO_TCP, c.TCP_KEEPINTVL, 75, 5],
    ["TCP_KEEPCNT", IPPROTO_TCP, c.TCP_KEEPCNT, 9, 3],
    ["TCP_USER_TIMEOUT", IPPROTO_TCP, c.TCP_USER_TIMEOUT, 300_000, 20_000],
    ["IP_TTL", IPPROTO_IP, c.IP_TTL, 64, 9],
    ["IP_TOS", IPPROTO_IP, c.IP_TOS, 0, 0x10],
  ])(
    "%s of a stream: its default, then what was set, before and after connecting, and at who is accepted",
    async (_, level, name, before, after) => {
      const { client, server, run } = twoStacks();
      // Of a connection it is what a segment carries beside its timestamps, as in Linux (RFC 6691).
      const agreed = level === IPPROTO_TCP && name === c.TCP_MAXSEG ? (after as number) - 12 : after;
      await run(async () => {
        const { posix } = client;
        const [fd, late] = [1, 2].map(() => posix.socket(c.AF_INET, c.SOCK_STREAM));
        expect(posix.getsockopt(fd, level, name)).toBe(before);
        posix.setsockopt(fd, level, name, after);
        expect(posix.getsockopt(fd, level, name)).toBe(after);
        const listener = server.posix.socket(c.AF_INET, c.SOCK_STREAM);
        server.posix.setsockopt(listener, level, name, after);
        server.posix.bind(listener, { address: "0.0.0.0", port: 80 });
        server.posix.listen(listener);
        await posix.connect(fd, { address: "10.0.0.2", port: 80 });
        expect(posix.getsockopt(fd, level, name)).toBe(agreed);
        const { fd: peer } = await server.posix.accept(listener);
        expect(server.posix.getsockopt(peer, level, name)).toBe(agreed);
        await posix.connect(late, { address: "10.0.0.2", port: 80 });
        posix.setsockopt(late, level, name, after);
        expect(posix.getsockopt(late, level, name)).toBe(agreed);
      });
    },
  );

  test("TTL and TOS are on the wire", async () => {
    const { client, server, run } = twoStacks();
    await run(async () => {
      const fd = client.posix.socket(c.AF_INET, c.SOCK_DGRAM);
      client.posix.setsockopt(fd, IPPROTO_IP, c.IP_TTL, 5);
      client.posix.setsockopt(fd, IPPROTO_IP, c.IP_TOS, 0xb8);
      expect([client.posix.getsockopt(fd, IPPROTO_IP, c.IP_TTL), client.posix.getsockopt(fd, IPPROTO_IP, c.IP_TOS)]).toEqual([5, 0xb8]);
      const sink = server.udp({ port: 9 });
      await client.posix.sendto(fd, new Uint8Array(1), 0, { address: "10.0.0.2", port: 9 });
      expect(await sink.receive()).toMatchObject({ timeToLive: 5, trafficClass: 0xb8 });
    });
  });

  test("what a socket is can be asked for", () => {
    const { posix } = twoStacks().client;
    const stream = posix.socket(c.AF_INET, c.SOCK_STREAM);
    const datagram = posix.socket(c.AF_INET6, c.SOCK_DGRAM);
    const ask = (fd: number): unknown[] =>
      [c.SO_TYPE, c.SO_DOMAIN, c.SO_PROTOCOL, c.SO_ACCEPTCONN, c.SO_ERROR].map((name) => posix.getsockopt(fd, SOL_SOCKET, name));
    expect(ask(stream)).toEqual([c.SOCK_STREAM, c.AF_INET, c.IPPROTO_TCP, 0, 0]);
    expect(ask(datagram)).toEqual([c.SOCK_DGRAM, c.AF_INET6, c.IPPROTO_UDP, 0, 0]);
    posix.bind(stream, { address: "0.0.0.0", port: 0 });
    posix.listen(stream);
    expect(posix.getsockopt(stream, SOL_SOCKET, c.SO_ACCEPTCONN)).toBe(1);
    expect(posix.getsockopt(stream, SOL_SOCKET, c.SO_LINGER)).toEqual({ onoff: 0, linger: 0 });
    posix.setsockopt(stream, SOL_SOCKET, c.SO_BROADCAST, 1);
    expect(posix.getsockopt(datagram, SOL_SOCKET, c.SO_RCVBUF)).toBe(262144);
    posix.setsockopt(datagram, SOL_SOCKET, c.SO_SNDBUF, 1000);
  });

  test("unknown options are ENOPROTOOPT, read-only ones too, values out of range EINVAL", () => {
    const { posix } = twoStacks().client;
    const stream = posix.socket(c.AF_INET, c.SOCK_STREAM);
    const datagram = posix.socket(c.AF_INET, c.SOCK_DGRAM);
    expect(() => posix.getsockopt(stream, 77, 1)).toThrow("getsockopt EOPNOTSUPP");
    expect(() => posix.setsockopt(stream, 77, 1, 1)).toThrow("setsockopt ENOPROTOOPT");
    expect(() => posix.setsockopt(stream, SOL_SOCKET, 77, 1)).toThrow("setsockopt ENOPROTOOPT");
    expect(() => posix.setsockopt(stream, SOL_SOCKET, c.SO_TYPE, 1)).toThrow(/ENOPROTOOPT/);
    expect(() => posix.setsockopt(datagram, IPPROTO_TCP, c.TCP_NODELAY, 1)).toThrow(/ENOPROTOOPT/);
    const outOfRange: [number, number, number][] = [
      [IPPROTO_IP, c.IP_TTL, 0],
      [IPPROTO_IP, c.IP_TTL, 256],
      [IPPROTO_TCP, c.TCP_MAXSEG, 87],
      [IPPROTO_TCP, c.TCP_KEEPCNT, 128],
      [IPPROTO_TCP, c.TCP_KEEPIDLE, 0.5],
      [SOL_SOCKET, c.SO_RCVBUF, 0],
      [SOL_SOCKET, c.SO_LINGER, 1],
    ];
    for (const [level, name, value] of outOfRange) expect(() => posix.setsockopt(stream, level, name, value)).toThrow("setsockopt EINVAL");
  });
});

describe("poll", () => {
  test("waits on the stack's clock, for its time", async () => {
    const { client, run, clock } = twoStacks();
    await run(async () => {
      const fd = client.posix.socket(c.AF_INET, c.SOCK_DGRAM);
      const watched = { fd, events: c.POLLIN, revents: 99 };
      expect(await client.posix.poll([watched], 250)).toBe(0);
      expect([clock.now(), watched.revents]).toEqual([250, 0]);
      expect(await client.posix.poll([], 100)).toBe(0);
      expect(clock.now()).toBe(350);
      expect(client.openSockets).toBe(1);
    });
    expect(clock.armedTimers).toBe(0);
  });

  test("several descriptors: counts those that are ready, passes over negative ones, POLLNVAL for what is none", async () => {
    const { client, server, run } = twoStacks();
    await run(async () => {
      const { posix } = server;
      const fds = [7, 9].map((port) => {
        const fd = posix.socket(c.AF_INET, c.SOCK_DGRAM);
        posix.bind(fd, { address: "0.0.0.0", port });
        return fd;
      });
      const watched = [...fds, -1].map((fd) => ({ fd, events: c.POLLIN, revents: 99 }));
      const polling = posix.poll(watched);
      await client.udp().send(new Uint8Array(1), "10.0.0.2:9");
      expect(await polling).toBe(1);
      expect(watched.map(({ revents }) => revents)).toEqual([0, c.POLLIN, 0]);
      const unknown = { fd: 50, events: c.POLLIN, revents: 0 };
      expect(await posix.poll([unknown])).toBe(1);
      expect(unknown.revents).toBe(c.POLLNVAL);
    });
  });

  test("a descriptor that is closed meanwhile ends the wait with POLLNVAL", async () => {
    const { client, run, sleep } = twoStacks();
    await run(async () => {
      const fd = client.posix.socket(c.AF_INET, c.SOCK_DGRAM);
      const watched = { fd, events: c.POLLIN, revents: 0 };
      const polling = client.posix.poll([watched]);
      await sleep(1);
      await client.posix.close(fd);
      expect(await polling).toBe(1);
      expect(watched.revents).toBe(c.POLLNVAL);
    });
  });
});
