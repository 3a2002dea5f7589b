// epoll of Linux: a list of what is ready, so that waiting costs what is ready and not what is watched.
import type { Milliseconds } from "@netstrata/core";
import { Fifo } from "../fifo.ts";
import { type Attempt, Call, CallQueue, type Result } from "./call.ts";
import * as c from "./linux-numbers.ts";
import { type FileOwner, OpenFile, type Watcher } from "./open-file.ts";

/** `struct epoll_event`. */
export interface EpollEvent {
  /** EPOLLIN, EPOLLOUT …, and to ask also EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE. */
  readonly events: number;
  /** Handed back as it was given. */
  readonly data: number;
}

const ALWAYS: number = c.EPOLLERR | c.EPOLLHUP;
/** How an event is asked for, not what for. */
const MANNER: number = (c.EPOLLET | c.EPOLLONESHOT | c.EPOLLEXCLUSIVE | c.EPOLLWAKEUP) >>> 0;
const ALLOWED_EXCLUSIVE: number = (c.EPOLLIN | c.EPOLLOUT | ALWAYS | c.EPOLLWAKEUP | c.EPOLLET | c.EPOLLEXCLUSIVE) >>> 0;
/** EP_MAX_NESTS: instances that watch instances. */
const DEEPEST_NESTING = 4;

/** A descriptor that an instance watches. */
class Interest implements Watcher {
  readonly fd: number;
  readonly file: OpenFile;
  events: number;
  data: number;
  isListed = false;
  isGone = false;
  private readonly epoll: EpollFile;

  constructor(epoll: EpollFile, fd: number, file: OpenFile, { events, data }: EpollEvent) {
    this.epoll = epoll;
    this.fd = fd;
    this.file = file;
    this.events = events;
    this.data = data;
  }

  /** What is the case of what is asked for. After EPOLLONESHOT nothing is, until it is asked again. */
  get ready(): number {
    return this.isDisabled ? 0 : this.file.events() & ((this.events & ~MANNER) | ALWAYS);
  }

  get isDisabled(): boolean {
    return (this.events & ~MANNER) === 0;
  }

  changed(events: number): void {
    if (this.file.isClosed) this.epoll.forget(this);
    else if (!this.isDisabled && (events === 0 || (events & (this.events | ALWAYS)) !== 0)) this.epoll.list(this);
  }
}

export class EpollFile extends OpenFile {
  readonly type: number = 0;
  private readonly interests: Map<number, Interest> = new Map();
  private readonly listed: Fifo<Interest> = new Fifo();
  private readonly waiting: CallQueue = new CallQueue();
  private readonly onEnd: (file: EpollFile) => void;

  constructor(owner: FileOwner, onEnd: (file: EpollFile) => void) {
    super(owner);
    this.onEnd = onEnd;
  }

  /** Descriptors that are watched. */
  get size(): number {
    return this.interests.size;
  }

  /** An instance can itself be watched: it is readable when something of it is ready. */
  events(): number {
    const isReady = this.listed.some((interest) => !interest.isGone && interest.ready !== 0);
    return isReady ? c.POLLIN | c.POLLRDNORM : 0;
  }

  control(operation: number, fd: number, file: OpenFile, event: EpollEvent | undefined): Result {
    const interest = this.interests.get(fd);
    const existing = interest?.file === file ? interest : undefined;
    const isExclusive = event !== undefined && (event.events & c.EPOLLEXCLUSIVE) !== 0;
    if (isExclusive) {
      const isForbidden = operation === c.EPOLL_CTL_MOD || file instanceof EpollFile || (event.events & ~ALLOWED_EXCLUSIVE) !== 0;
      if (isForbidden && operation !== c.EPOLL_CTL_DEL) return "EINVAL";
    }
    switch (operation) {
      case c.EPOLL_CTL_ADD:
        if (event === undefined) return "EFAULT";
        if (file instanceof EpollFile && (file.reaches(this) || file.depth() >= DEEPEST_NESTING)) return "ELOOP";
        if (existing !== undefined) return "EEXIST";
        return this.add(new Interest(this, fd, file, event));
      case c.EPOLL_CTL_MOD:
        if (event === undefined) return "EFAULT";
        if (existing === undefined) return "ENOENT";
        if ((existing.events & c.EPOLLEXCLUSIVE) !== 0) return "EINVAL";
        existing.events = event.events;
        existing.data = event.data;
        if (existing.ready !== 0) this.list(existing);
        return 0;
      case c.EPOLL_CTL_DEL:
        if (existing === undefined) return "ENOENT";
        this.forget(existing);
        return 0;
      default:
        return "EINVAL";
    }
  }

  /** epoll_wait. An empty list: the time is over. */
  wait(most: number, timeout: Milliseconds): Call<EpollEvent[]> {
    const attempt: Attempt<EpollEvent[]> = (mayWait) => {
      const ready = this.collect(most);
      return ready.length > 0 || !mayWait ? ready : undefined;
    };
    return this.waiting.start(attempt, timeout !== 0, Math.max(0, timeout), this.owner.timer);
  }

  /** Something of an interest has changed: the next to wait looks at it. */
  list(interest: Interest): void {
    if (!interest.isListed) {
      interest.isListed = true;
      this.listed.push(interest);
    }
    this.changed(c.POLLIN | c.POLLRDNORM);
    if (this.waiting.length > 0) this.owner.wakeUps.add(this);
  }

  override wake(): void {
    super.wake();
    this.waiting.retry();
  }

  forget(interest: Interest): void {
    interest.isGone = true;
    interest.file.unwatch(interest);
    if (this.interests.get(interest.fd) === interest) this.interests.delete(interest.fd);
  }

  ioctl(): undefined {
    return undefined;
  }

  destroy(): void {
    if (!this.isClosed) this.close();
  }

  protected release(): Call {
    for (const interest of [...this.interests.values()]) this.forget(interest);
    this.listed.clear();
    this.waiting.settle("EBADF");
    this.onEnd(this);
    return new Call<number>(0);
  }

  private add(interest: Interest): 0 {
    // A descriptor that was closed and given out anew.
    const former = this.interests.get(interest.fd);
    if (former !== undefined) this.forget(former);
    this.interests.set(interest.fd, interest);
    interest.file.watch(interest);
    if (interest.ready !== 0) this.list(interest);
    return 0;
  }

  /** Takes from the list, each at most once; what is asked for by level goes to its end again. */
  private collect(most: number): EpollEvent[] {
    const ready: EpollEvent[] = [];
    for (let left = this.listed.length; left > 0 && ready.length < most; left -= 1) {
      const interest = this.listed.shift() as Interest;
      interest.isListed = false;
      if (interest.isGone) continue;
      const events = interest.ready;
      if (events === 0) continue;
      ready.push({ events, data: interest.data });
      if ((interest.events & c.EPOLLONESHOT) !== 0) interest.events &= MANNER;
      else if ((interest.events & c.EPOLLET) === 0) {
        interest.isListed = true;
        this.listed.push(interest);
      }
    }
    return ready;
  }

  private reaches(other: EpollFile): boolean {
    if (other === this) return true;
    return [...this.interests.values()].some(({ file }) => file instanceof EpollFile && file.reaches(other));
  }

  private depth(): number {
    const below = [...this.interests.values()].map(({ file }) => (file instanceof EpollFile ? file.depth() : 0));
    return 1 + Math.max(0, ...below);
  }
}
