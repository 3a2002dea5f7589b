// Many short lines, written in pieces: one system call for each would cost more than making them.
import type { Output } from "./output.ts";

/** Characters. */
const PIECE = 65536;

export class LineWriter {
  private readonly output: Output;
  private pending = "";

  constructor(output: Output) {
    this.output = output;
  }

  /** @returns a promise to wait for, where the output wants that */
  line(text: string): Promise<void> | undefined {
    this.pending += `${text}\n`;
    return this.pending.length < PIECE ? undefined : this.flush();
  }

  flush(): Promise<void> | undefined {
    const text = this.pending;
    this.pending = "";
    return text === "" ? undefined : this.output.write(text);
  }
}
