// A program with a whole stack of ours, that does what a test tells it (`calls/`).
// Usage: node stack-host.js '{"api": "promises" | "posix", "interfaces": [InterfaceSettings], …StackOptions}'
import { formatIp, formatMac, type Observer } from "@netstrata/core";
import type { NeighbourEvent } from "@netstrata/link";
import { createRealTimeHost, createStack, type StackOptions } from "@netstrata/socket";
import { bindCalls, bindSocketCalls, obey } from "./calls/calls.ts";
import { STACK_CALLS } from "./calls/stack-calls.ts";
import { tell, tellError } from "./json-lines.ts";
import { PosixSockets } from "./sockets/posix-sockets.ts";
import { PromiseSockets } from "./sockets/promise-sockets.ts";
import { type InterfaceSettings, openInterface } from "./stack-interfaces.ts";

export interface StackSettings extends Omit<StackOptions, "host" | "interfaces" | "hosts"> {
  /** Through which of our two interfaces sockets are used. @default "promises" */
  readonly api?: "promises" | "posix";
  readonly interfaces: readonly InterfaceSettings[];
  /** Tell of every change in the neighbour caches, as the event `neighbour`. */
  readonly tellNeighbours?: boolean;
}

/** Every layer's events pass here. */
const NEIGHBOUR_TELLER: Observer = {
  observe(event) {
    if (event.kind !== "neighbour") return;
    const { address, state, linkAddress } = event as NeighbourEvent;
    tell("neighbour", { address: formatIp(address), state, linkAddress: linkAddress && formatMac(linkAddress) });
  },
};

function run({ api = "promises", interfaces: settings, tellNeighbours, ...options }: StackSettings): void {
  const host = createRealTimeHost({ observer: tellNeighbours ? NEIGHBOUR_TELLER : undefined });
  const interfaces = settings.map((each) => openInterface(each, host.clock));
  const stack = createStack({ ...options, host, interfaces: interfaces.map((each) => each.options) });
  const sockets = api === "posix" ? new PosixSockets(stack) : new PromiseSockets(stack);
  const calls = { ...bindSocketCalls(sockets), ...bindCalls(STACK_CALLS, { stack, interfaces }) };
  tell("open", { interfaces: interfaces.map(({ device }) => device.name) });
  obey(calls, () => void stack.close());
}

try {
  run(JSON.parse(process.argv[2]) as StackSettings);
} catch (error) {
  tellError(error);
  process.exitCode = 1;
}
