// What commands have set up: the stack's options, the link, the routes. It outlives nothing: each script begins with its own.
import type { PersonalityName } from "@netstrata/transport";

export interface Settings {
  readonly personality: PersonalityName;
  /** Options of TCP by their names in `TcpStackOptions`. */
  readonly tcp: Record<string, unknown>;
  readonly internet: Record<string, unknown>;
  /** As last set, by name; what was never set has no value here. */
  readonly sysctls: Map<string, string>;
  /** Octets. */
  mtu: number;
}

export function createSettings(personality: PersonalityName, mtu: number): Settings {
  return { personality, tcp: {}, internet: {}, sysctls: new Map(), mtu };
}
