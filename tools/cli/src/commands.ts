// Every command, in the order in which the help lists them.
import type { Command } from "./command.ts";
import { demo } from "./demo/demo.ts";
import { drill } from "./drill/drill.ts";
import { inspect } from "./inspect/inspect.ts";
import { connect } from "./network/connect.ts";
import { listen } from "./network/listen.ts";
import { ping } from "./network/ping.ts";
import { traceroute } from "./network/traceroute.ts";
import { up } from "./network/up.ts";
import { replay } from "./replay/replay.ts";
import { start } from "./start.ts";

export const commands: readonly Command[] = [demo, inspect, replay, drill, up, ping, traceroute, connect, listen, start];
