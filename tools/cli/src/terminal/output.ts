// Where a command writes: with back-pressure, and silent about a reader that has left.

export interface Output {
  readonly isTTY: boolean;
  /** Characters in a line of the terminal, 80 when it is none. */
  readonly columns: number;
  /**
   * Writes text or octets.
   * @returns undefined when more may follow at once, else a promise to wait for
   * @throws OutputClosed when nobody reads any more
   */
  write(data: string | Uint8Array): Promise<void> | undefined;
}

/** The reader has left (`… | head`): nothing is wrong, and there is nothing more to do. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** A stream of the process. */
export class StreamOutput implements Output {
  private readonly stream: NodeJS.WriteStream;
  private failure: Error | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.failure = error.code === "EPIPE" ? new OutputClosed() : error;
    });
  }

  get isTTY(): boolean {
    return this.stream.isTTY === true;
  }

  get columns(): number {
    return this.stream.columns ?? 80;
  }

  write(data: string | Uint8Array): Promise<void> | undefined {
    if (this.failure !== undefined) throw this.failure;
    return this.stream.write(data) ? undefined : this.drained();
  }

  /** Resolves when everything has been handed to the system, or never will be. */
  flush(): Promise<void> {
    if (this.failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.stream.write("", () => resolve()));
  }

  private drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.stream.off("drain", settle).off("close", settle).off("error", settle);
        if (this.failure === undefined) resolve();
        else reject(this.failure);
      };
      this.stream.on("drain", settle).on("close", settle).on("error", settle);
    });
  }
}
