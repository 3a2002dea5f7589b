// Small integers for open files (POSIX.1-2017, System Interfaces 2.14): always the lowest that is free.
import { SystemError } from "../system-error.ts";
import type { OpenFile } from "./open-file.ts";

/** 0, 1 and 2 are never given out: programs take them for the standard streams. */
const FIRST_DESCRIPTOR = 3;
export const DEFAULT_MAX_DESCRIPTORS = 65536;

export class DescriptorTable {
  private readonly files: (OpenFile | undefined)[] = [];
  private readonly limit: number;
  /** No lower one is free. */
  private lowestFree: number = FIRST_DESCRIPTOR;

  /** @param limit descriptors at once */
  constructor(limit: number = DEFAULT_MAX_DESCRIPTORS) {
    this.limit = limit;
  }

  /** Throws EMFILE when there is no room for another one. */
  requireRoom(syscall: string): void {
    while (this.files[this.lowestFree] !== undefined) this.lowestFree += 1;
    if (this.lowestFree >= FIRST_DESCRIPTOR + this.limit) throw new SystemError("EMFILE", syscall);
  }

  open(file: OpenFile, syscall: string): number {
    this.requireRoom(syscall);
    this.files[this.lowestFree] = file;
    return this.lowestFree;
  }

  find(descriptor: number): OpenFile | undefined {
    return this.files[descriptor];
  }

  get(descriptor: number, syscall: string): OpenFile {
    const file = this.files[descriptor];
    // The stack's end has closed files whose descriptors nobody has given back.
    if (file === undefined || file.isClosed) throw new SystemError("EBADF", syscall);
    return file;
  }

  /** Frees the descriptor and returns what it stood for. */
  release(descriptor: number, syscall: string): OpenFile {
    const file = this.get(descriptor, syscall);
    this.files[descriptor] = undefined;
    this.lowestFree = Math.min(this.lowestFree, descriptor);
    return file;
  }
}
