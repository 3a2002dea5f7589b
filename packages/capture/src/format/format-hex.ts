// Octets as tcpdump prints them: offset, sixteen octets in hexadecimal, and what of them is readable ASCII.

const OCTETS_IN_LINE = 16;

/** Lines without a newline at the end; empty for no octets. */
export function formatHex(bytes: Uint8Array, indent = "\t"): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += OCTETS_IN_LINE) {
    let digits = "";
    let text = "";
    for (let index = at; index < Math.min(at + OCTETS_IN_LINE, bytes.length); index += 1) {
      const octet = bytes[index];
      digits += (index % 2 === 0 ? " " : "") + octet.toString(16).padStart(2, "0");
      text += octet > 0x20 && octet < 0x7f ? String.fromCharCode(octet) : ".";
    }
    lines.push(`${indent}0x${at.toString(16).padStart(4, "0")}: ${digits.padEnd(40)}  ${text}`);
  }
  return lines.join("\n");
}
