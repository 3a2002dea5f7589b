// The end that comes from outside: a signal, or a device that is gone.
import type { Milliseconds } from "@netstrata/core";
import type { Attachment } from "./attachment.ts";

/** How often the device is looked at. */
const WATCH_INTERVAL: Milliseconds = 500;

/** Resolves when the user wants to stop; rejects when the device closes by itself. */
export function untilStopped(signal: AbortSignal, { failure }: Attachment): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearInterval(watch);
      signal.removeEventListener("abort", end);
      const error = failure();
      if (signal.aborted || error === undefined) resolve();
      else reject(error);
    };
    const watch = setInterval(() => {
      if (failure() !== undefined) end();
    }, WATCH_INTERVAL);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
