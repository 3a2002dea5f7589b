// A program on the kernel's own sockets, that does what a test tells it (`calls/`). Usage: node kernel-host.js '{}'
import { bindSocketCalls, obey } from "./calls/calls.ts";
import { tell } from "./json-lines.ts";
import { KernelSockets } from "./sockets/kernel-sockets.ts";

tell("open");
obey(bindSocketCalls(new KernelSockets()), () => process.exit());
