// Every system call that scripts can make, by its name.
import type { Caller } from "./call-world.ts";
import { DATA_CALLS } from "./data-calls.ts";
import { FILE_CALLS } from "./file-calls.ts";
import { SOCKET_CALLS } from "./socket-calls.ts";
import { WAIT_CALLS } from "./wait-calls.ts";

export const CALLS: ReadonlyMap<string, Caller> = new Map([...SOCKET_CALLS, ...DATA_CALLS, ...WAIT_CALLS, ...FILE_CALLS]);
