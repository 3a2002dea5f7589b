// The user timeout option (RFC 5482): both ends say how long they would wait for an acknowledgment, and may adopt the longer time.
import type { Milliseconds } from "@netstrata/core";
import type { TcpUserTimeoutEvent } from "./tcp-events.ts";
import type { UserTimeoutOption } from "./tcp-options.ts";
import type { TransmissionControlBlock } from "./transmission-control-block.ts";

/** L_LIMIT (§3.1): at least 100 s, and more than the retransmission timeout. */
export const SHORTEST_ADOPTED_USER_TIMEOUT: Milliseconds = 100_000;
/** U_LIMIT: no peer makes us hold a connection longer. */
export const LONGEST_ADOPTED_USER_TIMEOUT: Milliseconds = 3_600_000;

const SECOND = 1000;
const MINUTE = 60_000;
/** What the 15 bits of the option hold. */
const LARGEST_VALUE = 0x7fff;

/** What the block remembers of it. ENABLED and ADV_UTO are `userTimeoutOption`, CHANGEABLE is `userTimeoutChangeable`, USER_TIMEOUT `userTimeout`. */
export class UserTimeoutExchange {
  /** §3: the next segment that has room should carry the option. */
  due = false;
  /** REMOTE_UTO; undefined while the peer has sent none. */
  received: Milliseconds | undefined = undefined;
}

/** The option for ADV_UTO; undefined when it is off. Rounded up: seconds where they fit, else minutes. */
export function userTimeoutToSend(tcb: TransmissionControlBlock): UserTimeoutOption | undefined {
  const advertised = tcb.options.userTimeoutOption;
  if (advertised <= 0) return undefined;
  const seconds = Math.ceil(advertised / SECOND);
  if (seconds <= LARGEST_VALUE) return { inMinutes: false, value: seconds };
  return { inMinutes: true, value: Math.min(LARGEST_VALUE, Math.ceil(advertised / MINUTE)) };
}

/** The peer's option in a SYN: it is kept until the connection is synchronized (§3.3). Elsewhere it counts at once. */
export function receiveUserTimeout(tcb: TransmissionControlBlock, option: UserTimeoutOption | undefined): void {
  // §3.4: a value of 0 is reserved, and ignored.
  if (option === undefined || option.value === 0 || tcb.options.userTimeoutOption <= 0) return;
  tcb.userTimeout.received = option.value * (option.inMinutes ? MINUTE : SECOND);
  if (tcb.state !== "SYN-SENT" && tcb.state !== "SYN-RECEIVED" && tcb.state !== "CLOSED") adoptUserTimeout(tcb);
}

/** §3.1: USER_TIMEOUT = min(U_LIMIT, max(ADV_UTO, REMOTE_UTO, L_LIMIT)), where the user has not chosen one. */
export function adoptUserTimeout(tcb: TransmissionControlBlock): void {
  const { received } = tcb.userTimeout;
  const { userTimeoutOption: advertised, userTimeoutChangeable } = tcb.options;
  if (received === undefined) return;
  if (userTimeoutChangeable) {
    const least = Math.max(SHORTEST_ADOPTED_USER_TIMEOUT, tcb.retransmissionTimeout.value + 1);
    tcb.options = { ...tcb.options, userTimeout: Math.min(LONGEST_ADOPTED_USER_TIMEOUT, Math.max(advertised, received, least)) };
  }
  const { observer } = tcb.context.host;
  if (observer === undefined) return;
  // §3.1: the user should hear of it also where nothing changes.
  const event: TcpUserTimeoutEvent = {
    layer: "tcp",
    kind: "user-timeout",
    local: tcb.local,
    remote: tcb.remote,
    received,
    userTimeout: tcb.options.userTimeout,
    clause: "RFC 5482 §3.1",
  };
  observer.observe(event);
}
