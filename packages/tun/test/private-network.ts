// A network of the test's own: the process leaves the machine's network for an empty one, which ends with it.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";
import { describe } from "vitest";

const CLONE_NEWNET = 0x40000000;

/** `describe` in a network of this process's own; where that cannot be had the tests are skipped, and a line on stderr says why. */
export function describeInPrivateNetwork(title: string, tests: () => void): void {
  const missing = enterPrivateNetwork();
  if (missing !== undefined) process.stderr.write(`skipped: ${title}: ${missing}\n`);
  describe.skipIf(missing !== undefined)(title, tests);
}

/**
 * Moves the main thread into a fresh network namespace, and with it every device and socket that it opens from here on.
 * @returns what is missing, when that cannot be done or TUN cannot be used
 */
function enterPrivateNetwork(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync("/dev/net/tun")) return "needs /dev/net/tun";
  // vitest's threads share their process: only its forks have a main thread of their own.
  if (!isMainThread) return "needs vitest's pool of forks";
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const unshare = koffi.load(null).func("int unshare(int flags)");
  return unshare(CLONE_NEWNET) === 0 ? undefined : "needs CAP_SYS_ADMIN, for a network namespace of its own";
}
