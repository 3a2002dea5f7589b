// Duplicate address detection (RFC 4862 §5.4), and addresses that are used meanwhile (RFC 4429).
import type { Clock, Host, Ipv6Address, Milliseconds, Timer } from "@netstrata/core";
import { randomFraction } from "@netstrata/core";

/** RFC 4862 §5.1, DupAddrDetectTransmits. */
export const DUPLICATE_DETECTION_TRANSMITS = 1;
/** RFC 4861 §10, RETRANS_TIMER. */
const RETRANSMIT_TIME: Milliseconds = 1000;
/** RFC 4861 §10, MAX_RTR_SOLICITATION_DELAY: hosts that start together do not ask together. */
const MAX_DELAY: Milliseconds = 1000;

/** What is to be done about one address. */
export interface DetectionOutcome {
  /** Sends one solicitation for it, from "::". */
  probe(): void;
  /** Nobody else has it. */
  unique(): void;
  /** Somebody has it. */
  duplicate(): void;
}

interface Detection extends DetectionOutcome {
  readonly timer: Timer;
  /** It is used already, with care (RFC 4429 §2.1). */
  readonly optimistic: boolean;
  left: number;
}

export class DuplicateAddressDetection {
  private readonly host: Host;
  private readonly transmits: number;
  private readonly running = new Map<Ipv6Address, Detection>();

  constructor(host: Host, transmits: number = DUPLICATE_DETECTION_TRANSMITS) {
    this.host = host;
    this.transmits = transmits;
  }

  private get clock(): Clock {
    return this.host.clock;
  }

  /** True while it is not known whether the address is ours alone. */
  isTentative(address: Ipv6Address): boolean {
    return this.running.has(address);
  }

  isOptimistic(address: Ipv6Address): boolean {
    return this.running.get(address)?.optimistic === true;
  }

  /** §5.4.2: the first probe comes at a random time, so that the joining of its group is not lost in a burst of others. */
  start(address: Ipv6Address, optimistic: boolean, outcome: DetectionOutcome): void {
    this.stop(address);
    if (this.transmits === 0) {
      outcome.unique();
      return;
    }
    const timer = this.clock.timer(() => this.expire(address));
    this.running.set(address, { ...outcome, timer, optimistic, left: this.transmits });
    timer.arm(optimistic ? 0 : randomFraction(this.host.random) * MAX_DELAY);
  }

  stop(address: Ipv6Address): void {
    this.running.get(address)?.timer.disarm();
    this.running.delete(address);
  }

  /** §5.4.3, §5.4.4: somebody asks for the address too, or says that he has it. @returns false when nothing is being detected */
  conflict(address: Ipv6Address): boolean {
    const detection = this.running.get(address);
    if (detection === undefined) return false;
    this.stop(address);
    detection.duplicate();
    return true;
  }

  close(): void {
    for (const address of this.running.keys()) this.stop(address);
  }

  private expire(address: Ipv6Address): void {
    const detection = this.running.get(address);
    if (detection === undefined) return;
    if (detection.left === 0) {
      this.running.delete(address);
      detection.unique();
      return;
    }
    detection.left -= 1;
    detection.timer.arm(RETRANSMIT_TIME);
    detection.probe();
  }
}
