// A file that is no socket, but can be read and written: a pipe's ends, and files in memory.
import type { Call } from "./call.ts";
import { OpenFile } from "./open-file.ts";

export abstract class PlainFile extends OpenFile {
  /** It is no socket. */
  readonly type: number = 0;

  abstract read(target: Uint8Array): Call;
  /** The octets are copied. */
  abstract write(bytes: Uint8Array): Call;

  ioctl(): undefined {
    return undefined;
  }

  destroy(): void {
    if (!this.isClosed) this.close();
  }
}
