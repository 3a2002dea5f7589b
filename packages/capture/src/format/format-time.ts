// The moment of a packet as text. Always UTC, so that the same file prints the same everywhere.

const SECOND = 1_000_000_000n;
/** The last second that ECMAScript's dates reach. */
const LAST_DATE = 8_640_000_000_000n;

/** `2026-08-01T12:34:56.123456789Z`; seconds since 1970 with nine decimals where a calendar does not reach. */
export function formatDateTime(timestamp: bigint): string {
  const { seconds, fraction } = split(timestamp);
  if (seconds > LAST_DATE || seconds < -LAST_DATE) return formatSeconds(timestamp);
  const date = new Date(Number(seconds) * 1000).toISOString();
  return `${date.slice(0, date.lastIndexOf("."))}.${fraction}Z`;
}

/** `12:34:56.123456`, as tcpdump does. */
export function formatTimeOfDay(timestamp: bigint): string {
  const { seconds, fraction } = split(timestamp);
  const secondOfDay = Number(((seconds % 86400n) + 86400n) % 86400n);
  const parts = [Math.floor(secondOfDay / 3600), Math.floor(secondOfDay / 60) % 60, secondOfDay % 60];
  return `${parts.map((part) => String(part).padStart(2, "0")).join(":")}.${fraction.slice(0, 6)}`;
}

/** `1754051696.123456789`, also for durations; the sign in front. */
export function formatSeconds(timestamp: bigint): string {
  const magnitude = timestamp < 0n ? -timestamp : timestamp;
  const { seconds, fraction } = split(magnitude);
  return `${timestamp < 0n ? "-" : ""}${seconds}.${fraction}`;
}

function split(timestamp: bigint): { seconds: bigint; fraction: string } {
  const fraction = ((timestamp % SECOND) + SECOND) % SECOND;
  return { seconds: (timestamp - fraction) / SECOND, fraction: String(fraction).padStart(9, "0") };
}
