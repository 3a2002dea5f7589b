// What Node and browsers call differently: a turn of the event loop, and timers that do not keep a process alive.

interface Immediates {
  readonly setImmediate?: (run: () => void) => unknown;
}

/** Runs `run` in a turn of its own, soon: after all promise jobs that are waiting, and after pending I/O had its chance. */
export const nextTurn: (run: () => void) => void = createNextTurn();

function createNextTurn(): (run: () => void) => void {
  const { setImmediate } = globalThis as Immediates;
  // In Node, setImmediate costs a third of a message through a channel, and a channel would keep the process alive.
  if (setImmediate !== undefined) return (run) => void setImmediate(run);
  // In browsers setTimeout waits 1 ms, and 4 ms when nested; a message does not wait.
  const waiting: (() => void)[] = [];
  const channel = new MessageChannel();
  channel.port1.onmessage = () => waiting.shift()?.();
  return (run) => {
    waiting.push(run);
    channel.port2.postMessage(undefined);
  };
}

/** A turn of the event loop to `await`. */
export function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** What `setTimeout` returns: an object in Node, a number in browsers. */
export type TimeoutHandle = number | { ref?(): void; unref?(): void };

/** A timer of the event loop that keeps the process alive only while `held`. In browsers nothing is kept alive anyway. */
export function startTimeout(run: () => void, delay: number, held: boolean): TimeoutHandle {
  const handle = setTimeout(run, delay) as TimeoutHandle;
  holdTimeout(handle, held);
  return handle;
}

export function holdTimeout(handle: TimeoutHandle, held: boolean): void {
  if (typeof handle !== "object") return;
  if (held) handle.ref?.();
  else handle.unref?.();
}

export function stopTimeout(handle: TimeoutHandle): void {
  clearTimeout(handle as number);
}
