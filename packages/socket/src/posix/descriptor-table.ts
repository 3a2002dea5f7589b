// Small integers for open files (POSIX.1-2017, System Interfaces 2.14): always the lowest that is free.
import type { Result } from "./call.ts";
import type { OpenFile } from "./open-file.ts";

/** 0, 1 and 2 are never given out: programs take them for the standard streams. */
const FIRST_DESCRIPTOR = 3;
export const DEFAULT_MAX_DESCRIPTORS = 65536;

export class DescriptorTable {
  private readonly files: (OpenFile | undefined)[] = [];
  /** FD_CLOEXEC: kept for whoever asks; nothing is ever executed here. */
  private readonly closeOnExec: Set<number> = new Set();
  private readonly limit: number;
  /** No lower one is free. */
  private lowestFree: number = FIRST_DESCRIPTOR;

  /** @param limit descriptors at once */
  constructor(limit: number = DEFAULT_MAX_DESCRIPTORS) {
    this.limit = limit;
  }

  /** False: EMFILE. */
  get hasRoom(): boolean {
    while (this.files[this.lowestFree] !== undefined) this.lowestFree += 1;
    return this.lowestFree < FIRST_DESCRIPTOR + this.limit;
  }

  open(file: OpenFile, closeOnExec: boolean): Result {
    if (!this.hasRoom) return "EMFILE";
    return this.place(this.lowestFree, file, closeOnExec);
  }

  /** F_DUPFD: the lowest that is free, from `from` on. */
  openFrom(from: number, file: OpenFile, closeOnExec: boolean): Result {
    if (from < 0 || from >= FIRST_DESCRIPTOR + this.limit) return "EINVAL";
    let descriptor = Math.max(from, FIRST_DESCRIPTOR);
    while (this.files[descriptor] !== undefined) descriptor += 1;
    if (descriptor >= FIRST_DESCRIPTOR + this.limit) return "EMFILE";
    return this.place(descriptor, file, closeOnExec);
  }

  /** dup2: a certain one, which is free now. */
  openAt(descriptor: number, file: OpenFile, closeOnExec: boolean): Result {
    if (!Number.isInteger(descriptor) || descriptor < 0 || descriptor >= FIRST_DESCRIPTOR + this.limit) return "EBADF";
    return this.place(descriptor, file, closeOnExec);
  }

  /** Undefined: EBADF. */
  find(descriptor: number): OpenFile | undefined {
    const file = this.files[descriptor];
    // The stack's end has closed files whose descriptors nobody has given back.
    return file === undefined || file.isClosed ? undefined : file;
  }

  isCloseOnExec(descriptor: number): boolean {
    return this.closeOnExec.has(descriptor);
  }

  setCloseOnExec(descriptor: number, isSet: boolean): void {
    if (isSet) this.closeOnExec.add(descriptor);
    else this.closeOnExec.delete(descriptor);
  }

  /** Frees the descriptor and returns what it stood for. */
  release(descriptor: number): OpenFile | undefined {
    const file = this.find(descriptor);
    if (file === undefined) return undefined;
    file.references -= 1;
    this.files[descriptor] = undefined;
    this.closeOnExec.delete(descriptor);
    if (descriptor >= FIRST_DESCRIPTOR) this.lowestFree = Math.min(this.lowestFree, descriptor);
    return file;
  }

  private place(descriptor: number, file: OpenFile, closeOnExec: boolean): number {
    // An array that ends far below would become a slow one.
    while (this.files.length < descriptor) this.files.push(undefined);
    this.files[descriptor] = file;
    file.references += 1;
    if (closeOnExec) this.closeOnExec.add(descriptor);
    return descriptor;
  }
}
