// A file of octets in memory (memfd_create of Linux): something for `sendfile` to send.
import { Call } from "./call.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./linux-numbers.ts";
import type { FileOwner } from "./open-file.ts";
import { PlainFile } from "./plain-file.ts";

/** RLIMIT_FSIZE, as it were: a longer file fails with EFBIG. In octets. */
export const LONGEST_MEMORY_FILE: number = 2 ** 28;

export class MemoryFile extends PlainFile {
  /** Where the next `read` or `write` begins. */
  position = 0;
  private octets: Uint8Array;

  /** @param octets what is in it; not copied */
  constructor(owner: FileOwner, octets: Uint8Array) {
    super(owner);
    this.octets = octets;
  }

  get length(): number {
    return this.octets.length;
  }

  /** A view on the octets from `offset` on, `most` at most. */
  view(offset: number, most: number): Uint8Array {
    return this.octets.subarray(offset, offset + most);
  }

  events(): number {
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
  }

  read(target: Uint8Array): Call {
    const found = this.view(this.position, target.length);
    target.set(found);
    this.position += found.length;
    return new Call<number>(found.length);
  }

  write(bytes: Uint8Array): Call {
    const end = this.position + bytes.length;
    if (end > LONGEST_MEMORY_FILE) return new Call<number>("EFBIG");
    if (end > this.octets.length) {
      const longer = new Uint8Array(end);
      longer.set(this.octets);
      this.octets = longer;
    }
    this.octets.set(bytes, this.position);
    this.position = end;
    return new Call<number>(bytes.length);
  }

  protected release(): Call {
    return new Call<number>(0);
  }
}
