// What system calls ask of the run they belong to, and what a call that was made looks like.
import type { Call, Errno, Syscalls } from "@netstrata/socket";
import type { Endpoint } from "@netstrata/transport";
import type { Difference, DrillIpVersion } from "../run/drill-report.ts";
import type { FlowTable } from "../run/flow-table.ts";
import type { Operands } from "./operands.ts";

export interface CallWorld {
  readonly syscalls: Syscalls;
  readonly flows: FlowTable;
  readonly ipVersion: DrillIpVersion;
  /** Live descriptors by the script's. */
  readonly descriptors: Map<number, number>;
  /** Files that commands have made, by their path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Live descriptors whose connection begins with the first write (TCP_FASTOPEN_CONNECT), and where it will lead. */
  readonly deferred: Map<number, Endpoint>;
  /** What `...` stands for as an address: our own, and the one of the network beyond. */
  readonly localEnd: Endpoint;
  readonly remoteEnd: Endpoint;
  /** The script's time for one of the stack's, and how far apart two times may be that are the same. In ms. */
  toScriptTime(live: number): number;
  readonly tolerance: number;
  /** Lets time pass, for `usleep`. In ms. */
  sleep(duration: number): void;
}

/** A call that was made. */
export interface MadeCall {
  /** What it returned or will return; errors are names. */
  readonly call: Call<number | object> | number | Errno;
  /** The number that a C program would get. @default the outcome itself */
  readonly result?: (outcome: object | number) => number;
  /** For calls that return a descriptor: the live one. */
  readonly descriptor?: (outcome: object | number) => number;
  /** Looks at what the call has filled in. */
  readonly check?: (outcome: object | number) => readonly Difference[];
}

/** A string says what is unsupported. */
export type Caller = (operands: Operands, world: CallWorld) => MadeCall | string;

/** A descriptor that no stack gives out. */
const NO_SUCH_DESCRIPTOR = 2 ** 30;

/** The live descriptor for one of the script's. */
export function descriptorOf(operands: Operands, index: number, world: CallWorld): number {
  const descriptor = operands.number(index);
  return world.descriptors.get(descriptor) ?? (descriptor < 0 ? descriptor : NO_SUCH_DESCRIPTOR + descriptor);
}
