// A device wrapper that loses, damages, doubles and delays packets: a bad network, as bad as you like, and repeatable.
import { type Host, type PacketBuffer, resolveLimits } from "@netstrata/core";
import { DeviceWrapper, type Direction } from "./device-wrapper.ts";
import type { Fault, FaultEvent, FaultRates, NamedFault } from "./fault.ts";
import { type FaultCounters, FaultLane } from "./fault-lane.ts";
import { type LinkDevice, type LinkOffload, NO_OFFLOAD } from "./link-device.ts";

/** Packets that one direction holds back at once. */
export const DEFAULT_HELD_LIMIT = 1024;

export interface FaultInjectorOptions {
  /** From the stack to the medium. @default none */
  readonly out?: FaultRates;
  /** From the medium to the stack. @default none */
  readonly in?: FaultRates;
  /** Packets held back for each direction; more are not held, but go on at once. @default 1024 */
  readonly heldLimit?: number;
}

/**
 * A misuse, such as a negative time, throws a RangeError. Chance and time come from `host`, so the same seed makes the same faults. Delayed packets go on through the clock.
 * Above it there is no offload: faults hit what is on the wire, so nothing may be left to be done further down.
 */
export class FaultInjector extends DeviceWrapper {
  private readonly host: Pick<Host, "clock" | "random" | "observer">;
  private readonly lanes: Readonly<Record<Direction, FaultLane>>;

  constructor(inner: LinkDevice, host: Pick<Host, "clock" | "random" | "observer">, options: FaultInjectorOptions = {}) {
    super(inner);
    this.host = host;
    const { heldLimit } = resolveLimits({ heldLimit: DEFAULT_HELD_LIMIT }, options);
    const lane = (direction: Direction, forward: (packet: PacketBuffer) => void): FaultLane =>
      new FaultLane(host, direction, options[direction] ?? {}, heldLimit, forward, (fault, packet) => this.tell(direction, fault, packet));
    this.lanes = {
      out: lane("out", (packet) => this.inner.transmit(packet)),
      in: lane("in", (packet) => super.receive(packet)),
    };
  }

  override get offload(): LinkOffload {
    return NO_OFFLOAD;
  }

  /** How often each fault happened. */
  get faults(): Readonly<Record<Direction, FaultCounters>> {
    return { out: this.lanes.out.counters, in: this.lanes.in.counters };
  }

  /** Packets that are held back now. */
  get held(): number {
    return this.lanes.out.held.length + this.lanes.in.held.length;
  }

  /** From now on faults of this direction happen by these probabilities. What makes no sense throws a RangeError. */
  setRates(direction: Direction, rates: FaultRates): void {
    this.lanes[direction].setRates(rates);
  }

  /** Names packets to be hit, besides what happens by chance. What makes no sense throws a RangeError. */
  plan(fault: NamedFault): void {
    this.lanes[fault.direction].plan(fault);
  }

  override transmit(packet: PacketBuffer): void {
    if (this.closed) this.inner.transmit(packet);
    else this.lanes.out.pass(packet);
  }

  override receive(packet: PacketBuffer): void {
    this.lanes.in.pass(packet);
  }

  override close(): void {
    this.counters.txDropped += this.lanes.out.held.length;
    this.lanes.out.held.close();
    this.lanes.in.held.close();
    super.close();
  }

  private tell(direction: Direction, fault: Fault, packet: PacketBuffer): void {
    const observer = this.host.observer;
    if (observer === undefined) return;
    const event: FaultEvent = { layer: "link", kind: "fault", fault, direction, interface: this.name, packet };
    observer.observe(event);
  }
}
