// The system calls for which Node has no function, or none that answers instead of throwing, by way of koffi.
import { createRequire } from "node:module";
import { TunError } from "./tun-error.ts";

const require: NodeJS.Require = createRequire(import.meta.url);

/** As in the manual, section 2: a negative answer means that `errno()` says why. */
export interface SystemCalls {
  ioctl(descriptor: number, request: number, argument: Uint8Array): number;
  /** `TUNSETPERSIST` and its like take a number where others take a pointer. */
  ioctlNumber(descriptor: number, request: number, argument: number): number;
  /** Unlike `fs.readSync` it makes no error object when there is nothing to read, once in every batch. */
  read(descriptor: number, bytes: Uint8Array, length: number): number;
  write(descriptor: number, bytes: Uint8Array, length: number): number;
  socket(family: number, type: number, protocol: number): number;
  pipe2(descriptors: Int32Array, flags: number): number;
  dup3(from: number, to: number, flags: number): number;
  /** For descriptors that came from here: `fs.closeSync` on a worker thread warns of those that `fs` did not open. */
  close(descriptor: number): number;
  errno(): number;
}

let loaded: SystemCalls | undefined;

/** Loads koffi at the first use, so that a program that never opens a device does without it. */
export function systemCalls(): SystemCalls {
  loaded ??= load();
  return loaded;
}

function load(): SystemCalls {
  if (process.platform !== "linux") {
    throw new TunError("TUN", "ERR_TUN_PLATFORM", `/dev/net/tun is Linux's, and this is ${process.platform}`);
  }
  try {
    const koffi = require("koffi") as typeof import("koffi");
    // The program itself is linked with the C library, whichever that is (glibc, musl).
    const program = koffi.load(null);
    const declare = <Call>(prototype: string): Call => program.func(prototype) as unknown as Call;
    return {
      ioctl: declare("int ioctl(int descriptor, unsigned long request, void *argument)"),
      ioctlNumber: declare("int ioctl(int descriptor, unsigned long request, unsigned long argument)"),
      read: declare("intptr_t read(int descriptor, void *bytes, size_t length)"),
      write: declare("intptr_t write(int descriptor, void *bytes, size_t length)"),
      socket: declare("int socket(int family, int type, int protocol)"),
      pipe2: declare("int pipe2(void *descriptors, int flags)"),
      close: declare("int close(int descriptor)"),
      dup3: declare("int dup3(int from, int to, int flags)"),
      errno: () => koffi.errno(),
    };
  } catch (cause) {
    throw new TunError(
      "TUN",
      "ERR_TUN_KOFFI",
      "the package koffi does not load here; is it installed (npm install koffi)?",
      undefined,
      cause,
    );
  }
}
