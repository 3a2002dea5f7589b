// The octet counters of Accurate ECN, and the option that carries them (RFC 9768 §3.2.3).
import { type OptionLayout, tcpOptionsLength } from "../option-layout.ts";
import { type AccurateEcnOption, MAX_OPTIONS_LENGTH, type TcpOptions } from "../tcp-options.ts";
import { CE, ECT_0, ECT_1 } from "./ecn-field.ts";

/** Counters are sent modulo 2^24. */
const COUNTER_MASK = 0xffffff;
/** Where the fields stand that a change has to be shown of, by the option's order: CE is the second in both. */
const ORDERS: readonly (readonly (typeof ECT_0 | typeof CE | typeof ECT_1)[])[] = [
  [ECT_0, CE, ECT_1],
  [ECT_1, CE, ECT_0],
];
/** As Linux sends it: whoever uses ECT(1), as L4S does, can leave ECT(0) out. */
const ORDER_SENT = 1;

/** §3.2.1: octets by ECN field. ECT counters start at 1, so that somebody who writes zeros is found out. */
export class OctetCounters {
  /** By field; not-ECT is not counted. */
  private readonly octets: number[] = [0, 1, 1, 0];
  /** How many fields of the option have ever changed: those behind them need not be sent where room is short. */
  private needed = 0;

  get ce(): number {
    return this.octets[CE];
  }

  get ect0(): number {
    return this.octets[ECT_0] - 1;
  }

  get ect1(): number {
    return this.octets[ECT_1] - 1;
  }

  add(field: number, length: number): void {
    if (field === 0 || length === 0) return;
    this.octets[field] += length;
    this.needed = Math.max(this.needed, ORDERS[ORDER_SENT].indexOf(field as typeof CE) + 1);
  }

  /** The option as large as it fits beside `used`; undefined when not even what has changed fits (§3.2.3.3). */
  option(used: TcpOptions, layout: OptionLayout): AccurateEcnOption | undefined {
    for (let count = 3; count >= Math.max(1, this.needed); count -= 1) {
      const counters = ORDERS[ORDER_SENT].slice(0, count).map((field) => this.octets[field] & COUNTER_MASK);
      const accurateEcn = { order: ORDER_SENT, counters } as const;
      if (tcpOptionsLength({ ...used, accurateEcn }, layout) <= MAX_OPTIONS_LENGTH) return accurateEcn;
    }
    return undefined;
  }

  /** Takes what the peer has counted. Returns the octets newly marked; undefined when the option does not say. */
  update(option: AccurateEcnOption | undefined): number | undefined {
    if (option === undefined) return undefined;
    const before = this.octets[CE];
    for (const [index, counter] of option.counters.entries()) {
      const field = ORDERS[option.order][index];
      // Signed: one that is older than what is known takes nothing away from it for long.
      this.octets[field] += ((counter - this.octets[field]) << 8) >> 8;
    }
    return option.counters.length < 2 ? undefined : this.octets[CE] - before;
  }
}
