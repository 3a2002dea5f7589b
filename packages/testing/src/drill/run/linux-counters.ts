// What TCP has counted, by the names that `nstat` shows (linux/snmp.h).
import type { Stack } from "@netstrata/socket";

/** Each is the sum of counters of this stack. */
const SOURCES: Readonly<Record<string, readonly string[]>> = {
  TcpActiveOpens: ["activeOpens"],
  TcpPassiveOpens: ["passiveOpens"],
  TcpRetransSegs: ["segmentsRetransmitted", "retransmissions"],
  TcpOutRsts: ["resetsSent"],
  TcpExtBeyondWindow: ["beyond-window"],
  TcpExtTCPZeroWindowDrop: ["zero-window"],
  TcpExtTCPRcvQDrop: ["receive-queue-full"],
  TcpExtOutOfWindowIcmps: ["icmp-out-of-window"],
};

/** Only those that this stack counts. */
export function linuxCounters({ tcp }: Stack["layers"]): ReadonlyMap<string, number> {
  const counts = { ...tcp.counters, ...tcp.drops.counters } as Readonly<Record<string, number>>;
  const found = new Map<string, number>();
  for (const [name, sources] of Object.entries(SOURCES)) {
    const known = sources.filter((source) => Object.hasOwn(counts, source));
    const total = known.reduce((sum, source) => sum + counts[source], 0);
    if (known.length > 0 && total > 0) found.set(name, total);
  }
  return found;
}
