// Arithmetic on numbers modulo 2^32, where "less than" means "within half the circle" (RFC 9293 §3.4, RFC 1982).

/** A point on the circle of 2^32 numbers, always kept in [0, 2^32). Never compare two with a raw `<`. */
export type SequenceNumber = number;

export function sequenceAdd(number: SequenceNumber, count: number): SequenceNumber {
  return (number + count) >>> 0;
}

/** How far `to` lies after `from`: negative when it lies before. In [-2^31, 2^31). */
export function sequenceDistance(from: SequenceNumber, to: SequenceNumber): number {
  return (to - from) | 0;
}

export function isBefore(a: SequenceNumber, b: SequenceNumber): boolean {
  return ((a - b) | 0) < 0;
}

export function isAfter(a: SequenceNumber, b: SequenceNumber): boolean {
  return ((b - a) | 0) < 0;
}

export function isAtOrBefore(a: SequenceNumber, b: SequenceNumber): boolean {
  return ((b - a) | 0) >= 0;
}

export function isAtOrAfter(a: SequenceNumber, b: SequenceNumber): boolean {
  return ((a - b) | 0) >= 0;
}

export function sequenceMax(a: SequenceNumber, b: SequenceNumber): SequenceNumber {
  return isAfter(a, b) ? a : b;
}

export function sequenceMin(a: SequenceNumber, b: SequenceNumber): SequenceNumber {
  return isBefore(a, b) ? a : b;
}
