// The packet filter: ordered rules for what comes in, goes out and passes through; the first that matches decides (RFC 1812 §5.3.9).
import type { FilterAction, FilteredPacket, FilterRule } from "./filter-rule.ts";
import { ActiveRule } from "./filter-rule.ts";
import { formatRule, parseRule } from "./filter-text.ts";

/** A rule, or its text: see `parseRule`. */
export type RuleOrText = FilterRule | string;

/** In each list the first rule that matches decides; where none does, the packet is accepted. */
export interface FilterOptions {
  /** For this host. */
  readonly input?: readonly RuleOrText[];
  /** Of this host. */
  readonly output?: readonly RuleOrText[];
  /** Through this host. */
  readonly forward?: readonly RuleOrText[];
}

export type FilterChainName = keyof FilterOptions;

/** What becomes of a packet; "reset" is for TCP only. */
export type Verdict = "accept" | "drop" | "reset" | "port-unreachable" | "prohibited";

const PROTOCOL_TCP = 6;

export class FilterChain {
  private list: readonly ActiveRule[];

  /** @throws RangeError for what is no rule */
  constructor(rules: readonly RuleOrText[] = []) {
    this.list = rules.map(activate);
  }

  /** In their order, with what they have counted. */
  get rules(): readonly ActiveRule[] {
    return this.list;
  }

  /** @param at in front of which; at the end when absent. @throws RangeError for what is no rule */
  insert(rule: RuleOrText, at: number = this.list.length): void {
    this.list = [...this.list.slice(0, at), activate(rule), ...this.list.slice(at)];
  }

  remove(rule: ActiveRule): void {
    this.list = this.list.filter((other) => other !== rule);
  }

  /** @param octets of the packet, for the counter */
  judge(packet: FilteredPacket, octets: number): Verdict {
    for (const active of this.list) {
      if (!active.matches(packet)) continue;
      active.packets += 1;
      active.octets += octets;
      return verdictOf(active.rule, packet);
    }
    return "accept";
  }

  /** The rules, one line each. */
  toString(): string {
    return this.list.map(({ rule }) => formatRule(rule)).join("\n");
  }
}

export class PacketFilter implements Record<FilterChainName, FilterChain> {
  readonly input: FilterChain;
  readonly output: FilterChain;
  readonly forward: FilterChain;

  /** @throws RangeError for what is no rule */
  constructor(options: FilterOptions = {}) {
    this.input = new FilterChain(options.input);
    this.output = new FilterChain(options.output);
    this.forward = new FilterChain(options.forward);
  }
}

function activate(rule: RuleOrText): ActiveRule {
  return new ActiveRule(typeof rule === "string" ? parseRule(rule) : rule);
}

const SIMPLE: Readonly<Record<Exclude<FilterAction, "reject">, Verdict>> = { accept: "accept", drop: "drop" };

function verdictOf({ action, prohibited }: FilterRule, { flow }: FilteredPacket): Verdict {
  if (action !== "reject") return SIMPLE[action];
  if (prohibited === true) return "prohibited";
  return flow.protocol === PROTOCOL_TCP ? "reset" : "port-unreachable";
}
