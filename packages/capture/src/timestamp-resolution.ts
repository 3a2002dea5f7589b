// How a pcapng interface counts time (draft-ietf-opsawg-pcapng §4.2: if_tsresol, if_tsoffset), turned into nanoseconds.
import { u32 } from "./byte-order.ts";

const NANOSECONDS = 1_000_000_000n;

export interface TimestampResolution {
  /** Ticks of the interface's counter in a second. */
  readonly ticksPerSecond: bigint;
  /** Nanoseconds to add. */
  readonly offset: bigint;
}

export const MICROSECONDS: TimestampResolution = { ticksPerSecond: 1_000_000n, offset: 0n };

/**
 * @param resolution the octet of if_tsresol: a negative power of 10, or of 2 when the highest bit is set
 * @param offsetBytes the 8 octets of if_tsoffset, signed seconds
 */
export function timestampResolution(
  resolution: number | undefined,
  offsetBytes: Uint8Array | undefined,
  littleEndian: boolean,
): TimestampResolution {
  const exponent = BigInt((resolution ?? 6) & 0x7f);
  const ticksPerSecond = (resolution ?? 6) & 0x80 ? 2n ** exponent : 10n ** exponent;
  let offset = 0n;
  if (offsetBytes !== undefined && offsetBytes.length === 8) {
    const [high, low] = littleEndian ? [4, 0] : [0, 4];
    const seconds = (BigInt(u32(offsetBytes, high, littleEndian)) << 32n) | BigInt(u32(offsetBytes, low, littleEndian));
    offset = BigInt.asIntN(64, seconds) * NANOSECONDS;
  }
  return { ticksPerSecond, offset };
}

export function toNanoseconds(high: number, low: number, resolution: TimestampResolution): bigint {
  // 2^53 ticks suffice for every counter of microseconds until the year 2255: one BigInt conversion less for each packet.
  const ticks = high < 0x200000 ? BigInt(high * 0x100000000 + low) : (BigInt(high) << 32n) | BigInt(low);
  const { ticksPerSecond, offset } = resolution;
  if (ticksPerSecond === 1_000_000n) return ticks * 1000n + offset;
  if (ticksPerSecond === NANOSECONDS) return ticks + offset;
  return (ticks * NANOSECONDS) / ticksPerSecond + offset;
}
