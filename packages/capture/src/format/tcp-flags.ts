// TCP's control bits (RFC 9293 §3.1, RFC 3168 §6.1) in letters as tcpdump writes them, and in words.
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from "@netstrata/transport";

const FLAGS: readonly (readonly [bit: number, name: string, letter: string])[] = [
  [FIN, "FIN", "F"],
  [SYN, "SYN", "S"],
  [RST, "RST", "R"],
  [PSH, "PSH", "P"],
  [ACK, "ACK", "."],
  [URG, "URG", "U"],
  [ECE, "ECE", "E"],
  [CWR, "CWR", "W"],
  [AE, "AE", "e"],
];

/** `["SYN", "ACK"]` */
export function tcpFlagNames(flags: number): string[] {
  return FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

/** `S.`, or `none`. */
export function tcpFlagLetters(flags: number): string {
  let letters = "";
  for (const [bit, , letter] of FLAGS) if ((flags & bit) !== 0) letters += letter;
  return letters === "" ? "none" : letters;
}
