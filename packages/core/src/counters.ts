// Counters: plain objects with one number a name, so that counting is one addition and reading needs no call.

/** Counters under fixed names; names follow Linux's `/proc/net/snmp` and `netstat -s` where Linux has one. */
export type Counters<Name extends string> = Record<Name, number>;

/** A counter of zero for each name. */
export function createCounters<Name extends string>(names: readonly Name[]): Counters<Name> {
  const counters = {} as Counters<Name>;
  for (const name of names) counters[name] = 0;
  return counters;
}
