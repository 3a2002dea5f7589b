// The ACE field: the flags AE, CWR and ECE as a number of three bits (RFC 9768 §3.2.2).
import { AE, CWR, ECE } from "../tcp-header.ts";
import { CE, ECT_0, ECT_1, isEct, NOT_ECT } from "./ecn-field.ts";

/** Where the counter of marked packets starts, so that 0 is no value of a young connection (RFC 9768 §3.2.1). */
export const ACE_START = 5;
export const ACE_MASK = 7;

export function aceOf(flags: number): number {
  return (flags & (AE | CWR | ECE)) >>> 6;
}

export function flagsOfAce(ace: number): number {
  return (ace & ACE_MASK) << 6;
}

/** RFC 9768 table 3: in the handshake the field reflects the ECN field of the other end's SYN. By that field: not-ECT, ECT(1), ECT(0), CE. */
const REFLECTIONS: readonly number[] = [0b010, 0b011, 0b100, 0b110];
/** The same the other way round; the rest reflects nothing. */
const REFLECTED: readonly (number | undefined)[] = [undefined, undefined, NOT_ECT, ECT_1, ECT_0, undefined, CE, undefined];

export function reflectionOf(field: number): number {
  return REFLECTIONS[field];
}

export function reflectedField(ace: number): number | undefined {
  return REFLECTED[ace];
}

/** RFC 9768 §3.2.2.3: a router may mark what is ECN-capable; every other change of the field is somebody's mistake. */
export function isPlausibleReflection(sent: number, arrived: number): boolean {
  return arrived === sent || (arrived === CE && isEct(sent));
}

/**
 * How many packets the peer found marked since we last knew (RFC 9768 §3.2.2.5.2, appendix A.2): the field counts modulo 8, so
 * an acknowledgment of more packets than that may hide whole turns of the counter. What is possible is then taken for true.
 * @param known the marks counted so far; @param packets newly acknowledged packets
 */
export function newMarks(ace: number, known: number, packets: number): { least: number; most: number } {
  const least = (ace - ACE_START - known) & ACE_MASK;
  return { least, most: packets <= ACE_MASK ? least : packets - ((packets - least) & ACE_MASK) };
}
