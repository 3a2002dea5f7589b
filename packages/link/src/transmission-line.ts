// One direction of a wire: a transmitter with a rate and a queue, and the way to the other end with a latency.
// Why one timer a direction: docs/decisions/0003-link-devices-and-clock.md.
import { type Clock, type Milliseconds, type PacketBuffer, resolveLimits, type Timer } from "@netstrata/core";
import type { Medium } from "./link-device.ts";
import { markCongestion } from "./queue/mark-congestion.ts";
import type { QueueCounters, QueueDiscipline, QueueDisciplineFactory } from "./queue/queue-discipline.ts";

/** Packets that wait for the transmitter, as Linux's default `txqueuelen`. */
export const DEFAULT_QUEUE_LIMIT = 1000;
/** Packets on their way at once: 64 Ki of 1500 octets are 100 Mbit/s for 8 seconds. */
export const DEFAULT_FLIGHT_LIMIT = 65536;

export interface LineOptions {
  /** From the end of a packet's transmission to its arrival. @default 0 */
  readonly latency?: Milliseconds;
  /** Bits a second; packets are transmitted one after the other. @default Infinity */
  readonly rate?: number;
  /** Packets that wait for the transmitter or are in transmission; one more is dropped. Means nothing without a rate. @default 1000 */
  readonly queueLimit?: number;
  /** Marks or drops before the queue is full (RFC 7567): `codel()`, `thresholdMarking(20)`, or one of your own. Means nothing without a rate. @default none: tail drop */
  readonly queue?: QueueDisciplineFactory;
  /** Packets that are in the queue or on their way; one more is dropped. @default 65536 */
  readonly flightLimit?: number;
}

const SMALLEST_RING = 16;

/**
 * First in, first out: the latency is the same for all packets, so the order of sending is the order of arrival, and one
 * timer for the first of them serves all.
 */
export class TransmissionLine {
  private readonly clock: Clock;
  private readonly deliver: (packet: PacketBuffer) => void;
  private readonly latency: Milliseconds;
  /** Milliseconds that one octet takes; 0 when the rate is infinite. */
  private readonly octetTime: Milliseconds;
  private readonly queueLimit: number;
  private readonly flightLimit: number;
  private readonly timer: Timer;
  private readonly medium: Medium;
  private readonly discipline: QueueDiscipline | undefined;
  readonly queueCounters: QueueCounters = { marked: 0, dropped: 0 };

  // A ring of `packets.length` (a power of two) places, of which `count` from `head` on are taken.
  private packets: (PacketBuffer | undefined)[] = new Array(SMALLEST_RING);
  private arrivals: Milliseconds[] = new Array(SMALLEST_RING);
  private head = 0;
  private count = 0;
  /** How many of the last packets in the ring had not left the transmitter when we last looked. */
  private waiting = 0;
  /** When the transmitter has sent everything that was given to it. */
  private idleAt: Milliseconds = Number.NEGATIVE_INFINITY;

  /**
   * @param deliver called from the clock for each packet that arrives; the packet is nobody else's by then
   * @param medium what stands in front of the IP header, for whoever marks it
   */
  constructor(clock: Clock, deliver: (packet: PacketBuffer) => void, options: LineOptions = {}, medium: Medium = "ip") {
    const { latency = 0, rate = Number.POSITIVE_INFINITY } = options;
    const { queueLimit, flightLimit } = resolveLimits({ queueLimit: DEFAULT_QUEUE_LIMIT, flightLimit: DEFAULT_FLIGHT_LIMIT }, options);
    if (!(latency >= 0 && latency < Number.POSITIVE_INFINITY)) throw new RangeError(`latency ${latency}: not a duration`);
    if (!(rate > 0)) throw new RangeError(`rate ${rate}: not a number of bits a second`);
    this.clock = clock;
    this.deliver = deliver;
    this.latency = latency;
    this.octetTime = 8000 / rate;
    this.medium = medium;
    this.discipline = options.queue?.();
    this.queueLimit = queueLimit;
    this.flightLimit = flightLimit;
    this.timer = clock.timer(() => this.arrive());
  }

  /** Packets that are in the queue or on their way. */
  get length(): number {
    return this.count;
  }

  /** Takes the packet, or answers false: a queue is full, and the packet is lost. */
  send(packet: PacketBuffer): boolean {
    if (this.count >= this.flightLimit) return false;
    const now = this.clock.now();
    let arrival = now + this.latency;
    if (this.octetTime > 0) {
      this.retireSent(arrival);
      if (this.waiting >= this.queueLimit) return false;
      const start = this.idleAt > now ? this.idleAt : now;
      const transmission = packet.length * this.octetTime;
      if (this.discipline !== undefined && !this.admit(this.discipline, packet, now, start - now, transmission)) return false;
      this.idleAt = start + transmission;
      arrival = this.idleAt + this.latency;
      this.waiting += 1;
    }
    if (this.count === this.packets.length) this.grow();
    const place = (this.head + this.count) & (this.packets.length - 1);
    this.packets[place] = packet;
    this.arrivals[place] = arrival;
    this.count += 1;
    if (this.count === 1) this.timer.arm(arrival - now);
    return true;
  }

  /** Forgets every packet and disarms the timer. */
  clear(): void {
    this.timer.disarm();
    this.packets = new Array(SMALLEST_RING);
    this.arrivals = new Array(SMALLEST_RING);
    this.head = 0;
    this.count = 0;
    this.waiting = 0;
    this.idleAt = Number.NEGATIVE_INFINITY;
  }

  /** What the discipline says; a packet whose sender does not understand marks is dropped instead (RFC 3168 §5). */
  private admit(
    discipline: QueueDiscipline,
    packet: PacketBuffer,
    now: Milliseconds,
    sojourn: Milliseconds,
    transmission: Milliseconds,
  ): boolean {
    const verdict = discipline.judge({ now, sojourn, packets: this.waiting, transmission });
    if (verdict === "pass") return true;
    if (verdict === "mark" && markCongestion(packet, this.medium)) {
      this.queueCounters.marked += 1;
      return true;
    }
    this.queueCounters.dropped += 1;
    return false;
  }

  /** Packets that left the transmitter at this moment arrive at `arrival`: all that arrive earlier wait no more. */
  private retireSent(arrival: Milliseconds): void {
    if (this.waiting > this.count) this.waiting = this.count;
    while (this.waiting > 0) {
      const oldest = (this.head + this.count - this.waiting) & (this.packets.length - 1);
      if (this.arrivals[oldest] > arrival) return;
      this.waiting -= 1;
    }
  }

  private arrive(): void {
    const now = this.clock.now();
    // What the receivers send in answer over a line without latency is due at this instant too; it waits for the next
    // expiry, so that two hosts that answer each other for ever leave the clock in control.
    let left = this.count;
    try {
      while (left > 0 && this.count > 0 && this.arrivals[this.head] <= now) {
        left -= 1;
        const packet = this.packets[this.head] as PacketBuffer;
        this.packets[this.head] = undefined;
        this.head = (this.head + 1) & (this.packets.length - 1);
        this.count -= 1;
        this.deliver(packet);
      }
    } finally {
      // Also when a receiver breaks its contract and throws: the packets behind are not to suffer for it.
      if (this.count > 0) this.timer.arm(this.arrivals[this.head] - now);
    }
  }

  private grow(): void {
    const { packets, arrivals, head } = this;
    this.packets = [...packets.slice(head), ...packets.slice(0, head)];
    this.arrivals = [...arrivals.slice(head), ...arrivals.slice(0, head)];
    this.packets.length *= 2;
    this.arrivals.length *= 2;
    this.head = 0;
  }
}
