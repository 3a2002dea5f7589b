// What the tests need of the machine.
import { loadRawSocket } from "../src/raw-socket-module.ts";

/** What is missing, or undefined when nothing is. */
export function whatIsMissing(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root";
  try {
    loadRawSocket();
  } catch {
    return "needs the compiled package raw-socket";
  }
  return undefined;
}
