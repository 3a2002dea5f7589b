// A learning switch (IEEE 802.1D §7): stations' addresses are learned from the frames they send.
import {
  type Clock,
  type Counters,
  createCounters,
  isGroupMac,
  type MacAddress,
  type Milliseconds,
  type Observer,
  type PacketBuffer,
  readMac,
  resolveLimits,
} from "@netstrata/core";
import type { LinkDevice } from "./link-device.ts";
import { MemoryDevice } from "./memory-device.ts";
import type { LineOptions } from "./transmission-line.ts";
import { ETHERNET_MTU } from "./wire.ts";

/** IEEE 802.1D §7.9.2, recommended default. */
export const DEFAULT_AGEING_TIME: Milliseconds = 300_000;
export const DEFAULT_MAX_STATIONS = 8192;

/** Groups whose frames never leave the segment they are sent on: 01-80-c2-00-00-00 to -0f (IEEE 802.1D §7.12.6). */
const FIRST_RESERVED_GROUP = 0x0180c2000000;
const LAST_RESERVED_GROUP = 0x0180c200000f;

export interface SwitchOptions extends LineOptions {
  /** Before the number of each port in its name. @default "switch" */
  readonly name?: string;
  /** @default 1500 */
  readonly mtu?: number;
  /** How long a station is remembered that sends nothing. @default 300_000 */
  readonly ageingTime?: Milliseconds;
  /** Stations remembered at once; the one learned first makes room, and its frames are flooded until it sends again. @default 8192 */
  readonly maxStations?: number;
  /** Told of every packet that is lost at a port. */
  readonly observer?: Observer;
}

interface Station {
  port: MemoryDevice;
  seenAt: Milliseconds;
}

const SWITCH_COUNTERS = ["forwarded", "flooded", "filtered", "evicted"] as const;

/** Rate, latency and queue limit hold for what each port sends to its station. */
export class EthernetSwitch {
  /** Frames sent out of one port, out of all others, out of none; stations forgotten for lack of room. */
  readonly counters: Counters<(typeof SWITCH_COUNTERS)[number]> = createCounters(SWITCH_COUNTERS);
  private readonly clock: Clock;
  private readonly options: SwitchOptions;
  private readonly limits: { readonly ageingTime: Milliseconds; readonly maxStations: number };
  private readonly ports: MemoryDevice[] = [];
  private readonly stations: Map<MacAddress, Station> = new Map();

  constructor(clock: Clock, options: SwitchOptions = {}) {
    this.clock = clock;
    this.options = options;
    this.limits = resolveLimits({ ageingTime: DEFAULT_AGEING_TIME, maxStations: DEFAULT_MAX_STATIONS }, options);
  }

  /** How many stations are remembered. */
  get size(): number {
    return this.stations.size;
  }

  /** Adds a port. The device is the station's side of it: what it transmits goes into the switch. */
  port(): LinkDevice {
    const { name = "switch", mtu = ETHERNET_MTU } = this.options;
    const port = new MemoryDevice(this.clock, { ...this.options, medium: "ethernet", mtu, name: `${name}${this.ports.length}` });
    port.connect({
      send: (frame) => {
        this.relay(frame, port);
        return true;
      },
    });
    this.ports.push(port);
    return port;
  }

  close(): void {
    for (const port of this.ports) port.close();
    this.stations.clear();
  }

  private relay(frame: PacketBuffer, from: MemoryDevice): void {
    const now = this.clock.now();
    this.learn(readMac(frame, 6), from, now);
    const destination = readMac(frame, 0);
    const to = isGroupMac(destination) ? undefined : this.portOf(destination, now);
    if (to === from || (destination >= FIRST_RESERVED_GROUP && destination <= LAST_RESERVED_GROUP)) {
      // The station it is for is on the same segment, and has it already.
      this.counters.filtered += 1;
    } else if (to !== undefined) {
      this.counters.forwarded += 1;
      to.offer(frame);
    } else {
      this.counters.flooded += 1;
      for (const port of this.ports) if (port !== from) port.offer(frame.copy());
    }
  }

  private learn(source: MacAddress, port: MemoryDevice, now: Milliseconds): void {
    // IEEE 802.1D §7.8: a group is nobody's source.
    if (isGroupMac(source)) return;
    const known = this.stations.get(source);
    if (known !== undefined) {
      known.port = port;
      known.seenAt = now;
      return;
    }
    if (this.stations.size >= this.limits.maxStations) {
      const [oldest] = this.stations.keys();
      this.stations.delete(oldest);
      this.counters.evicted += 1;
    }
    this.stations.set(source, { port, seenAt: now });
  }

  private portOf(destination: MacAddress, now: Milliseconds): MemoryDevice | undefined {
    const station = this.stations.get(destination);
    if (station === undefined) return undefined;
    if (now - station.seenAt <= this.limits.ageingTime) return station.port;
    this.stations.delete(destination);
    return undefined;
  }
}
