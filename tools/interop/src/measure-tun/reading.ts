// The ways to read from a TUN descriptor in Node, each calling back once a packet.
import { closeSync, constants, read, readSync } from "node:fs";
import { type ConnectOpts, Socket, type SocketConstructorOpts } from "node:net";
import { load } from "koffi";
import type { Addon } from "./addon.ts";

type OnPacket = (length: number) => void;
/** Reads what is there, up to a batch; true when there may be more. */
type Drain = (descriptor: number, onPacket: OnPacket) => boolean;

const BATCH = 64;
const LENGTH = 65536;
const buffer = new Uint8Array(LENGTH);
const program = load(null);
const cRead = program.func("intptr_t read(int descriptor, void *bytes, size_t length)");
const poll = program.func("int poll(void *descriptors, unsigned long count, int milliseconds)");
const pipe2 = program.func("int pipe2(void *descriptors, int flags)");
const dup3 = program.func("int dup3(int from, int to, int flags)");

function drainBy(readOne: (descriptor: number) => number): Drain {
  return (descriptor, onPacket) => {
    for (let count = 0; count < BATCH; count += 1) {
      const length = readOne(descriptor);
      if (length <= 0) return false;
      onPacket(length);
    }
    return true;
  };
}

const byKoffi = drainBy((descriptor) => cRead(descriptor, buffer, LENGTH));
const byReadSync = drainBy((descriptor) => {
  try {
    return readSync(descriptor, buffer, 0, LENGTH, null);
  } catch {
    return -1;
  }
});
const nothing: Drain = () => false;

/** Woken by the event loop's epoll, as `packages/tun/src/readable-watch.ts` does it; libuv reads the first packet. */
function eventLoop(drain: Drain): (descriptor: number, onPacket: OnPacket) => void {
  return (descriptor, onPacket) => {
    const ends = new Int32Array(2);
    pipe2(ends, constants.O_NONBLOCK);
    const options: SocketConstructorOpts & ConnectOpts = {
      fd: ends[0],
      readable: true,
      writable: false,
      onread: {
        buffer,
        callback: (length) => {
          onPacket(length);
          drain(descriptor, onPacket);
          return true;
        },
      },
    };
    const socket = new Socket(options);
    dup3(descriptor, ends[0], 0);
    closeSync(ends[1]);
    socket.resume();
  };
}

/** Woken by poll(2) on a thread of libuv's pool. */
function threadPool(drain: Drain): (descriptor: number, onPacket: OnPacket) => void {
  return (descriptor, onPacket) => {
    const request = new Int32Array([descriptor, 1]);
    const busy = (): void => {
      if (drain(descriptor, onPacket)) setImmediate(busy);
      else wait();
    };
    const wait = (): void => poll.async(request, 1, -1, busy);
    wait();
  };
}

function asynchronousRead(descriptor: number, onPacket: OnPacket): void {
  read(descriptor, buffer, 0, LENGTH, null, (error, length) => {
    if (error === null) onPacket(length);
    asynchronousRead(descriptor, onPacket);
  });
}

export function readingWays(addon: Addon | undefined): Map<string, (descriptor: number, onPacket: OnPacket) => void> {
  return new Map([
    ["event loop, koffi read", eventLoop(byKoffi)],
    ["event loop, fs.readSync", eventLoop(byReadSync)],
    ["event loop alone", eventLoop(nothing)],
    ["poll in the pool, koffi read", threadPool(byKoffi)],
    ["poll in the pool, fs.readSync", threadPool(byReadSync)],
    ["fs.read", asynchronousRead],
    ...(addon === undefined
      ? []
      : ([["event loop, addon", eventLoop(drainBy((descriptor) => addon.read(descriptor, buffer, LENGTH)))]] as const)),
  ]);
}
