// The classic flow, call by call, and POSIX's rules for stream sockets.
import { describe, expect, test } from "vitest";
import { constants as c, type Posix } from "../../src/index.ts";
import { pattern, rejection, type TwoStacks, twoStacks } from "../two-stacks.ts";

const SERVER = { address: "10.0.0.2", port: 80 };
const octets = (...values: number[]): Uint8Array => new Uint8Array(values);

function listening(posix: Posix, type: number = c.SOCK_STREAM, backlog = 8): number {
  const fd = posix.socket(c.AF_INET, type);
  posix.setsockopt(fd, c.SOL_SOCKET, c.SO_REUSEADDR, 1);
  posix.bind(fd, { address: "0.0.0.0", port: 80 });
  posix.listen(fd, backlog);
  return fd;
}

/** A connected pair: our descriptor, the peer's. */
async function join({ client, server }: TwoStacks): Promise<[number, number]> {
  const listener = listening(server.posix);
  const fd = client.posix.socket(c.AF_INET, c.SOCK_STREAM);
  const accepting = server.posix.accept(listener);
  await client.posix.connect(fd, SERVER);
  const peer = await accepting;
  await server.posix.close(listener);
  return [fd, peer.fd];
}

async function readAll(posix: Posix, fd: number): Promise<Uint8Array> {
  const all: number[] = [];
  const buffer = new Uint8Array(4096);
  for (let count = await posix.read(fd, buffer); count > 0; count = await posix.read(fd, buffer)) all.push(...buffer.subarray(0, count));
  return new Uint8Array(all);
}

test("socket, bind, listen, connect, accept, write, read, shutdown, close", async () => {
  const stacks = twoStacks();
  const { client, server, run } = stacks;
  await run(async () => {
    const serving = (async () => {
      const { posix } = server;
      const listener = listening(posix);
      expect(posix.getsockname(listener)).toEqual({ address: "0.0.0.0", family: 4, port: 80 });
      const { fd, ...peer } = await posix.accept(listener);
      expect(posix.getpeername(fd)).toEqual(peer);
      expect(posix.getsockname(fd)).toEqual({ ...SERVER, family: 4 });
      const request = await readAll(posix, fd);
      expect(await posix.write(fd, request.reverse())).toBe(3);
      await posix.close(fd);
      await posix.close(listener);
    })();
    const { posix } = client;
    const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
    await posix.connect(fd, SERVER);
    expect(posix.getpeername(fd)).toEqual({ ...SERVER, family: 4 });
    expect(await posix.write(fd, octets(1, 2, 3))).toBe(3);
    posix.shutdown(fd, c.SHUT_WR);
    expect(await readAll(posix, fd)).toEqual(octets(3, 2, 1));
    await posix.close(fd);
    await serving;
    await stacks.sleep(1000);
  });
  expect([client.openSockets, server.openSockets]).toEqual([0, 0]);
});

test("a blocking write takes everything, however small the buffers are", async () => {
  const stacks = twoStacks({ client: { tcp: { sendBuffer: 3000 } }, server: { tcp: { receiveBuffer: 5000 } } });
  const { client, server, run } = stacks;
  await run(async () => {
    const [fd, peer] = await join(stacks);
    const array = pattern(60_000);
    const writing = client.posix.write(fd, array).then(async (count) => {
      array.fill(0);
      await client.posix.close(fd);
      return count;
    });
    expect(await readAll(server.posix, peer)).toEqual(pattern(60_000));
    expect(await writing).toBe(60_000);
  });
});

describe("non-blocking", () => {
  test("accept, recv and send say EAGAIN, connect says EINPROGRESS; poll tells when", async () => {
    const { client, server, run } = twoStacks({ client: { tcp: { sendBuffer: 2000 } }, server: { tcp: { receiveBuffer: 2000 } } });
    await run(async () => {
      const listener = listening(server.posix, c.SOCK_STREAM | c.SOCK_NONBLOCK);
      expect(await rejection(server.posix.accept(listener))).toMatchObject({ code: "EAGAIN", syscall: "accept" });
      const fd = client.posix.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_NONBLOCK);
      const watched = { fd, events: c.POLLIN | c.POLLOUT, revents: 0 };
      expect(await rejection(client.posix.connect(fd, SERVER))).toMatchObject({ code: "EINPROGRESS" });
      expect(await rejection(client.posix.connect(fd, SERVER))).toMatchObject({ code: "EALREADY" });
      expect(await client.posix.poll([watched], 0)).toBe(0);
      expect(await rejection(client.posix.send(fd, octets(1)))).toMatchObject({ code: "EAGAIN" });
      expect(await client.posix.poll([watched])).toBe(1);
      expect(watched.revents).toBe(c.POLLOUT);
      expect(client.posix.getsockopt(fd, c.SOL_SOCKET, c.SO_ERROR)).toBe(0);
      // As in Linux: the first to ask is told that it has worked.
      await client.posix.connect(fd, SERVER);
      expect(await rejection(client.posix.connect(fd, SERVER))).toMatchObject({ code: "EISCONN" });
      expect(await rejection(client.posix.recv(fd, new Uint8Array(1)))).toMatchObject({ code: "EAGAIN", syscall: "recv" });

      const arriving = { fd: listener, events: c.POLLIN, revents: 0 };
      expect(await server.posix.poll([arriving])).toBe(1);
      const { fd: peer } = await server.posix.accept(listener, c.SOCK_NONBLOCK);
      expect(await server.posix.poll([arriving], 0)).toBe(0);

      // Fill both buffers.
      let sent = 0;
      for (;;) {
        const count = await client.posix.send(fd, new Uint8Array(900)).catch(() => 0);
        sent += count;
        if (count > 0) continue;
        watched.events = c.POLLOUT;
        if ((await client.posix.poll([watched], 5000)) === 0) break;
      }
      expect(sent).toBe(4000);
      const reading = { fd: peer, events: c.POLLIN, revents: 0 };
      expect(await server.posix.poll([reading])).toBe(1);
      expect(await server.posix.recv(peer, new Uint8Array(5000))).toBe(2000);
      expect(await client.posix.poll([watched], 5000)).toBe(1);
    });
  });

  test("fcntl sets the flag, MSG_DONTWAIT does it for one call, accepted descriptors do not inherit it", async () => {
    const stacks = twoStacks();
    const { client, run } = stacks;
    await run(async () => {
      const [fd] = await join(stacks);
      const { posix } = client;
      expect(posix.fcntl(fd, c.F_GETFL)).toBe(c.O_RDWR);
      expect(await rejection(posix.recv(fd, new Uint8Array(1), c.MSG_DONTWAIT))).toMatchObject({ code: "EAGAIN" });
      posix.fcntl(fd, c.F_SETFL, c.O_NONBLOCK);
      expect(posix.fcntl(fd, c.F_GETFL)).toBe(c.O_RDWR | c.O_NONBLOCK);
      expect(await rejection(posix.read(fd, new Uint8Array(1)))).toMatchObject({ code: "EAGAIN" });
      expect(() => posix.fcntl(fd, 99)).toThrow(/EINVAL/);
    });
  });

  test("a connect that fails is told by poll and SO_ERROR, once", async () => {
    const { client, run } = twoStacks();
    await run(async () => {
      const { posix } = client;
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_NONBLOCK);
      await rejection(posix.connect(fd, SERVER));
      const watched = { fd, events: c.POLLOUT, revents: 0 };
      expect(await posix.poll([watched])).toBe(1);
      expect(watched.revents).toBe(c.POLLOUT | c.POLLERR | c.POLLHUP);
      expect(posix.getsockopt(fd, c.SOL_SOCKET, c.SO_ERROR)).toBe(111);
      expect(posix.getsockopt(fd, c.SOL_SOCKET, c.SO_ERROR)).toBe(0);
      expect(() => posix.getpeername(fd)).toThrow("getpeername ENOTCONN");
    });
  });
});

describe("accept", () => {
  test("calls that wait together get a connection each, in their order", async () => {
    const { client, server, run, sleep } = twoStacks();
    await run(async () => {
      const listener = listening(server.posix);
      const accepting = [1, 2, 3].map(() => server.posix.accept(listener));
      const ports: number[] = [];
      for (let count = 0; count < 3; count += 1) {
        const fd = client.posix.socket(c.AF_INET, c.SOCK_STREAM);
        await client.posix.connect(fd, SERVER);
        ports.push(client.posix.getsockname(fd).port);
        await sleep(20);
      }
      expect((await Promise.all(accepting)).map(({ port }) => port)).toEqual(ports);
    });
  });
});

describe("connect", () => {
  test("refused, and then again to somebody who listens", async () => {
    const { client, server, run } = twoStacks();
    await run(async () => {
      const { posix } = client;
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
      expect(await rejection(posix.connect(fd, SERVER))).toMatchObject({ code: "ECONNREFUSED", syscall: "connect", ...SERVER });
      listening(server.posix);
      await posix.connect(fd, SERVER);
      expect(await rejection(posix.connect(fd, SERVER))).toMatchObject({ code: "EISCONN" });
    });
  });

  test("an attempt that failed unseen is told to the next call, and the one after that tries again", async () => {
    const { client, server, run, sleep } = twoStacks();
    await run(async () => {
      const { posix } = client;
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_NONBLOCK);
      expect(await rejection(posix.connect(fd, SERVER))).toMatchObject({ code: "EINPROGRESS" });
      await sleep(100);
      listening(server.posix);
      posix.fcntl(fd, c.F_SETFL, 0);
      expect(await rejection(posix.connect(fd, SERVER))).toMatchObject({ code: "ECONNREFUSED" });
      await posix.connect(fd, SERVER);
    });
  });

  test("to a neighbour that is not there: EHOSTUNREACH as soon as the link knows (RFC 5461 §4.1)", async () => {
    const { client, clock, run } = twoStacks({ wire: { medium: "ethernet" } });
    await run(async () => {
      const { posix } = client;
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
      expect(await rejection(posix.connect(fd, { address: "10.0.0.9", port: 80 }))).toMatchObject({ code: "EHOSTUNREACH" });
      expect(clock.now()).toBeLessThan(10_000);
      expect(client.layers.tcp.connectionCount).toBe(0);
    });
  });

  test("0.0.0.0 as a destination is this host", async () => {
    const { client, run } = twoStacks();
    await run(async () => {
      const { posix } = client;
      const listener = listening(posix);
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
      await posix.connect(fd, { address: "0.0.0.0", port: 80 });
      expect(posix.getpeername(fd).address).toBe("127.0.0.1");
      expect((await posix.accept(listener)).address).toBe("127.0.0.1");
      const datagrams = posix.socket(c.AF_INET, c.SOCK_DGRAM);
      posix.bind(datagrams, { address: "0.0.0.0", port: 9 });
      await posix.sendto(datagrams, octets(1), 0, { address: "0.0.0.0", port: 9 });
      expect(await posix.recv(datagrams, new Uint8Array(1))).toBe(1);
    });
  });

  test("from the port that was bound; without a route; to a listening socket; to no address", async () => {
    const { client, server, run } = twoStacks();
    await run(async () => {
      listening(server.posix);
      const { posix } = client;
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
      posix.bind(fd, { address: "0.0.0.0", port: 5000 });
      await posix.connect(fd, SERVER);
      expect(posix.getsockname(fd)).toEqual({ address: "10.0.0.1", family: 4, port: 5000 });
      const other = posix.socket(c.AF_INET, c.SOCK_STREAM);
      expect(await rejection(posix.connect(other, { address: "192.0.2.1", port: 1 }))).toMatchObject({ code: "ENETUNREACH" });
      expect(await rejection(posix.connect(other, { address: "::1", port: 1 }))).toMatchObject({ code: "EAFNOSUPPORT" });
      expect(await rejection(posix.connect(other, { address: "localhost", port: 1 }))).toMatchObject({ code: "EINVAL" });
      expect(await rejection(posix.connect(other, { address: "10.0.0.2", port: 70000 }))).toMatchObject({ code: "EINVAL" });
      await posix.connect(other);
      posix.bind(other, { address: "0.0.0.0", port: 81 });
      posix.listen(other);
      expect(await rejection(posix.connect(other, SERVER))).toMatchObject({ code: "EISCONN" });
    });
  });
});

describe("bind and listen", () => {
  test("port 0 is chosen at once; a taken port is EADDRINUSE, a foreign address EADDRNOTAVAIL, a second bind EINVAL", () => {
    const { posix } = twoStacks().server;
    const fds = Array.from({ length: 4 }, () => posix.socket(c.AF_INET, c.SOCK_STREAM));
    posix.bind(fds[0], { address: "0.0.0.0", port: 0 });
    const { port } = posix.getsockname(fds[0]);
    expect(port).toBeGreaterThanOrEqual(32768);
    expect(() => posix.bind(fds[1], { address: "10.0.0.2", port })).toThrow(/EADDRINUSE/);
    expect(() => posix.bind(fds[0], { address: "0.0.0.0", port: 1 })).toThrow(/EINVAL/);
    expect(() => posix.bind(fds[2], { address: "10.0.0.9", port: 1 })).toThrow(/EADDRNOTAVAIL/);
    posix.listen(fds[3]);
    expect(posix.getsockname(fds[3]).port).toBeGreaterThanOrEqual(32768);
    posix.listen(fds[0]);
    posix.listen(fds[0]);
  });

  test("SO_REUSEADDR lets sockets share a port, but not with one that listens", async () => {
    const { posix } = twoStacks().server;
    const [first, second, third, stubborn] = [1, 2, 3, 4].map((index) => {
      const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
      if (index < 4) posix.setsockopt(fd, c.SOL_SOCKET, c.SO_REUSEADDR, 1);
      return fd;
    });
    const address = { address: "0.0.0.0", port: 80 };
    posix.bind(first, address);
    posix.bind(second, address);
    expect(() => posix.bind(stubborn, address)).toThrow(/EADDRINUSE/);
    posix.listen(first);
    expect(() => posix.bind(third, address)).toThrow(/EADDRINUSE/);
    expect(() => posix.listen(second)).toThrow(/EADDRINUSE/);
    for (const fd of [first, second]) await posix.close(fd);
    posix.bind(stubborn, address);
  });

  test("a server of the promise interface holds its port against descriptors", () => {
    const { server } = twoStacks();
    server.listen({ port: 80 });
    const fd = server.posix.socket(c.AF_INET, c.SOCK_STREAM);
    expect(() => server.posix.bind(fd, { address: "0.0.0.0", port: 80 })).toThrow("bind EADDRINUSE 0.0.0.0:80");
  });

  test("accept on what does not listen is EINVAL", async () => {
    const { posix } = twoStacks().server;
    const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
    expect(await rejection(posix.accept(fd))).toMatchObject({ code: "EINVAL" });
  });
});

describe("receiving", () => {
  test("MSG_PEEK shows what stays to be read, across what TCP has and what was shown before", async () => {
    const stacks = twoStacks();
    const { client, server, run } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      const { posix } = server;
      const buffer = new Uint8Array(3);
      await client.posix.write(fd, octets(1, 2));
      expect(await posix.recv(peer, buffer, c.MSG_PEEK)).toBe(2);
      await client.posix.write(fd, octets(3, 4));
      await stacks.sleep(100);
      expect([await posix.recv(peer, buffer, c.MSG_PEEK), [...buffer]]).toEqual([3, [1, 2, 3]]);
      expect([await posix.recv(peer, buffer.subarray(0, 1)), buffer[0]]).toEqual([1, 1]);
      const watched = { fd: peer, events: c.POLLIN, revents: 0 };
      expect(await posix.poll([watched], 0)).toBe(1);
      expect([await posix.recv(peer, buffer), [...buffer]]).toEqual([3, [2, 3, 4]]);
      posix.fcntl(peer, c.F_SETFL, c.O_NONBLOCK);
      expect(await rejection(posix.recv(peer, buffer, c.MSG_PEEK))).toMatchObject({ code: "EAGAIN" });
    });
  });

  test("MSG_WAITALL waits for all, or for the end", async () => {
    const stacks = twoStacks();
    const { client, server, run } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      const buffer = new Uint8Array(4);
      const waiting = server.posix.recv(peer, buffer, c.MSG_WAITALL);
      for (const value of [1, 2, 3, 4, 5]) {
        await client.posix.write(fd, octets(value));
        await stacks.sleep(50);
      }
      expect([await waiting, [...buffer]]).toEqual([4, [1, 2, 3, 4]]);
      const rest = server.posix.recv(peer, buffer, c.MSG_WAITALL);
      await client.posix.close(fd);
      expect([await rest, buffer[0]]).toEqual([1, 5]);
      expect(await server.posix.recv(peer, buffer, c.MSG_WAITALL)).toBe(0);
      expect(await server.posix.recv(peer, new Uint8Array(0))).toBe(0);
    });
  });

  test("the last urgent octet is for MSG_OOB, and reading stops before it; poll shows POLLPRI", async () => {
    const stacks = twoStacks();
    const { client, server, run } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      expect(await client.posix.send(fd, octets(1, 2), c.MSG_OOB)).toBe(2);
      expect(await client.posix.send(fd, octets(3))).toBe(1);
      const watched = { fd: peer, events: c.POLLPRI, revents: 0 };
      expect(await server.posix.poll([watched])).toBe(1);
      await stacks.sleep(100);
      const buffer = new Uint8Array(5);
      expect([await server.posix.recv(peer, buffer, c.MSG_OOB), buffer[0]]).toEqual([1, 2]);
      expect(await rejection(server.posix.recv(peer, buffer, c.MSG_OOB))).toMatchObject({ code: "EINVAL" });
      expect([await server.posix.recv(peer, buffer), buffer[0]]).toEqual([1, 1]);
      expect([await server.posix.recv(peer, buffer), buffer[0]]).toEqual([1, 3]);
      expect(await server.posix.poll([watched], 0)).toBe(0);
    });
  });
});

test("poll: POLLRDHUP as soon as the peer has ended its stream, POLLOUT as soon as a larger buffer has room", async () => {
  const stacks = twoStacks();
  const { client, server, run, sleep } = stacks;
  await run(async () => {
    const [fd, peer] = await join(stacks);
    await client.posix.write(fd, octets(1));
    client.posix.shutdown(fd, c.SHUT_WR);
    await sleep(100);
    const watched = { fd: peer, events: c.POLLIN | c.POLLRDHUP, revents: 0 };
    expect([await server.posix.poll([watched], 0), watched.revents]).toEqual([1, c.POLLIN | c.POLLRDHUP]);
    server.posix.setsockopt(peer, c.SOL_SOCKET, c.SO_SNDBUF, 1000);
    const writing = server.posix.write(peer, pattern(400_000));
    await sleep(1000);
    const room = { fd: peer, events: c.POLLOUT, revents: 0 };
    expect(await server.posix.poll([room], 0)).toBe(0);
    server.posix.setsockopt(peer, c.SOL_SOCKET, c.SO_SNDBUF, 700_000);
    expect(await writing).toBe(400_000);
    expect(await server.posix.poll([room], 0)).toBe(1);
  });
});

describe("the ends", () => {
  test("shutdown: SHUT_WR ends our stream (then EPIPE), SHUT_RD ends theirs for us", async () => {
    const stacks = twoStacks();
    const { client, server, run } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      client.posix.shutdown(fd, c.SHUT_WR);
      expect(await rejection(client.posix.write(fd, octets(1)))).toMatchObject({ code: "EPIPE", syscall: "send" });
      expect(await server.posix.read(peer, new Uint8Array(1))).toBe(0);
      const watched = { fd: peer, events: c.POLLIN | c.POLLRDHUP, revents: 0 };
      expect(await server.posix.poll([watched], 0)).toBe(1);
      expect(watched.revents).toBe(c.POLLIN | c.POLLRDHUP);
      const reading = client.posix.read(fd, new Uint8Array(1));
      client.posix.shutdown(fd, c.SHUT_RD);
      expect(await reading).toBe(0);
      server.posix.shutdown(peer, c.SHUT_RDWR);
      await stacks.sleep(100);
      watched.events = 0;
      expect(await server.posix.poll([watched], 0)).toBe(1);
      expect(watched.revents).toBe(c.POLLHUP);
      expect(() => client.posix.shutdown(fd, 7)).toThrow(/EINVAL/);
    });
  });

  test("what is not connected cannot be read, written, shut or asked for its peer", async () => {
    const { posix } = twoStacks().client;
    const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
    expect(await rejection(posix.read(fd, new Uint8Array(1)))).toMatchObject({ code: "ENOTCONN" });
    expect(await rejection(posix.write(fd, octets(1)))).toMatchObject({ code: "EPIPE" });
    expect(await rejection(posix.sendto(fd, octets(1), 0, SERVER))).toMatchObject({ code: "EPIPE" });
    expect(() => posix.shutdown(fd, c.SHUT_WR)).toThrow("shutdown ENOTCONN");
    expect(() => posix.getpeername(fd)).toThrow("getpeername ENOTCONN");
    expect(posix.getsockname(fd)).toEqual({ address: "0.0.0.0", family: 4, port: 0 });
    const watched = { fd, events: 0, revents: 0 };
    expect(await posix.poll([watched], 0)).toBe(1);
    expect(watched.revents).toBe(c.POLLHUP);
  });

  test("sendto with an address on a connected stream sends to the peer", async () => {
    const stacks = twoStacks();
    await stacks.run(async () => {
      const [fd] = await join(stacks);
      expect(await stacks.client.posix.sendto(fd, octets(1), 0, { address: "10.0.0.9", port: 9 })).toBe(1);
    });
  });

  test.each([
    ["unread", async (posix: Posix, fd: number) => void (await posix.close(fd))],
    [
      "peeked at",
      async (posix: Posix, fd: number) => {
        await posix.recv(fd, new Uint8Array(100), c.MSG_PEEK);
        await posix.close(fd);
      },
    ],
    [
      "none, but SO_LINGER is 0",
      async (posix: Posix, fd: number) => {
        await posix.recv(fd, new Uint8Array(100));
        posix.setsockopt(fd, c.SOL_SOCKET, c.SO_LINGER, { onoff: 1, linger: 0 });
        await posix.close(fd);
      },
    ],
  ])("SHLD-3: close with data %s resets the connection, which is told once", async (_, close) => {
    const stacks = twoStacks();
    const { client, server, run } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      await client.posix.write(fd, octets(1, 2, 3));
      await stacks.sleep(100);
      await close(server.posix, peer);
      await stacks.sleep(100);
      const watched = { fd, events: c.POLLIN, revents: 0 };
      expect(await client.posix.poll([watched], 0)).toBe(1);
      expect(watched.revents).toBe(c.POLLIN | c.POLLERR | c.POLLHUP);
      expect(await rejection(client.posix.read(fd, new Uint8Array(1)))).toMatchObject({ code: "ECONNRESET" });
      expect(await client.posix.read(fd, new Uint8Array(1))).toBe(0);
      expect(await rejection(client.posix.write(fd, octets(1)))).toMatchObject({ code: "EPIPE" });
      await client.posix.close(fd);
    });
    expect([client.openSockets, server.openSockets]).toEqual([0, 0]);
  });

  test("a write that is interrupted by a reset tells how much was taken, and then why", async () => {
    const stacks = twoStacks({ client: { tcp: { sendBuffer: 2000 } }, server: { tcp: { receiveBuffer: 2000 } } });
    const { client, server, run } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      const writing = client.posix.write(fd, new Uint8Array(50_000));
      await stacks.sleep(1000);
      await server.posix.close(peer);
      expect(await writing).toBe(3448);
      expect(await rejection(client.posix.write(fd, octets(1)))).toMatchObject({ code: "ECONNRESET" });
      expect(await rejection(client.posix.write(fd, octets(1)))).toMatchObject({ code: "EPIPE" });
    });
  });

  test("SO_LINGER: close waits until the peer has acknowledged everything, or for its time", async () => {
    const stacks = twoStacks();
    const { client, server, run, clock } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      client.posix.setsockopt(fd, c.SOL_SOCKET, c.SO_LINGER, { onoff: 1, linger: 10 });
      await client.posix.write(fd, pattern(1000));
      const closing = client.posix.close(fd);
      expect(() => client.posix.getsockname(fd)).toThrow(/EBADF/);
      await closing;
      expect(clock.now()).toBeLessThan(100);
      await server.posix.close(peer);

      // The peer's window is closed: our FIN cannot go.
      const [other, deaf] = await join(stacks);
      server.posix.setsockopt(deaf, c.SOL_SOCKET, c.SO_RCVBUF, 1);
      client.posix.fcntl(other, c.F_SETFL, c.O_NONBLOCK);
      while ((await client.posix.write(other, pattern(10_000)).catch(() => 0)) > 0) await stacks.sleep(50);
      client.posix.setsockopt(other, c.SOL_SOCKET, c.SO_LINGER, { onoff: 1, linger: 10 });
      const start = clock.now();
      await client.posix.close(other);
      expect(clock.now() - start).toBe(10_000);
    });
  });

  test("close frees the descriptor at once and ends what waits on it with EBADF; the octets still go out", async () => {
    const stacks = twoStacks();
    const { client, server, run } = stacks;
    await run(async () => {
      const [fd, peer] = await join(stacks);
      const reading = rejection(client.posix.read(fd, new Uint8Array(1)));
      await client.posix.write(fd, pattern(100_000));
      await client.posix.close(fd);
      expect(await reading).toMatchObject({ code: "EBADF" });
      expect(client.posix.socket(c.AF_INET, c.SOCK_STREAM)).toBe(fd);
      expect(client.openSockets).toBe(2);
      expect(await readAll(server.posix, peer)).toEqual(pattern(100_000));
      await server.posix.close(peer);
      await stacks.sleep(100);
      expect(client.openSockets).toBe(1);
    });
  });

  test("closing a listener resets who was not accepted", async () => {
    const { client, server, run, sleep } = twoStacks();
    await run(async () => {
      const listener = listening(server.posix);
      const fds = [1, 2].map(() => client.posix.socket(c.AF_INET, c.SOCK_STREAM));
      for (const fd of fds) await client.posix.connect(fd, SERVER);
      await sleep(20);
      // poll has taken the first of them out of TCP's queue.
      expect(await server.posix.poll([{ fd: listener, events: c.POLLIN, revents: 0 }])).toBe(1);
      await server.posix.close(listener);
      for (const fd of fds) expect(await rejection(client.posix.read(fd, new Uint8Array(1)))).toMatchObject({ code: "ECONNRESET" });
      expect(server.openSockets).toBe(0);
    });
  });
});
