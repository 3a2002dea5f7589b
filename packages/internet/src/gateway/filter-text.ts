// Rules as text, one line each: "accept in eth0 tcp from 10.0.0.0/8 to 192.0.2.1 port 80,443 state new". Who writes one can read it.
import type { FlowState } from "./connection-tracking.ts";
import { type FilterAction, type FilterRule, list, type Ports } from "./filter-rule.ts";

const ACTIONS: ReadonlySet<string> = new Set<FilterAction>(["accept", "drop", "reject"]);

export function formatRule(rule: FilterRule): string {
  const words: string[] = [rule.action];
  if (rule.prohibited === true) words.push("prohibited");
  if (rule.in !== undefined) words.push("in", rule.in);
  if (rule.out !== undefined) words.push("out", rule.out);
  if (rule.protocol !== undefined) words.push("protocol", String(rule.protocol));
  words.push(...side("from", rule.from, rule.fromPort), ...side("to", rule.to, rule.toPort));
  if (rule.state !== undefined) words.push("state", list(rule.state).join(","));
  return words.join(" ");
}

function side(word: string, addresses: FilterRule["from"], ports: Ports | undefined): string[] {
  if (addresses === undefined && ports === undefined) return [];
  const words = [word, addresses === undefined ? "any" : list(addresses).join(",")];
  if (ports !== undefined) words.push("port", list<number | string>(ports as number | string).join(","));
  return words;
}

/**
 * The word "protocol" may be left out in front of a name.
 * @throws RangeError for a text that is no rule; addresses and so on are looked at when the rule is taken into use
 */
export function parseRule(text: string): FilterRule {
  const words = text.trim().split(/\s+/);
  const action = words.shift() ?? "";
  if (!ACTIONS.has(action)) throw new RangeError(`rule ${JSON.stringify(text)}: begins with none of ${[...ACTIONS].join(", ")}`);
  const rule: Writable<FilterRule> = { action: action as FilterAction };
  const next = (after: string): string => {
    const word = words.shift();
    if (word === undefined) throw new RangeError(`rule ${JSON.stringify(text)}: something is missing behind ${after}`);
    return word;
  };
  while (words.length > 0) {
    const word = next(action);
    if (word === "prohibited") rule.prohibited = true;
    else if (word === "in" || word === "out") rule[word] = next(word);
    else if (word === "from" || word === "to") readSide(rule, word, next, words);
    else if (word === "state") rule.state = items(next(word)) as FlowState[];
    else if (word === "protocol" || PROTOCOL_NAMES.has(word)) rule.protocol = protocolOf(word === "protocol" ? next(word) : word);
    else throw new RangeError(`rule ${JSON.stringify(text)}: nobody knows ${JSON.stringify(word)}`);
  }
  return rule;
}

const PROTOCOL_NAMES: ReadonlySet<string> = new Set(["tcp", "udp", "icmp", "icmpv6"]);

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

function readSide(rule: Writable<FilterRule>, word: "from" | "to", next: (after: string) => string, words: string[]): void {
  const addresses = next(word);
  if (addresses !== "any") rule[word] = items(addresses);
  if (words[0] !== "port") return;
  words.shift();
  rule[word === "from" ? "fromPort" : "toPort"] = items(next("port"));
}

function items(word: string): string[] {
  return word.split(",");
}

function protocolOf(word: string): FilterRule["protocol"] {
  return PROTOCOL_NAMES.has(word) ? (word as FilterRule["protocol"]) : Number(word);
}
