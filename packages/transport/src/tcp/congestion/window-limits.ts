// Bounds of congestion windows, in one place.

/** A window is never below one segment: less could not be sent (RFC 5681 §3.1, LW). */
export const SMALLEST_SEGMENT_COUNT = 1;
/** Equation 4 of RFC 5681: the threshold is never below two segments, nor is what recovery leaves. */
export const SMALLEST_THRESHOLD_COUNT = 2;
/** RFC 7323 §2.3: no peer can offer more than 2^30 octets, so no larger window means anything. */
export const LARGEST_WINDOW: number = 2 ** 30;
