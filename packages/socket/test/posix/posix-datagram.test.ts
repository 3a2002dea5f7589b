// POSIX's rules for datagram sockets.
import { describe, expect, test } from "vitest";
import { DATAGRAM_OVERHEAD } from "../../src/datagram-queue.ts";
import { constants as c } from "../../src/index.ts";
import { rejection, twoStacks } from "../two-stacks.ts";

const octets = (...values: number[]): Uint8Array => new Uint8Array(values);
const SERVER = { address: "10.0.0.2", port: 7 };

test("sendto and recvfrom, bound by hand or by the first use", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    const echo = server.posix.socket(c.AF_INET, c.SOCK_DGRAM);
    server.posix.bind(echo, { address: "10.0.0.2", port: 7 });
    expect(() => server.posix.bind(echo, { address: "10.0.0.2", port: 8 })).toThrow(/EINVAL/);
    const fd = client.posix.socket(c.AF_INET, c.SOCK_DGRAM, c.IPPROTO_UDP);
    expect(client.posix.getsockname(fd).port).toBe(0);
    expect(await client.posix.sendto(fd, octets(1, 2, 3), 0, SERVER)).toBe(3);
    const { port } = client.posix.getsockname(fd);
    const buffer = new Uint8Array(10);
    const { length, flags, from } = await server.posix.recvfrom(echo, buffer);
    expect({ length, flags, from }).toEqual({ length: 3, flags: 0, from: { address: "10.0.0.1", family: 4, port } });
    await server.posix.sendto(echo, buffer.subarray(0, length), 0, from);
    expect([await client.posix.recv(fd, buffer), [...buffer.subarray(0, 3)]]).toEqual([3, [1, 2, 3]]);
    await client.posix.close(fd);
    await server.posix.close(echo);
  });
  expect([client.openSockets, server.openSockets]).toEqual([0, 0]);
});

test("a datagram that is longer than the buffer is cut; MSG_TRUNC tells its length, MSG_PEEK leaves it", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    const { posix } = server;
    const sink = posix.socket(c.AF_INET, c.SOCK_DGRAM);
    posix.bind(sink, SERVER);
    const fd = client.posix.socket(c.AF_INET, c.SOCK_DGRAM);
    for (const value of [1, 2]) await client.posix.sendto(fd, new Uint8Array(10).fill(value), 0, SERVER);
    const small = new Uint8Array(4);
    expect(await posix.recvfrom(sink, small, c.MSG_PEEK | c.MSG_TRUNC)).toMatchObject({ length: 10, flags: c.MSG_TRUNC });
    expect(await posix.recvfrom(sink, small)).toMatchObject({ length: 4, flags: c.MSG_TRUNC });
    expect(small).toEqual(octets(1, 1, 1, 1));
    const large = new Uint8Array(20);
    expect([await posix.recv(sink, large), large[0], large[10]]).toEqual([10, 2, 0]);
    expect(await rejection(posix.recv(sink, large, c.MSG_DONTWAIT))).toMatchObject({ code: "EAGAIN" });
  });
});

test("a connected socket hears its peer and its errors; connecting to nothing dissolves it", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const { posix } = client;
    const fd = posix.socket(c.AF_INET, c.SOCK_DGRAM);
    expect(await rejection(posix.send(fd, octets(1)))).toMatchObject({ code: "EDESTADDRREQ" });
    await posix.connect(fd, SERVER);
    expect(posix.getpeername(fd)).toEqual({ ...SERVER, family: 4 });
    expect(posix.getsockname(fd).address).toBe("10.0.0.1");
    await posix.send(fd, octets(1));
    const watched = { fd, events: c.POLLIN, revents: 0 };
    expect(await posix.poll([watched])).toBe(1);
    // As in Linux, an error alone is nothing to read.
    expect(watched.revents).toBe(c.POLLERR);
    expect(await rejection(posix.recv(fd, new Uint8Array(1)))).toMatchObject({ code: "ECONNREFUSED", syscall: "recv" });
    await posix.write(fd, octets(1));
    await sleep(20);
    expect(posix.getsockopt(fd, c.SOL_SOCKET, c.SO_ERROR)).toBe(111);
    await posix.connect(fd);
    expect(() => posix.getpeername(fd)).toThrow(/ENOTCONN/);
    // Unconnected, as in Linux: errors are nobody's.
    await posix.sendto(fd, octets(1), 0, SERVER);
    await sleep(20);
    expect(posix.getsockopt(fd, c.SOL_SOCKET, c.SO_ERROR)).toBe(0);
    const fresh = posix.socket(c.AF_INET, c.SOCK_DGRAM);
    await posix.connect(fresh);
    expect(await rejection(posix.connect(fresh, { address: "192.0.2.1", port: 1 }))).toMatchObject({ code: "ENETUNREACH" });
    void server;
  });
});

describe("limits", () => {
  test("SO_RCVBUF bounds what waits; the rest is dropped and counted", async () => {
    const { client, server, run, sleep } = twoStacks();
    await run(async () => {
      const { posix } = server;
      const sink = posix.socket(c.AF_INET, c.SOCK_DGRAM | c.SOCK_NONBLOCK);
      posix.setsockopt(sink, c.SOL_SOCKET, c.SO_RCVBUF, 3 * DATAGRAM_OVERHEAD);
      posix.bind(sink, SERVER);
      const fd = client.posix.socket(c.AF_INET, c.SOCK_DGRAM);
      for (let count = 0; count < 10; count += 1) await client.posix.sendto(fd, new Uint8Array(0), 0, SERVER);
      await sleep(20);
      for (let count = 0; count < 3; count += 1) expect(await posix.recv(sink, new Uint8Array(1))).toBe(0);
      expect(await rejection(posix.recv(sink, new Uint8Array(1)))).toMatchObject({ code: "EAGAIN" });
      expect(server.layers.udp.counters.RcvbufErrors).toBe(7);
    });
  });

  test("EMSGSIZE, EACCES without SO_BROADCAST, EADDRINUSE without SO_REUSEADDR", async () => {
    const { client, run } = twoStacks();
    await run(async () => {
      const { posix } = client;
      const fd = posix.socket(c.AF_INET, c.SOCK_DGRAM);
      expect(await rejection(posix.sendto(fd, new Uint8Array(65508), 0, SERVER))).toMatchObject({ code: "EMSGSIZE" });
      const everybody = { address: "10.0.0.255", port: 7 };
      expect(await rejection(posix.sendto(fd, octets(1), 0, everybody))).toMatchObject({ code: "EACCES" });
      posix.setsockopt(fd, c.SOL_SOCKET, c.SO_BROADCAST, 1);
      expect(await posix.sendto(fd, octets(1), 0, everybody)).toBe(1);
      const [first, second, third] = [1, 2, 3].map(() => posix.socket(c.AF_INET, c.SOCK_DGRAM));
      for (const each of [first, second]) posix.setsockopt(each, c.SOL_SOCKET, c.SO_REUSEADDR, 1);
      for (const each of [first, second]) posix.bind(each, { address: "0.0.0.0", port: 9 });
      expect(() => posix.bind(third, { address: "0.0.0.0", port: 9 })).toThrow("bind EADDRINUSE 0.0.0.0:9");
    });
  });
});

test("what makes no sense for datagrams is EOPNOTSUPP; shutdown needs a peer", async () => {
  const { client, run } = twoStacks();
  await run(async () => {
    const { posix } = client;
    const fd = posix.socket(c.AF_INET, c.SOCK_DGRAM);
    expect(() => posix.listen(fd)).toThrow(/EOPNOTSUPP/);
    expect(await rejection(posix.accept(fd))).toMatchObject({ code: "EOPNOTSUPP" });
    expect(() => posix.shutdown(fd, c.SHUT_RD)).toThrow(/ENOTCONN/);
    await posix.connect(fd, { address: "127.0.0.1", port: 9 });
    const waiting = posix.recv(fd, new Uint8Array(1));
    posix.shutdown(fd, c.SHUT_RDWR);
    expect(await waiting).toBe(0);
    expect(await rejection(posix.send(fd, octets(1)))).toMatchObject({ code: "EPIPE" });
    const watched = { fd, events: c.POLLIN, revents: 0 };
    await posix.poll([watched], 0);
    expect(watched.revents).toBe(c.POLLIN | c.POLLHUP);
  });
});
