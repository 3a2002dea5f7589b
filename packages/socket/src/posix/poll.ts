// poll: which descriptors are ready, and waiting until one is (POSIX.1-2017, poll()).
import { Call, type Outcome } from "./call.ts";
import { POLLERR, POLLHUP, POLLNVAL } from "./linux-numbers.ts";
import type { OpenFile, Watcher } from "./open-file.ts";
import type { Wakeable, WakeUps } from "./wake-ups.ts";

export interface PollFd {
  /** A negative one is passed over. */
  readonly fd: number;
  /** What is asked for: POLLIN, POLLOUT, POLLPRI, POLLRDHUP. */
  readonly events: number;
  /** What is the case; also POLLERR, POLLHUP and POLLNVAL, which nobody needs to ask for. */
  revents: number;
}

export type FindFile = (descriptor: number) => OpenFile | undefined;

const ALWAYS = POLLERR | POLLHUP | POLLNVAL;

/** A `poll` that waits: it hears of every change of its files, and looks again. */
export class PollWait implements Watcher, Wakeable {
  isDue = false;
  readonly call: Call<number>;
  private readonly fds: readonly PollFd[];
  private readonly find: FindFile;
  private readonly wakeUps: WakeUps;
  private readonly files: Set<OpenFile> = new Set();

  constructor(fds: readonly PollFd[], find: FindFile, wakeUps: WakeUps) {
    this.fds = fds;
    this.find = find;
    this.wakeUps = wakeUps;
    this.call = new Call<number>(undefined, (mayWait) => this.attempt(mayWait));
    for (const { fd } of fds) {
      const file = fd < 0 ? undefined : find(fd);
      if (file !== undefined) this.files.add(file);
    }
    for (const file of this.files) file.watch(this);
    this.call.onSettled(() => {
      for (const file of this.files) file.unwatch(this);
    });
  }

  changed(): void {
    if (this.call.isWaiting) this.wakeUps.add(this);
  }

  wake(): void {
    const outcome = this.call.retry();
    if (outcome !== undefined) this.call.settle(outcome);
  }

  private attempt(mayWait: boolean): Outcome<number> | undefined {
    const ready = look(this.fds, this.find);
    return ready > 0 || !mayWait ? ready : undefined;
  }
}

/** Fills in every `revents`; returns how many are not 0. */
export function look(fds: readonly PollFd[], find: FindFile): number {
  let ready = 0;
  for (const each of fds) {
    const file = each.fd < 0 ? undefined : find(each.fd);
    const events = file === undefined ? POLLNVAL : file.events();
    each.revents = each.fd < 0 ? 0 : events & (each.events | ALWAYS);
    if (each.revents !== 0) ready += 1;
  }
  return ready;
}
