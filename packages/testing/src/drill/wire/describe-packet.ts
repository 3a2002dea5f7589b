// Packets as the script's language writes them: for reports and for the ladder.
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from "@netstrata/transport";
import type { TcpOptionDescription } from "../language/packet.ts";

const LETTERS: readonly (readonly [number, string])[] = [
  [FIN, "F"],
  [SYN, "S"],
  [RST, "R"],
  [URG, "U"],
  [ECE, "E"],
  [CWR, "W"],
  [AE, "A"],
  [PSH, "P"],
  [ACK, "."],
];

export function describeFlags(flags: number): string {
  return LETTERS.map(([flag, letter]) => ((flags & flag) === 0 ? "" : letter)).join("") || "-";
}

export function describeHexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

export function describeTcpOption(option: TcpOptionDescription): string {
  switch (option.kind) {
    case "mss":
      return `mss ${option.value}`;
    case "wscale":
      return `wscale ${option.shift}`;
    case "sack":
      return ["sack", ...option.blocks.map(({ left, right }) => `${left}:${right}`)].join(" ");
    case "TS":
      return `TS val ${option.value} ecr ${option.echo}`;
    case "FO":
      return [option.experimental ? "FOEXP" : "FO", describeHexadecimal(option.cookie)].join(" ").trim();
    case "AccECN":
      return ["ECN", ...option.counters.flatMap(({ name, value }) => [name, value])].join(" ");
    case "md5":
      return ["md5", describeHexadecimal(option.digest ?? new Uint8Array(0))].join(" ").trim();
    case "raw":
      return `${option.number} ${describeHexadecimal(option.data)}`.trim();
    default:
      return option.kind;
  }
}

/** `<mss 1460,nop,wscale 8>`, or nothing where there are none. */
export function describeTcpOptions(options: readonly TcpOptionDescription[] | "any"): string {
  if (options === "any") return "<...>";
  return options.length === 0 ? "" : `<${options.map(describeTcpOption).join(",")}>`;
}

/** What all packets have that are written like TCP segments. */
export interface SegmentText {
  readonly flags: number;
  readonly start: number;
  readonly length: number;
  readonly ack: number | undefined;
  readonly window: number | undefined;
  readonly urgent: number | undefined;
  readonly options: readonly TcpOptionDescription[] | "any";
}

/** `P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 200>` */
export function describeSegment({ flags, start, length, ack, window, urgent, options }: SegmentText): string {
  const parts = [describeFlags(flags), `${start}:${(start + length) % 2 ** 32}(${length})`];
  if (ack !== undefined) parts.push(`ack ${ack}`);
  if (window !== undefined) parts.push(`win ${window}`);
  if (urgent) parts.push(`urg ${urgent}`);
  const text = describeTcpOptions(options);
  return [...parts, ...(text === "" ? [] : [text])].join(" ");
}
