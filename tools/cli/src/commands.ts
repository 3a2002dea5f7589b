// Every command, in the order in which the help lists them.
import type { Command } from "./command.ts";
import { demo } from "./demo/demo.ts";
import { inspect } from "./inspect/inspect.ts";

export const commands: readonly Command[] = [demo, inspect];
