// select: poll for those who count in sets (POSIX.1-2017, select()).
import { Call } from "./call.ts";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, POLLWRBAND, POLLWRNORM } from "./linux-numbers.ts";
import type { PollFd } from "./poll.ts";

/** Descriptors; what is not ready is taken out when the call returns. */
export interface SelectSets {
  readonly read?: Set<number>;
  readonly write?: Set<number>;
  readonly except?: Set<number>;
}

/** What Linux calls ready for each set. */
const READABLE: number = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR;
const WRITABLE: number = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR;

/** @returns how many are ready in all sets together; EBADF when one is no descriptor */
export function select(sets: SelectSets, poll: (fds: readonly PollFd[]) => Call): Call {
  const rows: readonly (readonly [Set<number> | undefined, number])[] = [
    [sets.read, READABLE],
    [sets.write, WRITABLE],
    [sets.except, POLLPRI],
  ];
  const asked = new Map<number, number>();
  for (const [set, events] of rows) for (const fd of set ?? []) asked.set(fd, (asked.get(fd) ?? 0) | events);
  const fds = [...asked].map(([fd, events]) => ({ fd, events, revents: 0 }));
  const polling = poll(fds);
  const selecting: Call = new Call<number>(undefined, undefined, () => polling.interrupt());
  polling.onSettled((outcome) => {
    if (typeof outcome === "string") selecting.settle(outcome);
    else selecting.settle(fds.some(({ revents }) => (revents & POLLNVAL) !== 0) ? "EBADF" : sift(rows, fds));
  });
  return selecting;
}

function sift(rows: readonly (readonly [Set<number> | undefined, number])[], fds: readonly PollFd[]): number {
  const found = new Map(fds.map(({ fd, revents }) => [fd, revents]));
  let ready = 0;
  for (const [set, events] of rows) {
    for (const fd of [...(set ?? [])]) {
      if (((found.get(fd) ?? 0) & events) !== 0) ready += 1;
      else set?.delete(fd);
    }
  }
  return ready;
}
