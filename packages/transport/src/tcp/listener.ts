// The LISTEN state (RFC 9293 §3.10.7.2): a listener makes a connection of each SYN, and hands it out when the handshake is complete.
import type { Host } from "@netstrata/core";
import type { Endpoint } from "../endpoint.ts";
import type { Binding } from "../wildcard.ts";
import { abort, becomeClosed } from "./closing.ts";
import { type ResolvedTcpOptions, resolveTcpOptions } from "./connection-options.ts";
import { finishEvent } from "./event.ts";
import { setFastOpenKeys } from "./fast-open/fast-open.ts";
import { FastOpenCookies } from "./fast-open/fast-open-cookies.ts";
import { FastOpenQueue } from "./fast-open/fast-open-queue.ts";
import { retriesWithin } from "./patience.ts";
import type { PersonalityName } from "./personality.ts";
import type { TcpConnection, TcpConnectionOptions, TcpListener, TcpListenerUser, TcpListenOptions } from "./tcp-service.ts";
import type { HandshakeListener, TransmissionControlBlock } from "./transmission-control-block.ts";

export const DEFAULT_BACKLOG = 128;

/** How many connections really wait for a given backlog. The systems have never agreed. */
const ACCEPT_QUEUE: Readonly<Record<PersonalityName, (backlog: number) => number>> = {
  rfc: (backlog) => backlog,
  // sk_acceptq_is_full()
  linux: (backlog) => backlog + 1,
  // sonewconn(): half as many again
  freebsd: (backlog) => Math.floor((3 * backlog) / 2) + 1,
};

type ListenerSettings = Pick<TcpListenOptions, "backlog" | "ipv6Only" | "fastOpenBacklog" | "deferAccept" | "abortOnOverflow">;

export class Listener implements TcpListener, HandshakeListener {
  readonly local: Endpoint;
  readonly binding: Binding;
  user: TcpListenerUser;
  options: ResolvedTcpOptions;
  private limit: number;
  private readonly onClose: (listener: Listener) => void;
  /** Connections in SYN-RECEIVED, the oldest first. */
  private readonly halfOpen: TransmissionControlBlock[] = [];
  private waiting: TcpConnection[] = [];

  readonly abortOnOverflow: boolean;
  /** RFC 7413 */
  readonly fastOpenQueue: FastOpenQueue;
  fastOpenCookies: FastOpenCookies | undefined;
  /** In ms. */
  deferAccept: number;
  private readonly host: Host;
  private readonly personality: PersonalityName;

  constructor(
    { host, personality }: { readonly host: Host; readonly personality: PersonalityName },
    local: Endpoint,
    user: TcpListenerUser,
    options: ResolvedTcpOptions,
    { backlog = DEFAULT_BACKLOG, fastOpenBacklog = 0, deferAccept = 0, abortOnOverflow = false, ipv6Only = false }: ListenerSettings,
    onClose: (listener: Listener) => void,
  ) {
    this.host = host;
    this.personality = personality;
    this.fastOpenQueue = new FastOpenQueue(host.clock, fastOpenBacklog);
    this.deferAccept = deferAccept;
    this.abortOnOverflow = abortOnOverflow;
    this.local = local;
    this.binding = { address: local.address, ipv6Only };
    this.user = user;
    this.options = options;
    this.limit = Math.max(1, backlog);
    this.onClose = onClose;
  }

  get backlog(): number {
    return this.limit;
  }

  set backlog(backlog: number) {
    this.limit = Math.max(1, backlog);
  }

  set(options: TcpConnectionOptions): void {
    this.options = resolveTcpOptions(this.options, options);
  }

  /** As many wait as may; another SYN is not worth an answer, and the peer tries again. */
  get isFull(): boolean {
    return this.waiting.length >= ACCEPT_QUEUE[this.personality](this.backlog);
  }

  /** As many are half open as may be: time for SYN cookies, where they are wanted. */
  get hasManyHalfOpen(): boolean {
    return this.halfOpen.length >= this.backlog;
  }

  get fastOpenBacklog(): number {
    return this.fastOpenQueue.limit;
  }

  set fastOpenBacklog(limit: number) {
    this.fastOpenQueue.limit = limit;
  }

  setFastOpenKeys(keys: Uint8Array): void {
    this.fastOpenCookies ??= new FastOpenCookies(this.host, Number.POSITIVE_INFINITY);
    setFastOpenKeys(this.fastOpenCookies, keys);
  }

  get deferRetries(): number {
    return retriesWithin(this.deferAccept, this.options.rtoInitial, this.options.rtoMaximum);
  }

  /**
   * Makes room for another half-open connection: "room" when there was some, "evicted" when one had to go, "full" when none
   * may. A true peer answers within a round trip; whoever has let our SYN,ACK be sent again is the one to go (RFC 4987 §3.3).
   */
  makeRoom(): "room" | "evicted" | "full" {
    if (this.halfOpen.length < this.backlog) return "room";
    const [oldest] = this.halfOpen;
    if ((oldest.scoreboard.first()?.transmissions ?? 1) === 1) return "full";
    becomeClosed(oldest, "ECONNABORTED");
    return "evicted";
  }

  opened(tcb: TransmissionControlBlock): void {
    this.halfOpen.push(tcb);
  }

  established(tcb: TransmissionControlBlock): void {
    this.forget(tcb);
    this.waiting.push(tcb.connection);
    this.user.acceptable(this);
  }

  /** A half-open connection is over. */
  forget(tcb: TransmissionControlBlock): void {
    // Most are answered in the order in which they came.
    const index = this.halfOpen.indexOf(tcb);
    if (index >= 0) this.halfOpen.splice(index, 1);
  }

  accept(): TcpConnection | undefined {
    return this.waiting.shift();
  }

  close(): void {
    this.onClose(this);
    for (const tcb of [...this.halfOpen]) {
      // The kernels forget what is half open in silence; its peer hears of it when it sends the next segment.
      if (this.personality === "rfc") abort(tcb, "ECONNABORTED");
      else becomeClosed(tcb, "ECONNABORTED");
      finishEvent(tcb);
    }
    for (const connection of this.waiting) connection.abort();
    this.waiting = [];
  }
}
