// The arguments of a system call as values, and the values that come back compared with what the script has there.
import { type IpAddress, ip, parseIp } from "@netstrata/core";
import type { OptionValue } from "@netstrata/socket";
import type { Endpoint } from "@netstrata/transport";
import type { CallAction, Expression, StructField } from "../language/expression.ts";
import { type Difference, DrillStop, unsupported } from "../run/drill-report.ts";
import { CONSTANTS } from "./linux-constants.ts";

/** Octets of one buffer: a script that asks for more is mistaken. */
const LARGEST_BUFFER = 2 ** 28;
const ANY: Expression = { kind: "any" };

/** The arguments of one call. @throws DrillStop where one is of the wrong kind */
export class Operands {
  private readonly call: CallAction;

  constructor(call: CallAction) {
    this.call = call;
  }

  get length(): number {
    return this.call.operands.length;
  }

  at(index: number): Expression {
    return this.call.operands[index] ?? ANY;
  }

  has(index: number): boolean {
    return index < this.call.operands.length && this.at(index).kind !== "any";
  }

  number(index: number, otherwise?: number): number {
    const operand = this.at(index);
    if (operand.kind === "any" && otherwise !== undefined) return otherwise;
    return numberOf(operand, this.call.name);
  }

  /** The text of a string, a character an octet; undefined for anything else. */
  text(index: number): string | undefined {
    const operand = this.at(index);
    return operand.kind === "string" ? operand.value : undefined;
  }

  isNull(index: number): boolean {
    return isNull(this.at(index));
  }
}

export function isNull(operand: Expression): boolean {
  return operand.kind === "name" && operand.name === "NULL";
}

/** @param call for the complaint */
export function numberOf(expression: Expression, call: string): number {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "name":
      return constantOf(expression.name);
    case "or":
      // Unsigned, so that EPOLLET is no negative number.
      return expression.parts.reduce((total, part) => (total | numberOf(part, call)) >>> 0, 0);
    case "not":
      return ~numberOf(expression.operand, call);
    case "shift":
      return numberOf(expression.operand, call) * 2 ** numberOf(expression.by, call);
    case "list":
      if (expression.items.length === 1) return numberOf(expression.items[0], call);
      break;
    case "function":
      // Ports are written in host order here and nowhere else.
      if (/^(?:htons|ntohs|htonl|ntohl)$/.test(expression.name) && expression.operands.length === 1)
        return numberOf(expression.operands[0], call);
      break;
  }
  throw new DrillStop("error", `${call}: a number is expected where ${describe(expression)} stands`);
}

function constantOf(name: string): number {
  const value = CONSTANTS.get(name);
  if (value === undefined) throw unsupported(`the constant ${name}`);
  return value;
}

/** As many octets as the call speaks of: the string's, then zeros. */
export function bufferOf(expression: Expression, length: number, call: string): Uint8Array | undefined {
  if (isNull(expression)) return undefined;
  if (!(length >= 0 && length <= LARGEST_BUFFER)) throw new DrillStop("error", `${call}: a buffer of ${length} octets`);
  const bytes = new Uint8Array(length);
  if (expression.kind === "string") bytes.set(octetsOf(expression.value).subarray(0, length));
  return bytes;
}

export function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function fieldsOf(expression: Expression, call: string): readonly StructField[] {
  if (expression.kind === "struct") return expression.fields;
  throw new DrillStop("error", `${call}: a structure is expected where ${describe(expression)} stands`);
}

export function field(fields: readonly StructField[], name: string, position?: number): Expression | undefined {
  return (
    fields.find((each) => each.name === name) ??
    (position === undefined ? undefined : fields.filter((each) => each.name === undefined)[position])
  )?.value;
}

/** `{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("1.2.3.4")}`; undefined for AF_UNSPEC. */
export function endpointOf(expression: Expression, standard: Endpoint, call: string): Endpoint | undefined {
  if (expression.kind === "any") return standard;
  if (expression.kind === "name" && numberOf(expression, call) === 0) return undefined;
  const fields = fieldsOf(expression, call);
  const part = (suffix: string): Expression | undefined => fields.find(({ name }) => name?.endsWith(suffix))?.value;
  const family = part("family");
  if (family !== undefined && family.kind !== "any" && numberOf(family, call) === 0) return undefined;
  const port = part("port");
  const address = part("addr");
  return {
    address: address === undefined || address.kind === "any" ? standard.address : addressOf(address, call),
    port: port === undefined || port.kind === "any" ? standard.port : numberOf(port, call),
  };
}

function addressOf(expression: Expression, call: string): IpAddress {
  if (expression.kind === "function") {
    const text = expression.operands.at(-1);
    const parsed = text?.kind === "string" ? parseIp(text.value) : undefined;
    if (parsed !== undefined) return parsed;
    if (/^(?:htonl|ntohl)$/.test(expression.name) && text !== undefined) return numberOf(text, call) as IpAddress;
  }
  if (expression.kind === "string") return parseIp(expression.value) ?? ip("0.0.0.0");
  if (expression.kind === "name" && expression.name === "INADDR_ANY") return ip("0.0.0.0");
  if (expression.kind === "name" && expression.name === "in6addr_any") return ip("::");
  throw new DrillStop("error", `${call}: an address is expected where ${describe(expression)} stands`);
}

/** What `setsockopt` is given. */
export function optionValue(expression: Expression, call: string): OptionValue {
  if (expression.kind === "string") return expression.value;
  if (expression.kind === "list" && expression.items.length === 1) return optionValue(expression.items[0], call);
  if (expression.kind === "struct") return structValue(expression.fields, call);
  return numberOf(expression, call);
}

/** Field names of C's structures, in their order there. */
const STRUCTS: readonly (readonly string[])[] = [
  ["onoff", "linger"],
  ["tv_sec", "tv_usec"],
];

function structValue(fields: readonly StructField[], call: string): OptionValue {
  const named = fields.map(
    ({ name, value }, index) => [name?.replace(/^l_/, "") ?? STRUCTS[0][index] ?? String(index), numberOf(value, call)] as const,
  );
  return Object.fromEntries(named) as unknown as OptionValue;
}

/** Compares what came back with what the script has: numbers and names, strings, lists, structures field by field. */
export function compareValue(expected: Expression, seen: unknown, where: string, differences: Difference[]): void {
  if (expected.kind === "any") return;
  if (expected.kind === "list") {
    const items = Array.isArray(seen) ? seen : expected.items.length === 1 ? [seen] : [];
    if (items.length !== expected.items.length) differences.push({ field: where, expected: describe(expected), seen: show(seen) });
    else
      for (const [index, item] of expected.items.entries())
        compareValue(item, items[index], items.length > 1 ? `${where}[${index}]` : where, differences);
  } else if (expected.kind === "struct") {
    const values = (typeof seen === "object" && seen !== null ? seen : {}) as Readonly<Record<string, unknown>>;
    const names = Object.keys(values);
    for (const [index, { name, value }] of expected.fields.entries()) {
      const key = name === undefined ? names[index] : Object.hasOwn(values, name) ? name : name.replace(/^l_/, "");
      compareValue(value, values[key], `${where}.${name ?? key}`, differences);
    }
  } else if (expected.kind === "string") {
    const text = seen instanceof Uint8Array ? String.fromCharCode(...seen.subarray(0, 4096)) : seen;
    if (text !== expected.value) differences.push({ field: where, expected: JSON.stringify(expected.value), seen: JSON.stringify(text) });
  } else {
    const wanted = numberOf(expected, where);
    if (seen === undefined || wanted !== Number(seen)) differences.push({ field: where, expected: describe(expected), seen: show(seen) });
  }
}

function show(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/** An expression as the script would write it. */
export function describe(expression: Expression): string {
  switch (expression.kind) {
    case "any":
      return "...";
    case "number":
      return expression.text;
    case "name":
      return expression.name;
    case "string":
      return JSON.stringify(expression.value);
    case "or":
      return expression.parts.map(describe).join("|");
    case "not":
      return `~${describe(expression.operand)}`;
    case "shift":
      return `${describe(expression.operand)}<<${describe(expression.by)}`;
    case "list":
      return `[${expression.items.map(describe).join(", ")}]`;
    case "struct":
      return `{${expression.fields.map(({ name, value }) => (name === undefined ? describe(value) : `${name}=${describe(value)}`)).join(", ")}}`;
    case "function":
      return `${expression.name}(${expression.operands.map(describe).join(", ")})`;
  }
}
