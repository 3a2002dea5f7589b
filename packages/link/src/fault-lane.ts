// One direction of a fault injector: it draws the faults of each packet, and does them.
import { type Counters, createCounters, type Host, type PacketBuffer, randomBelow, randomFraction } from "@netstrata/core";
import type { Direction } from "./device-wrapper.ts";
import { checkFaultRates, checkNamedFault, FAULTS, type Fault, type FaultRates, type NamedFault } from "./fault.ts";
import { HeldPackets } from "./held-packets.ts";

/** Packets hit by each fault; "notHeld" counts those that went on at once because too many were held already. */
export type FaultCounters = Counters<Fault | "notHeld">;

/** A set of faults, one bit for each. */
type FaultSet = number;
const BIT: Readonly<Record<Fault, FaultSet>> = { drop: 1, corrupt: 2, duplicate: 4, reorder: 8, delay: 16 };

const NOT_NAMED: readonly NamedFault[] = [];

interface Plan {
  readonly named: NamedFault;
  /** How many packets have matched so far. */
  matched: number;
}

export class FaultLane {
  readonly counters: FaultCounters = createCounters([...FAULTS, "notHeld"]);
  readonly held: HeldPackets;
  private rates: FaultRates = {};
  private plans: Plan[] = [];
  private readonly host: Pick<Host, "clock" | "random">;
  /** In "in" packets are only lent to us, so what we hold must be a copy. */
  private readonly isLent: boolean;
  private readonly forward: (packet: PacketBuffer) => void;
  private readonly tell: (fault: Fault, packet: PacketBuffer) => void;

  constructor(
    host: Pick<Host, "clock" | "random">,
    direction: Direction,
    rates: FaultRates,
    heldLimit: number,
    forward: (packet: PacketBuffer) => void,
    tell: (fault: Fault, packet: PacketBuffer) => void,
  ) {
    this.host = host;
    this.isLent = direction === "in";
    this.setRates(rates);
    this.forward = forward;
    this.tell = tell;
    this.held = new HeldPackets(host.clock, heldLimit, forward);
  }

  setRates(rates: FaultRates): void {
    checkFaultRates(rates);
    this.rates = rates;
  }

  plan(named: NamedFault): void {
    checkNamedFault(named);
    this.plans.push({ named, matched: 0 });
  }

  pass(packet: PacketBuffer): void {
    // Chance is drawn also for a packet that a plan names, so that naming one does not change the luck of all behind it.
    const drawn = this.draw(packet);
    const named = this.plans.length > 0 ? this.matchPlans(packet) : NOT_NAMED;
    let faults = drawn;
    for (const { fault } of named) faults |= BIT[fault];
    const detail = (fault: Fault): NamedFault | undefined => named.find((candidate) => candidate.fault === fault);
    if ((faults & BIT.drop) !== 0) {
      this.note("drop", packet);
      return;
    }
    if ((faults & BIT.corrupt) !== 0) {
      this.note("corrupt", packet);
      // Whoever takes an unfinished checksum would not notice, because there is nothing to verify: a card that verifies
      // in hardware would have thrown the packet away.
      if (packet.checksum === "partial") return;
      packet = this.corrupt(packet, detail("corrupt")?.bit);
    }
    if ((faults & BIT.duplicate) !== 0) {
      this.note("duplicate", packet);
      this.forward(packet.copy(packet.headroom));
    }
    if ((faults & BIT.delay) !== 0) {
      this.hold("delay", packet, detail("delay")?.delayTime ?? this.drawDelay());
    } else if ((faults & BIT.reorder) !== 0) {
      this.hold("reorder", packet, this.rates.reorderTime ?? 100, this.distanceFor(detail("reorder")));
    } else {
      this.forward(packet);
      this.held.overtake();
    }
  }

  private draw(packet: PacketBuffer): FaultSet {
    const { rates } = this;
    if (rates.matches !== undefined && !rates.matches(packet)) return 0;
    let faults = 0;
    for (const fault of FAULTS) {
      const rate = rates[fault];
      if (rate !== undefined && rate > 0 && randomFraction(this.host.random) < rate) faults |= BIT[fault];
    }
    return faults;
  }

  /** Counts the packet for every plan that it matches, and answers those that hit it. */
  private matchPlans(packet: PacketBuffer): readonly NamedFault[] {
    const hits: NamedFault[] = [];
    for (const plan of this.plans) {
      const { matches, nth = 1, count = 1 } = plan.named;
      if (matches !== undefined && !matches(packet)) continue;
      plan.matched += 1;
      if (plan.matched >= nth && plan.matched < nth + count) hits.push(plan.named);
    }
    this.plans = this.plans.filter(({ named, matched }) => matched < (named.nth ?? 1) + (named.count ?? 1) - 1);
    return hits;
  }

  private drawDelay(): number {
    const [least, most] = this.rates.delayTime ?? [1, 100];
    return least + (most - least) * randomFraction(this.host.random);
  }

  private distanceFor(named: NamedFault | undefined): number {
    if (named !== undefined) return named.distance ?? 1;
    return 1 + randomBelow(this.host.random, this.rates.reorderDistance ?? 3);
  }

  private corrupt(packet: PacketBuffer, bit: number | undefined): PacketBuffer {
    // A copy, because the store may be somebody's capture or send buffer.
    const corrupted = packet.copy(packet.headroom);
    corrupted.checksum = "complete";
    const bits = 8 * packet.length;
    if (bits === 0) return corrupted;
    for (let count = bit === undefined ? (this.rates.corruptBits ?? 1) : 1; count > 0; count -= 1) {
      const place = (bit ?? randomBelow(this.host.random, bits)) % bits;
      corrupted.setU8(place >>> 3, corrupted.u8(place >>> 3) ^ (0x80 >>> (place & 7)));
    }
    return corrupted;
  }

  private hold(fault: "delay" | "reorder", packet: PacketBuffer, time: number, overtakers?: number): void {
    if (this.held.hold(this.isLent ? packet.copy(packet.headroom) : packet, time, overtakers)) {
      this.note(fault, packet);
    } else {
      this.counters.notHeld += 1;
      this.forward(packet);
    }
  }

  private note(fault: Fault, packet: PacketBuffer): void {
    this.counters[fault] += 1;
    this.tell(fault, packet);
  }
}
