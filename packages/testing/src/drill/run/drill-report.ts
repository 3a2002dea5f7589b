// What a run of a script came to.
import type { PersonalityName } from "@netstrata/transport";

/** `unsupported`: the script asks for something that this tool or the stack has not; it is never a pass. `error`: it cannot be read or run. */
export type DrillOutcome = "pass" | "fail" | "unsupported" | "error";

export interface Difference {
  readonly field: string;
  readonly expected: string;
  readonly seen: string;
}

export interface DrillReport {
  /** The script's file, or whatever the caller calls it. */
  readonly name: string;
  readonly outcome: DrillOutcome;
  readonly ipVersion: DrillIpVersion;
  readonly personality: PersonalityName;
  /** The line and the event that decided; absent after a pass. */
  readonly line?: number;
  readonly column?: number;
  readonly event?: string;
  /** Why, in one line; absent after a pass. */
  readonly message?: string;
  /** Field by field, where a packet or a result was not the one expected. */
  readonly differences: readonly Difference[];
  readonly expected?: string;
  readonly seen?: string;
  /** Everything that happened until then, a line each, in the script's numbers. */
  readonly ladder: readonly string[];
  /** What code blocks have printed. */
  readonly output: readonly string[];
  /** Virtual time that the script took, in ms. */
  readonly duration: number;
}

export const IP_VERSIONS = ["ipv4", "ipv6", "ipv4-mapped-ipv6"] as const;
export type DrillIpVersion = (typeof IP_VERSIONS)[number];

/** Ends a run. */
export class DrillStop extends Error {
  override readonly name: string = "DrillStop";
  readonly outcome: Exclude<DrillOutcome, "pass">;
  readonly details: Partial<Pick<DrillReport, "differences" | "expected" | "seen">>;

  constructor(outcome: Exclude<DrillOutcome, "pass">, message: string, details: DrillStop["details"] = {}) {
    super(message);
    this.outcome = outcome;
    this.details = details;
  }
}

export function unsupported(what: string): DrillStop {
  return new DrillStop("unsupported", `unsupported: ${what}`);
}
