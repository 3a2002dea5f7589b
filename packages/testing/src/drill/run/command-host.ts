// What commands see and change of the run: settings before the stack is there, the stack itself afterwards.
import { IPV4_ANY } from "@netstrata/core";
import type { Endpoint } from "@netstrata/transport";
import type { CommandWorld, ConnectionLine } from "../command/command-world.ts";
import { STACK_OPTIONS } from "../command/own-options.ts";
import type { Settings } from "../command/settings.ts";
import { unsupported } from "./drill-report.ts";
import type { FlowTable } from "./flow-table.ts";
import { linuxCounters } from "./linux-counters.ts";
import type { StackUnderTest } from "./stack-under-test.ts";

export interface CommandHostParts {
  readonly settings: Settings;
  /** Options that nothing in the script may change. */
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly flows: FlowTable;
  readonly bindPort: number;
  readonly readFile: ((path: string) => string | undefined) | undefined;
  /** Undefined as long as nothing needed it. */
  readonly running: () => StackUnderTest | undefined;
  readonly stack: () => StackUnderTest;
  readonly sleep: (duration: number) => void;
}

export class CommandHost implements CommandWorld {
  readonly files: Map<string, Uint8Array> = new Map();
  private readonly parts: CommandHostParts;

  constructor(parts: CommandHostParts) {
    this.parts = parts;
  }

  get settings(): Settings {
    return this.parts.settings;
  }

  readFile(path: string): string | undefined {
    return this.parts.readFile?.(path);
  }

  optionsChanged(changes: Readonly<Record<string, unknown>>): void {
    const running = this.parts.running();
    if (running === undefined) return;
    const open = Object.fromEntries(Object.entries(changes).filter(([name]) => !Object.hasOwn(this.parts.fixed, name)));
    for (const name of Object.keys(open)) {
      if (STACK_OPTIONS.has(name) && JSON.stringify(changes[name]) !== JSON.stringify(running.options[name])) {
        throw unsupported(`another ${name} while the stack runs`);
      }
    }
    running.stack.layers.tcp.changeDefaults(open);
  }

  mtuChanged(mtu: number): void {
    const running = this.parts.running();
    if (running !== undefined && mtu !== running.device.mtu) throw unsupported("another MTU while the stack runs");
  }

  sleep(duration: number): void {
    this.parts.sleep(duration);
  }

  connections(): readonly ConnectionLine[] {
    const ports = new Set([this.parts.bindPort, ...this.parts.flows.flows.map(({ local }) => local.port)]);
    const { connections, isListening } = this.parts.stack().survey(ports);
    const any: Endpoint = { address: IPV4_ANY, port: 0 };
    const listener = { state: "LISTEN", local: { address: IPV4_ANY, port: this.parts.bindPort }, remote: any };
    return isListening ? [listener, ...connections] : connections;
  }

  drop(local: Endpoint | undefined, remote: Endpoint | undefined): boolean {
    const isAll = local === undefined || remote === undefined;
    let count = 0;
    for (const flow of this.parts.flows.flows) {
      if (!isAll && (flow.local.port !== local.port || flow.remote.port !== remote.port)) continue;
      const connection = this.parts.stack().connection(flow.local, flow.remote);
      connection?.abort();
      if (connection !== undefined) count += 1;
    }
    return count > 0;
  }

  counters(): ReadonlyMap<string, number> {
    return linuxCounters(this.parts.stack().stack.layers);
  }
}
