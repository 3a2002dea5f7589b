// What commands ask of the run they belong to.
import type { Endpoint } from "@netstrata/transport";
import type { Settings } from "./settings.ts";

export interface ConnectionLine {
  readonly state: string;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface CommandWorld {
  readonly settings: Settings;
  /** A file beside the script; undefined where there is none, or no files at all. */
  readFile(path: string): string | undefined;
  /** Files that exist in this run alone, by their path. */
  readonly files: Map<string, Uint8Array>;
  /** TCP's options have changed: a stack that runs already has to know. */
  optionsChanged(changes: Readonly<Record<string, unknown>>): void;
  mtuChanged(mtu: number): void;
  /** Lets time pass. In ms. */
  sleep(duration: number): void;
  /** Connections and listeners, the latter with port 0 at the far end. */
  connections(): readonly ConnectionLine[];
  /** Forgets a connection, telling nobody but its owner. False when there is none. */
  drop(local: Endpoint | undefined, remote: Endpoint | undefined): boolean;
  /** What TCP has counted, by Linux's names (`TcpExtBeyondWindow`). */
  counters(): ReadonlyMap<string, number>;
}

export interface CommandResult {
  /** 0 is success. */
  readonly status: number;
  readonly output: string;
}

/** A string is what is unsupported, in words. */
export type Command = (words: readonly string[], world: CommandWorld, input: string) => CommandResult | string;

export const SUCCESS: CommandResult = { status: 0, output: "" };
export const FAILURE: CommandResult = { status: 1, output: "" };
