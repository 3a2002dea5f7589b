// Opening /dev/net/tun and naming the interface behind it (Linux, Documentation/networking/tuntap.rst).
import { closeSync, constants, openSync } from "node:fs";
import { interfaceRequest, NAME_SIZE, requestedName } from "./interface-request.ts";
import { kernelMtu, setKernelMtu } from "./kernel-interface.ts";
import { systemCalls } from "./system-calls.ts";
import { TunDevice, type TunMode } from "./tun-device.ts";
import { systemError, TunError } from "./tun-error.ts";

const CLONE_DEVICE = "/dev/net/tun";

// Requests and flags of <linux/if_tun.h>, for machines whose ioctl numbers follow asm-generic (x86, Arm, RISC-V, LoongArch).
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOWNER = 0x400454cc;
const IFF_TUN = 0x0001;
const IFF_TAP = 0x0002;
/** Packets come bare, without the four octets of flags and protocol in front. */
const IFF_NO_PI = 0x1000;

export interface TunOptions {
  /** Up to 15 octets; a `%d` in it becomes the first free number. Without it the kernel counts: `tun0`, `tap0`, … */
  readonly name?: string;
  /** `"tun"` carries IP datagrams, `"tap"` Ethernet frames. @default "tun" */
  readonly mode?: TunMode;
  /** Set on the kernel's interface, in octets of link payload. @default what the interface has: 1500 when it is new */
  readonly mtu?: number;
  /** True: the interface outlives the process; false: it goes with it. @default as it is: a new one goes with the process */
  readonly persist?: boolean;
  /** User id that may open the persistent interface again without root. @default as it is */
  readonly owner?: number;
}

const NEEDS_ROOT = "needs root or CAP_NET_ADMIN, or a persistent interface that this user owns";

/**
 * Makes a network interface of the kernel, or takes over a persistent one, and is its other end.
 * Needs Linux, the package koffi, and root or CAP_NET_ADMIN.
 * @throws TunError, with a `code` such as `EPERM` and one line that says what to do
 */
export function openTun(options: TunOptions = {}): TunDevice {
  const { name = "", mode = "tun", mtu, persist, owner } = options;
  if (new TextEncoder().encode(name).length >= NAME_SIZE) {
    throw new TunError(name, "ENAMETOOLONG", `an interface name has at most ${NAME_SIZE - 1} octets`);
  }
  const calls = systemCalls();
  const descriptor = openCloneDevice();
  try {
    const request = interfaceRequest(name);
    request.short[0] = (mode === "tun" ? IFF_TUN : IFF_TAP) | IFF_NO_PI;
    if (calls.ioctl(descriptor, TUNSETIFF, request.bytes) < 0) {
      throw systemError(name || mode, calls.errno(), "ioctl(TUNSETIFF)", {
        EPERM: NEEDS_ROOT,
        EBUSY: "another program holds this interface",
        EINVAL: `not a valid name, or an interface of another kind than ${mode} has it`,
      });
    }
    const given = requestedName(request);
    // The owner first: to make the interface persistent is what the owner needs.
    if (owner !== undefined) set(given, descriptor, TUNSETOWNER, owner, "ioctl(TUNSETOWNER)");
    if (persist !== undefined) set(given, descriptor, TUNSETPERSIST, persist ? 1 : 0, "ioctl(TUNSETPERSIST)");
    if (mtu !== undefined) setKernelMtu(given, mtu);
    return new TunDevice(given, mode, mtu ?? kernelMtu(given), descriptor);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function openCloneDevice(): number {
  try {
    return openSync(CLONE_DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "EIO";
    const explanations: Record<string, string> = {
      ENOENT: "no such file: load the module (modprobe tun), or make the node (mknod /dev/net/tun c 10 200)",
      ENODEV: "the kernel has no TUN driver (modprobe tun)",
      EACCES: NEEDS_ROOT,
      EPERM: NEEDS_ROOT,
    };
    throw new TunError(CLONE_DEVICE, code, explanations[code] ?? "does not open", "open", error);
  }
}

function set(name: string, descriptor: number, request: number, value: number, syscall: string): void {
  const calls = systemCalls();
  if (calls.ioctlNumber(descriptor, request, value) < 0) throw systemError(name, calls.errno(), syscall, { EPERM: NEEDS_ROOT });
}
