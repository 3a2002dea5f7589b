// How much came, and what it was: what both sides of a transfer compare.
import { createHash } from "node:crypto";
import type { Stream } from "../sockets/sockets.ts";

export interface Digest {
  readonly octets: number;
  readonly sha256: string;
}

export class DigestOf {
  private octets = 0;
  private readonly hash = createHash("sha256");

  readonly update = (bytes: Uint8Array): void => {
    this.octets += bytes.length;
    this.hash.update(bytes);
  };

  finish(): Digest {
    return { octets: this.octets, sha256: this.hash.digest("hex") };
  }
}

export function digestOf(bytes: Uint8Array): Digest {
  const digest = new DigestOf();
  digest.update(bytes);
  return digest.finish();
}

/** Reads a stream to its end. */
export async function digestStream(stream: Stream): Promise<Digest> {
  const digest = new DigestOf();
  for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) digest.update(bytes);
  return digest.finish();
}

/** Octets that differ from their neighbours, and from those 256 and 65536 places on. */
export function pattern(octets: number): Uint8Array {
  const bytes = new Uint8Array(octets);
  for (let index = 0; index < octets; index += 1) bytes[index] = index * 167 + (index >>> 8) * 13 + (index >>> 16);
  return bytes;
}
