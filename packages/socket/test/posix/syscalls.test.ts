// The calls without promises: a runner on a virtual clock knows when each returns.
import { parseIp } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import { describe, expect, test } from "vitest";
import { type Call, constants as c, type Stack, type Syscalls } from "../../src/index.ts";
import { pattern, type TwoStacks, type TwoStacksOptions, twoStacks } from "../two-stacks.ts";

const SERVER = at("10.0.0.2", 80);
const NON_BLOCKING = c.SOCK_STREAM | c.SOCK_NONBLOCK;

function at(address: string, port: number): Endpoint {
  return { address: parseIp(address) as Endpoint["address"], port };
}

interface Pair extends TwoStacks {
  readonly here: Syscalls;
  readonly there: Syscalls;
  readonly fd: number;
  readonly peer: number;
}

function listening(stack: Stack, setUp: (fd: number) => void = () => {}): number {
  const fd = stack.syscalls.socket(c.AF_INET, NON_BLOCKING) as number;
  setUp(fd);
  stack.syscalls.bind(fd, at("0.0.0.0", 80));
  stack.syscalls.listen(fd, 8);
  return fd;
}

/** A connected pair; both descriptors block. */
function pair(options: TwoStacksOptions = {}): Pair {
  const stacks = twoStacks(options);
  const listener = listening(stacks.server);
  const fd = stacks.client.syscalls.socket(c.AF_INET, c.SOCK_STREAM) as number;
  const connecting = stacks.client.syscalls.connect(fd, SERVER);
  stacks.clock.advance(50);
  expect(connecting.outcome).toBe(0);
  const accepted = stacks.server.syscalls.accept(listener).outcome;
  if (typeof accepted !== "object") throw new Error(`accept: ${accepted}`);
  return { ...stacks, here: stacks.client.syscalls, there: stacks.server.syscalls, fd, peer: accepted.fd };
}

/** When a call returned, and what. */
function watched<T extends number | object>(call: Call<T>, stacks: TwoStacks): { at?: number; outcome?: T | string } {
  const seen: { at?: number; outcome?: T | string } = {};
  call.onSettled((outcome) => {
    seen.at = stacks.clock.now();
    seen.outcome = outcome;
  });
  return seen;
}

describe("calls that block", () => {
  test("return at the time at which they can, in the order in which they were made", () => {
    const stacks = pair();
    const { clock, here, there, fd, peer } = stacks;
    const reads = [1, 2, 3].map(() => watched(there.read(peer, new Uint8Array(2)), stacks));
    clock.runUntil(1000);
    here.write(fd, pattern(3));
    clock.runUntil(2000);
    expect(reads).toEqual([{ at: 1005, outcome: 2 }, { at: 1005, outcome: 1 }, {}]);
    here.close(fd);
    clock.runUntil(3000);
    expect(reads[2]).toEqual({ at: 2005, outcome: 0 });
  });

  test("are interrupted: EINTR, or what was done", () => {
    const stacks = pair({ client: { tcp: { sendBuffer: 2000 } }, server: { tcp: { receiveBuffer: 2000 } } });
    const { clock, here, fd } = stacks;
    const reading = here.read(fd, new Uint8Array(1));
    const writing = here.write(fd, pattern(10_000));
    clock.advance(1000);
    expect([reading.isWaiting, writing.isWaiting]).toEqual([true, true]);
    reading.interrupt();
    writing.interrupt();
    expect(reading.outcome).toBe("EINTR");
    expect(writing.outcome).toBeGreaterThan(2000);
    writing.interrupt();
  });

  test("SO_RCVTIMEO and SO_SNDTIMEO", () => {
    const stacks = pair();
    const { clock, here, fd } = stacks;
    expect(here.setsockopt(fd, c.SOL_SOCKET, c.SO_RCVTIMEO, { tv_sec: 1, tv_usec: 500_000 })).toBe(0);
    const start = clock.now();
    const reading = watched(here.read(fd, new Uint8Array(1)), stacks);
    const other = here.socket(c.AF_INET, c.SOCK_STREAM) as number;
    here.setsockopt(other, c.SOL_SOCKET, c.SO_SNDTIMEO, { tv_sec: 2, tv_usec: 0 });
    stacks.server.layers.internet.close();
    const connecting = watched(here.connect(other, at("10.0.0.2", 99)), stacks);
    clock.advance(5000);
    expect(reading).toEqual({ at: start + 1500, outcome: "EAGAIN" });
    expect(connecting).toEqual({ at: start + 2000, outcome: "EINPROGRESS" });
  });

  test("a hundred thousand that wait cost what those cost that go on", () => {
    const { clock, here, there, fd, peer } = pair();
    const reads = Array.from({ length: 100_000 }, () => there.recv(peer, new Uint8Array(1)));
    here.write(fd, pattern(100_000));
    const start = performance.now();
    clock.advance(5000);
    expect(reads.every(({ outcome }) => outcome === 1)).toBe(true);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test("a pointer to nowhere is EFAULT", () => {
    const { here, fd } = pair();
    expect([here.write(fd, undefined).outcome, here.recvmsg(fd, undefined).outcome]).toEqual(["EFAULT", "EFAULT"]);
    expect([here.write(99, undefined).outcome, here.recvmsg(99, undefined).outcome]).toEqual(["EBADF", "EBADF"]);
  });
});

test("readv and writev: several pieces, as one", () => {
  const { clock, here, there, fd, peer } = pair();
  expect(here.writev(fd, [pattern(3), new Uint8Array(0), pattern(2)]).outcome).toBe(5);
  clock.advance(50);
  const pieces = [1, 0, 2, 10].map((length) => new Uint8Array(length));
  expect(there.readv(peer, pieces).outcome).toBe(5);
  expect(pieces.map((piece) => [...piece])).toEqual([[0], [], [7, 14], [0, 7, 0, 0, 0, 0, 0, 0, 0, 0]]);
});

describe("epoll", () => {
  test("serves many descriptors, and costs what is ready", () => {
    const { server, client, clock } = twoStacks({ server: { maxDescriptors: 5000 }, client: { maxDescriptors: 5000 } });
    const there = server.syscalls;
    const here = client.syscalls;
    const listener = listening(server);
    there.listen(listener, 4000);
    const epfd = there.epoll_create1(0) as number;
    const fds: number[] = [];
    for (let count = 0; count < 500; count += 1) {
      const fd = here.socket(c.AF_INET, NON_BLOCKING) as number;
      here.connect(fd, SERVER);
      fds.push(fd);
    }
    clock.advance(100);
    for (let count = 0; count < 500; count += 1) {
      const accepted = there.accept(listener, c.SOCK_NONBLOCK).outcome;
      if (typeof accepted !== "object") throw new Error(`accept: ${accepted}`);
      expect(there.epoll_ctl(epfd, c.EPOLL_CTL_ADD, accepted.fd, { events: c.EPOLLIN, data: accepted.fd })).toBe(0);
    }
    const waiting = there.epoll_wait(epfd, 10, -1);
    expect(waiting.isWaiting).toBe(true);
    for (const index of [3, 77, 400]) here.write(fds[index], pattern(1));
    clock.advance(100);
    expect(waiting.outcome).toHaveLength(3);
    const ready = there.epoll_wait(epfd, 10, 0).outcome;
    expect(ready).toHaveLength(3);
    // By level: they stay ready, each in its turn.
    expect(there.epoll_wait(epfd, 2, 0).outcome).toHaveLength(2);
    for (const each of Array.isArray(ready) ? ready : []) there.read(each.data, new Uint8Array(10));
    expect(there.epoll_wait(epfd, 10, 0).outcome).toEqual([]);
  });

  test("by edge a writer is woken when a third of the buffer is free again", () => {
    const stacks = pair({
      client: { tcp: { sendBuffer: 30_000, autoTuning: false } },
      server: { tcp: { receiveBuffer: 30_000, autoTuning: false } },
    });
    const { clock, here, there, fd, peer } = stacks;
    here.fcntl(fd, c.F_SETFL, c.O_NONBLOCK);
    const epfd = here.epoll_create(1) as number;
    here.epoll_ctl(epfd, c.EPOLL_CTL_ADD, fd, { events: c.EPOLLOUT | c.EPOLLET, data: 1 });
    expect(here.epoll_wait(epfd, 1, 0).outcome).toEqual([{ events: c.EPOLLOUT, data: 1 }]);
    expect(here.epoll_wait(epfd, 1, 0).outcome).toEqual([]);
    while (typeof here.write(fd, pattern(10_000)).outcome === "number") clock.advance(20);
    const waiting = watched(here.epoll_wait(epfd, 1, 60_000), stacks);
    clock.advance(500);
    expect(waiting).toEqual({});
    there.read(peer, new Uint8Array(30_000));
    clock.advance(500);
    expect(waiting.outcome).toEqual([{ events: c.EPOLLOUT, data: 1 }]);
  });

  test("its time is over: nothing; its descriptor is closed: EBADF", () => {
    const stacks = twoStacks();
    const { syscalls } = stacks.client;
    const epfd = syscalls.epoll_create1(0) as number;
    const waiting = watched(syscalls.epoll_wait(epfd, 1, 250), stacks);
    const forever = syscalls.epoll_wait(epfd, 1, -1);
    stacks.clock.advance(1000);
    expect(waiting).toEqual({ at: 250, outcome: [] });
    syscalls.close(epfd);
    expect(forever.outcome).toBe("EBADF");
    expect(stacks.client.openSockets).toBe(0);
  });
});

test("select: what is not ready is taken out of the sets", () => {
  const { clock, here, there, fd, peer } = pair();
  const sets = { read: new Set([fd]), write: new Set([fd]) };
  expect(here.select(sets, -1).outcome).toBe(1);
  expect([[...sets.read], [...sets.write]]).toEqual([[], [fd]]);
  const selecting = here.select({ read: new Set([fd]) }, -1);
  there.write(peer, pattern(1));
  clock.advance(50);
  expect(selecting.outcome).toBe(1);
  expect(here.select({ read: new Set([99]) }, 0).outcome).toBe("EBADF");
});

describe("control messages", () => {
  test("TCP_INQ tells what is left to read, and the end as one octet", () => {
    const { clock, here, there, fd, peer } = pair();
    there.setsockopt(peer, c.SOL_TCP, c.TCP_INQ, 1);
    here.write(fd, pattern(10));
    here.shutdown(fd, c.SHUT_WR);
    clock.advance(50);
    const inq = (): unknown => {
      const { outcome } = there.recvmsg(peer, [new Uint8Array(5)]);
      return typeof outcome === "object" ? [outcome.length, outcome.control] : outcome;
    };
    const message = (value: number): object => ({ level: c.SOL_TCP, type: c.TCP_CM_INQ, value });
    expect([inq(), inq(), inq()]).toEqual([
      [5, [message(5)]],
      [5, [message(1)]],
      [0, [message(1)]],
    ]);
  });

  test("TTL, TOS, destination and time of a datagram", () => {
    const { client, server, clock } = twoStacks();
    const [here, there] = [client.syscalls, server.syscalls];
    const sink = there.socket(c.AF_INET, c.SOCK_DGRAM) as number;
    there.bind(sink, at("0.0.0.0", 7));
    for (const name of [c.IP_RECVTTL, c.IP_RECVTOS, c.IP_PKTINFO]) there.setsockopt(sink, c.SOL_IP, name, 1);
    there.setsockopt(sink, c.SOL_SOCKET, c.SO_TIMESTAMPNS, 1);
    const fd = here.socket(c.AF_INET, c.SOCK_DGRAM) as number;
    here.setsockopt(fd, c.SOL_IP, c.IP_TOS, 0x28);
    clock.advance(1000);
    here.sendto(fd, pattern(1), 0, at("10.0.0.2", 7));
    clock.advance(50);
    expect(there.recvmsg(sink, [new Uint8Array(1)]).outcome).toMatchObject({
      control: [
        { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMPNS, value: { tv_sec: 1, tv_nsec: 5_000_000 } },
        { level: c.SOL_IP, type: c.IP_PKTINFO, value: { destination: at("10.0.0.2", 7) } },
        { level: c.SOL_IP, type: c.IP_TTL, value: 64 },
        { level: c.SOL_IP, type: c.IP_TOS, value: 0x28 },
      ],
    });
  });
});

describe("the error queue", () => {
  /** All that waits there: origin, what, from and to. */
  function drain(calls: Syscalls, fd: number): unknown[] {
    const entries: unknown[] = [];
    for (;;) {
      const { outcome } = calls.recvmsg(fd, [], c.MSG_ERRQUEUE);
      if (typeof outcome !== "object") return entries;
      const error = outcome.control.find(({ type }) => type === c.IP_RECVERR)?.value as {
        ee_origin: number;
        ee_info: number;
        ee_data: number;
      };
      const time = outcome.control.find(({ type }) => type === c.SCM_TIMESTAMPING)?.value as { ts: { tv_nsec: number }[] } | undefined;
      entries.push([error.ee_origin, error.ee_info, error.ee_data, ...(time === undefined ? [] : [time.ts[0].tv_nsec / 1e6])]);
    }
  }

  test("MSG_ZEROCOPY: buffers come back when they were acknowledged, neighbours in one message", () => {
    const stacks = pair();
    const { clock, here, fd } = stacks;
    here.fcntl(fd, c.F_SETFL, c.O_NONBLOCK);
    expect(here.send(fd, pattern(10), c.MSG_ZEROCOPY).outcome).toBe(10);
    clock.advance(200);
    expect(drain(here, fd)).toEqual([]);
    here.setsockopt(fd, c.SOL_SOCKET, c.SO_ZEROCOPY, 1);
    for (let count = 0; count < 3; count += 1) here.send(fd, pattern(10), c.MSG_ZEROCOPY);
    const watch = { fd, events: c.POLLIN, revents: 0 };
    expect(here.poll([watch], 0).outcome).toBe(0);
    clock.advance(200);
    expect([here.poll([watch], 0).outcome, watch.revents]).toEqual([1, c.POLLERR]);
    expect(drain(here, fd)).toEqual([[c.SO_EE_ORIGIN_ZEROCOPY, 0, 2]]);
    here.send(fd, pattern(10), c.MSG_ZEROCOPY);
    clock.advance(200);
    expect(drain(here, fd)).toEqual([[c.SO_EE_ORIGIN_ZEROCOPY, 3, 3]]);
    expect(here.recvmsg(fd, [], c.MSG_ERRQUEUE).outcome).toBe("EAGAIN");
  });

  test("SO_TIMESTAMPING: when the last octet of a write was queued, sent and acknowledged", () => {
    const stacks = pair();
    const { clock, here, fd } = stacks;
    here.fcntl(fd, c.F_SETFL, c.O_NONBLOCK);
    const flags =
      c.SOF_TIMESTAMPING_TX_SCHED |
      c.SOF_TIMESTAMPING_TX_SOFTWARE |
      c.SOF_TIMESTAMPING_TX_ACK |
      c.SOF_TIMESTAMPING_SOFTWARE |
      c.SOF_TIMESTAMPING_OPT_ID;
    here.write(fd, pattern(100));
    clock.advance(450);
    expect(here.setsockopt(fd, c.SOL_SOCKET, c.SO_TIMESTAMPING, flags)).toBe(0);
    const start = clock.now();
    here.write(fd, pattern(2000));
    clock.advance(200);
    // The Nagle algorithm keeps the last octet back until the first segment is acknowledged.
    expect(drain(here, fd)).toEqual([
      [c.SO_EE_ORIGIN_TIMESTAMPING, c.SCM_TSTAMP_SCHED, 1999, start + 50],
      [c.SO_EE_ORIGIN_TIMESTAMPING, c.SCM_TSTAMP_SND, 1999, start + 50],
      [c.SO_EE_ORIGIN_TIMESTAMPING, c.SCM_TSTAMP_ACK, 1999, start + 100],
    ]);
  });
});

test("MSG_MORE holds back what does not fill a segment", () => {
  const { clock, here, there, fd, peer } = pair();
  here.send(fd, pattern(10), c.MSG_MORE);
  clock.advance(100);
  expect(there.ioctl(peer, c.SIOCINQ)).toBe(0);
  expect([here.ioctl(fd, c.SIOCOUTQ), here.ioctl(fd, c.SIOCOUTQNSD)]).toEqual([10, 10]);
  here.send(fd, pattern(5));
  clock.advance(100);
  expect(there.ioctl(peer, c.SIOCINQ)).toBe(15);
});

test("TCP_NOTSENT_LOWAT: no more is taken while so much is unsent", () => {
  const stacks = pair({ server: { tcp: { receiveBuffer: 5000, autoTuning: false } } });
  const { clock, here, there, fd, peer } = stacks;
  here.fcntl(fd, c.F_SETFL, c.O_NONBLOCK);
  here.setsockopt(fd, c.SOL_TCP, c.TCP_NOTSENT_LOWAT, 1000);
  expect(here.write(fd, pattern(20_000)).outcome).toBe(20_000);
  clock.advance(100);
  expect(here.write(fd, pattern(1)).outcome).toBe("EAGAIN");
  const watch = { fd, events: c.POLLOUT, revents: 0 };
  const polling = here.poll([watch], -1);
  for (let round = 0; round < 100 && polling.isWaiting; round += 1) {
    there.recv(peer, new Uint8Array(5000), c.MSG_DONTWAIT);
    clock.advance(50);
  }
  expect(polling.outcome).toBe(1);
  expect(here.ioctl(fd, c.SIOCOUTQNSD)).toBeLessThan(500);
});

test("RFC 7413 §4.2.1: MSG_FASTOPEN asks for a cookie, then sends with the SYN; TCP_FASTOPEN_CONNECT with the first write", () => {
  const { client, server, clock } = twoStacks({
    client: { tcp: { fastOpen: { client: true } } },
    server: { tcp: { fastOpen: { backlog: 16 } } },
  });
  const here = client.syscalls;
  const there = server.syscalls;
  const listener = listening(server, (fd) => there.setsockopt(fd, c.SOL_TCP, c.TCP_FASTOPEN, 16));
  const open = (): number => here.socket(c.AF_INET, NON_BLOCKING) as number;
  const accept = (): number => {
    const { outcome } = there.accept(listener);
    if (typeof outcome !== "object") throw new Error(`accept: ${outcome}`);
    return outcome.fd;
  };
  const [first, second, third] = [open(), open(), open()];
  expect(here.sendto(first, pattern(10), c.MSG_FASTOPEN, SERVER).outcome).toBe("EINPROGRESS");
  clock.advance(50);
  accept();
  expect(here.sendto(second, pattern(10), c.MSG_FASTOPEN, SERVER).outcome).toBe(10);
  clock.advance(5);
  const peer = accept();
  expect(there.recv(peer, new Uint8Array(99), c.MSG_DONTWAIT).outcome).toBe(10);
  clock.advance(50);
  here.setsockopt(third, c.SOL_TCP, c.TCP_FASTOPEN_CONNECT, 1);
  expect([here.connect(third, SERVER).outcome, here.connect(third, SERVER).outcome]).toEqual([0, "EISCONN"]);
  const watch = { fd: third, events: c.POLLOUT, revents: 0 };
  expect(here.poll([watch], 0).outcome).toBe(1);
  expect(here.write(third, pattern(7)).outcome).toBe(7);
  clock.advance(5);
  expect(there.recv(accept(), new Uint8Array(99), c.MSG_DONTWAIT).outcome).toBe(7);
  clock.advance(50);
  expect(here.connect(third, SERVER).outcome).toBe(0);
});

test("dup: the connection lives as long as one descriptor does", () => {
  const { clock, here, there, fd, peer } = pair();
  const copy = here.dup(fd) as number;
  expect(here.dup2(fd, 40)).toBe(40);
  expect(here.dup3(fd, fd, 0)).toBe("EINVAL");
  here.close(fd);
  here.close(40);
  here.fcntl(peer, c.F_SETFL, 0);
  there.fcntl(peer, c.F_SETFL, c.O_NONBLOCK);
  clock.advance(50);
  expect(there.read(peer, new Uint8Array(1)).outcome).toBe("EAGAIN");
  here.close(copy);
  clock.advance(50);
  expect(there.read(peer, new Uint8Array(1)).outcome).toBe(0);
});

test("TCP_INFO has Linux's fields", () => {
  const { here, fd } = pair();
  expect(here.getsockopt(fd, c.SOL_TCP, c.TCP_INFO)).toMatchObject({
    length: 280,
    value: { tcpi_state: 1, tcpi_snd_mss: expect.any(Number) },
  });
  const fresh = here.socket(c.AF_INET, c.SOCK_STREAM) as number;
  expect(here.getsockopt(fresh, c.SOL_TCP, c.TCP_INFO)).toMatchObject({ value: { tcpi_state: 7 } });
});
