// pipe, splice and sendfile: octets that go from one descriptor to another.
import { parseIp } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import { describe, expect, test } from "vitest";
import { constants as c, type PipeDescriptors, type Syscalls } from "../../src/index.ts";
import { LONGEST_MEMORY_FILE } from "../../src/posix/memory-file.ts";
import { PIPE_CAPACITY } from "../../src/posix/pipe.ts";
import { pattern, type TwoStacks, twoStacks } from "../two-stacks.ts";

interface Pair extends TwoStacks {
  readonly here: Syscalls;
  readonly there: Syscalls;
  readonly fd: number;
  readonly peer: number;
}

function pair(): Pair {
  const stacks = twoStacks();
  const there = stacks.server.syscalls;
  const here = stacks.client.syscalls;
  const listener = there.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_NONBLOCK) as number;
  there.bind(listener, { address: parseIp("0.0.0.0") as Endpoint["address"], port: 80 });
  there.listen(listener, 8);
  const fd = here.socket(c.AF_INET, c.SOCK_STREAM) as number;
  here.connect(fd, { address: parseIp("10.0.0.2") as Endpoint["address"], port: 80 });
  stacks.clock.advance(50);
  const accepted = there.accept(listener).outcome;
  if (typeof accepted !== "object") throw new Error(`accept: ${accepted}`);
  return { ...stacks, here, there, fd, peer: accepted.fd };
}

function pipe(calls: Syscalls, flags = 0): PipeDescriptors {
  const made = calls.pipe2(flags);
  if (typeof made === "string") throw new Error(made);
  return made;
}

describe("a pipe", () => {
  test("carries octets around its end, and blocks where it is empty or full", () => {
    const { here, clock } = pair();
    const { from, to } = pipe(here);
    const target = new Uint8Array(10);
    const reading = here.read(from, target);
    expect(reading.isWaiting).toBe(true);
    here.write(to, pattern(7));
    clock.advance(1);
    expect(reading.outcome).toBe(7);
    expect(target.subarray(0, 7)).toEqual(pattern(7));
    // Now its octets begin in the middle of what it has.
    const text = pattern(PIPE_CAPACITY + 100);
    const writing = here.write(to, text);
    expect(writing.isWaiting).toBe(true);
    const all = new Uint8Array(text.length);
    expect(here.read(from, all).outcome).toBe(PIPE_CAPACITY);
    clock.advance(1);
    expect(writing.outcome).toBe(text.length);
    expect(here.read(from, all.subarray(PIPE_CAPACITY)).outcome).toBe(100);
    expect(all).toEqual(text);
  });

  test("a small write goes in as a whole or not at all; a large one as far as it can", () => {
    const { here } = pair();
    const { from, to } = pipe(here, c.O_NONBLOCK);
    expect(here.write(to, pattern(PIPE_CAPACITY - 10)).outcome).toBe(PIPE_CAPACITY - 10);
    expect(here.write(to, pattern(11)).outcome).toBe("EAGAIN");
    expect(here.write(to, pattern(5000)).outcome).toBe(10);
    expect(here.write(to, pattern(5000)).outcome).toBe("EAGAIN");
    expect(here.read(from, new Uint8Array(PIPE_CAPACITY)).outcome).toBe(PIPE_CAPACITY);
    expect(here.read(from, new Uint8Array(1)).outcome).toBe("EAGAIN");
  });

  test("tells the end of either side, to poll as well", () => {
    const { here, clock } = pair();
    const first = pipe(here);
    const reading = here.read(first.from, new Uint8Array(1));
    const polled = { fd: first.from, events: c.POLLIN, revents: 0 };
    here.close(first.to);
    clock.advance(1);
    expect(reading.outcome).toBe(0);
    expect(here.poll([polled], 0).outcome).toBe(1);
    expect(polled.revents).toBe(c.POLLHUP);
    const second = pipe(here);
    here.close(second.from);
    expect(here.write(second.to, pattern(1)).outcome).toBe("EPIPE");
    expect(here.read(second.to, new Uint8Array(1)).outcome).toBe("EBADF");
    expect(here.setsockopt(second.to, c.SOL_SOCKET, c.SO_RCVBUF, 1)).toBe("ENOTSOCK");
  });
});

describe("splice", () => {
  test("moves what has arrived into a pipe, waits for it, and from the pipe into a socket", () => {
    const { here, there, fd, peer, clock } = pair();
    const { from, to } = pipe(there);
    const moving = there.splice(peer, to, 1000);
    expect(moving.isWaiting).toBe(true);
    here.write(fd, pattern(3000));
    clock.advance(50);
    expect(moving.outcome).toBe(1000);
    expect(there.splice(from, peer, 5000).outcome).toBe(1000);
    clock.advance(50);
    const back = new Uint8Array(2000);
    expect(here.read(fd, back).outcome).toBe(1000);
    expect(back.subarray(0, 1000)).toEqual(pattern(3000).subarray(0, 1000));
    expect(there.splice(peer, to, 100_000).outcome).toBe(2000);
  });

  test("waits for room in the pipe, or with SPLICE_F_NONBLOCK does not", () => {
    const { here, there, fd, peer, clock } = pair();
    const { from, to } = pipe(there);
    there.write(to, pattern(PIPE_CAPACITY));
    here.write(fd, pattern(10));
    clock.advance(50);
    expect(there.splice(peer, to, 10, c.SPLICE_F_NONBLOCK).outcome).toBe("EAGAIN");
    const moving = there.splice(peer, to, 10);
    expect(moving.isWaiting).toBe(true);
    there.read(from, new Uint8Array(4));
    clock.advance(1);
    expect(moving.outcome).toBe(4);
  });

  test("stops before the urgent octet, and does not wait behind it", () => {
    const { here, there, fd, peer, clock } = pair();
    const { to } = pipe(there);
    here.send(fd, pattern(100), c.MSG_OOB);
    clock.advance(50);
    expect(there.splice(peer, to, 1000).outcome).toBe(99);
    expect(there.splice(peer, to, 1000).outcome).toBe(0);
  });

  test("is for a pipe on one side; the end of the stream is 0", () => {
    const { here, there, fd, peer, clock } = pair();
    const { from, to } = pipe(there);
    expect(there.splice(peer, peer, 1).outcome).toBe("EINVAL");
    expect(there.splice(peer, from, 1).outcome).toBe("EBADF");
    expect(there.splice(peer, to, 1, 0x80).outcome).toBe("EINVAL");
    expect(there.splice(99, to, 1).outcome).toBe("EBADF");
    here.close(fd);
    clock.advance(50);
    expect(there.splice(peer, to, 1).outcome).toBe(0);
  });
});

describe("sendfile", () => {
  test("sends from an offset, or goes on where it was", () => {
    const { here, there, fd, peer, clock } = pair();
    const file = here.memfd_create(pattern(1000)) as number;
    expect(here.sendfile(fd, file, 900, 500).outcome).toBe(100);
    expect(here.sendfile(fd, file, undefined, 300).outcome).toBe(300);
    expect(here.sendfile(fd, file, undefined, 800).outcome).toBe(700);
    expect(here.sendfile(fd, file, undefined, 1).outcome).toBe(0);
    // Nagle's algorithm waits for the acknowledgment of the first.
    clock.advance(300);
    const target = new Uint8Array(2000);
    expect(there.read(peer, target).outcome).toBe(1100);
    expect(target.subarray(0, 100)).toEqual(pattern(1000).subarray(900));
    expect(target.subarray(100, 1100)).toEqual(pattern(1000));
    expect(here.sendfile(fd, fd, 0, 1).outcome).toBe("EINVAL");
  });

  test("a file in memory is written and read, and has its limit", () => {
    const { here } = pair();
    const file = here.memfd_create() as number;
    expect(here.write(file, pattern(10)).outcome).toBe(10);
    expect(here.read(file, new Uint8Array(5)).outcome).toBe(0);
    expect(here.write(file, new Uint8Array(LONGEST_MEMORY_FILE)).outcome).toBe("EFBIG");
  });
});
