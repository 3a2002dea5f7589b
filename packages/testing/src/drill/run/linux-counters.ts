// What TCP has counted, by the names that `nstat` shows: the stack's own are Linux's without the group (linux/snmp.h).
import type { Stack } from "@netstrata/socket";

/** RFC 4022's, which have a group of their own. */
const STANDARD: ReadonlySet<string> = new Set(
  "ActiveOpens PassiveOpens AttemptFails EstabResets InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors".split(" "),
);

/** Only those that have moved, as `nstat` does. */
export function linuxCounters({ tcp }: Stack["layers"]): ReadonlyMap<string, number> {
  const moved = Object.entries(tcp.counters as Readonly<Record<string, number>>).filter(([, count]) => count > 0);
  const found = new Map(moved.map(([name, count]) => [`${STANDARD.has(name) ? "Tcp" : "TcpExt"}${name}`, count]));
  // Linux counts this reason to drop a segment as well.
  const beyondWindow = tcp.drops.counters["out-of-window"];
  return beyondWindow > 0 ? found.set("TcpExtBeyondWindow", beyondWindow) : found;
}
