// A property of every connection: while something is unacknowledged, it does not stand still for longer than its timeout (RFC 6298 §5).
import { sequenceDistance } from "@netstrata/core";
import type { TcpConnection, TcpEvent } from "../../src/index.ts";
import type { TransmissionControlBlock } from "../../src/tcp/transmission-control-block.ts";

/** Timers count in whole milliseconds at the least. */
const SLACK = 1;

/** To be asked after every step of the clock. */
export class StallWatch {
  /** How often, and for how long at the most, something waited without a sign from either side. In ms. */
  longest = 0;
  private readonly tcb: TransmissionControlBlock;
  private wasWaiting = false;
  private traffic = -1;
  private una = 0;
  /** When something was last sent or received, and by when something must be sent. */
  private since = 0;
  /** The longest timeout since the last question: several segments may have arrived since. */
  private largest = 0;
  private due = 0;

  constructor(connection: TcpConnection) {
    this.tcb = (connection as unknown as { tcb: TransmissionControlBlock }).tcb;
  }

  /** To be told what the observer sees. */
  observed(event: TcpEvent): void {
    if (event.kind !== "round-trip" || event.local.port !== this.tcb.local.port) return;
    this.largest = Math.max(this.largest, event.retransmissionTimeout);
  }

  /** Undefined, or what is wrong. */
  problem(): string | undefined {
    const { tcb } = this;
    const now = tcb.clock.now();
    const waiting = !tcb.scoreboard.isEmpty || (sequenceDistance(tcb.snd.nxt, tcb.sendEnd) > 0 && tcb.state !== "SYN-RECEIVED");
    const traffic = tcb.segmentsOut + tcb.segmentsIn;
    // A pacer waits for its own time.
    const goesOn = !tcb.isArmed("pacing") && this.wasWaiting && waiting && traffic === this.traffic && tcb.state !== "CLOSED";
    this.wasWaiting = waiting;
    if (!goesOn) {
      // Linux lets a probe come due that may not be sent, before it sets the timer for the timeout.
      const timeouts = tcb.options.congestionAccounting === "segments" ? 2 : 1;
      // What is paced waits for its turn.
      const due = now + timeouts * Math.max(this.largest, tcb.retransmissionTimeout.value) + (tcb.pacer?.wait(now) ?? 0);
      this.largest = 0;
      // What is reported or repeated does not start the timer anew, so a timeout that was longer may still be running.
      this.due = tcb.snd.una === this.una ? Math.max(due, this.due) : due;
      this.traffic = traffic;
      this.una = tcb.snd.una;
      this.since = now;
      return undefined;
    }
    this.longest = Math.max(this.longest, now - this.since);
    if (now <= this.due + SLACK) return undefined;
    return `nothing sent for ${now - this.since} ms in ${tcb.state}, ${now - this.due} ms more than the timeout allows`;
  }
}
