// What a test may tell a host to do. The answer comes as an event, under the number that the call came with.
import { listen, tell } from "../json-lines.ts";
import type { Sockets } from "../sockets/sockets.ts";
import { askUdp, connect, converse, converseAndReset, get, getMany, receive, sendFile } from "./clients.ts";
import { releaseHeld, serve, serveUdpEcho } from "./services.ts";

/** The same on the kernel's sockets and on ours. */
export interface SocketCalls {
  readonly serve: typeof serve;
  readonly serveUdpEcho: typeof serveUdpEcho;
  readonly releaseHeld: typeof releaseHeld;
  readonly connect: typeof connect;
  readonly converse: typeof converse;
  readonly converseAndReset: typeof converseAndReset;
  readonly receive: typeof receive;
  readonly sendFile: typeof sendFile;
  readonly get: typeof get;
  readonly getMany: typeof getMany;
  readonly askUdp: typeof askUdp;
}

const SOCKET_CALLS: SocketCalls = {
  serve,
  serveUdpEcho,
  releaseHeld,
  connect,
  converse,
  converseAndReset,
  receive,
  sendFile,
  get,
  getMany,
  askUdp,
};

interface CallMessage {
  readonly id: number;
  readonly call: string;
  readonly args: never;
}

type Call = (args: never) => Promise<object>;

/** Binds each call of a table to what it is about. */
export function bindCalls<Subject>(table: object, subject: Subject): Record<string, Call> {
  const calls = Object.entries(table) as [string, (subject: Subject, args: never) => Promise<object>][];
  return Object.fromEntries(calls.map(([name, call]) => [name, (args: never) => call(subject, args)]));
}

export function bindSocketCalls(sockets: Sockets): Record<string, Call> {
  return bindCalls(SOCKET_CALLS, sockets);
}

/** Does what it is told until the test closes the pipe, or is gone. */
export function obey(calls: Record<string, Call>, onEnd: () => void): void {
  listen<CallMessage>(({ id, call, args }) => {
    calls[call](args).then(
      (result) => tell("answer", { id, result }),
      ({ code, message }: NodeJS.ErrnoException) => tell("answer", { id, error: { code, message } }),
    );
  }, onEnd);
}
