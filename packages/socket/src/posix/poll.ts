// poll: which descriptors are ready, and waiting until one is (POSIX.1-2017, poll()).
import type { Milliseconds, Timer } from "@netstrata/core";
import type { Closable } from "../open-sockets.ts";
import { POLLERR, POLLHUP, POLLNVAL } from "./linux-numbers.ts";
import type { OpenFile } from "./open-file.ts";

export interface PollFd {
  /** A negative one is passed over. */
  readonly fd: number;
  /** What is asked for: POLLIN, POLLOUT, POLLPRI, POLLRDHUP. */
  readonly events: number;
  /** What is the case; also POLLERR, POLLHUP and POLLNVAL, which nobody needs to ask for. */
  revents: number;
}

/** What `poll` needs of the calls' owner. */
export interface PollOwner {
  find(descriptor: number): OpenFile | undefined;
  timer(onExpiry: () => void): Timer;
  /** While a poll waits, the stack can end it. */
  waiting(poll: Closable): void;
  finished(poll: Closable): void;
}

const ALWAYS = POLLERR | POLLHUP | POLLNVAL;

/**
 * @param timeout 0 looks and returns; a negative one waits for ever
 * @returns how many have something in `revents`; 0 when the time is over
 */
export async function poll(fds: readonly PollFd[], timeout: Milliseconds, owner: PollOwner): Promise<number> {
  let ready = look(fds, owner);
  if (ready > 0 || timeout === 0) return ready;
  let isOver = false;
  let wake: () => void = () => {};
  const timer = owner.timer(() => {
    isOver = true;
    wake();
  });
  const entry: Closable = {
    destroy: () => {
      isOver = true;
      wake();
    },
  };
  owner.waiting(entry);
  if (timeout > 0) timer.arm(timeout);
  while (ready === 0 && !isOver) {
    await new Promise<void>((resolve) => {
      const forget = fds.map(({ fd }) => owner.find(fd)?.onChange(() => wake()));
      wake = () => {
        for (const each of forget) each?.();
        resolve();
      };
    });
    ready = look(fds, owner);
  }
  timer.disarm();
  owner.finished(entry);
  return ready;
}

/** Fills in every `revents`. */
function look(fds: readonly PollFd[], owner: PollOwner): number {
  let ready = 0;
  for (const each of fds) {
    const file = each.fd < 0 ? undefined : owner.find(each.fd);
    const events = file === undefined || file.isClosed ? POLLNVAL : file.events();
    each.revents = each.fd < 0 ? 0 : events & (each.events | ALWAYS);
    if (each.revents !== 0) ready += 1;
  }
  return ready;
}
