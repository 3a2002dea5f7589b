// The ECN field of the IP header: the lower two bits of TOS or Traffic Class (RFC 3168 §5).

export const NOT_ECT = 0b00;
export const ECT_1 = 0b01;
export const ECT_0 = 0b10;
/** Congestion experienced: a router on the way has marked the packet. */
export const CE = 0b11;

export const ECN_FIELD = 0b11;

export function isEct(field: number): boolean {
  return field === ECT_0 || field === ECT_1;
}
