// What a host does for whoever connects. Each tells of its end: `served` with what there is to tell, or `broken` with the error.
import { open } from "node:fs/promises";
import { tell } from "../json-lines.ts";
import { untilClosed } from "../sockets/serving.ts";
import type { Sockets, Stream } from "../sockets/sockets.ts";
import { digestStream } from "./digest.ts";
import { answerHttp } from "./http.ts";

const FILE_CHUNK = 262144;

type ServiceName = "echo" | "collect" | "file" | "http" | "hold" | "reset";

export interface ServeArguments {
  readonly service: ServiceName;
  readonly port: number;
  /** The file that `file` sends. */
  readonly path?: string;
}

/** Resolves with what there is to tell of it. */
type Service = (stream: Stream, args: ServeArguments) => Promise<object | undefined>;

const SERVICES: Record<ServiceName, Service> = { echo, collect, file, http, hold, reset };

/** Serves TCP until the program ends. */
export async function serve(sockets: Sockets, args: ServeArguments): Promise<object> {
  await sockets.listen(args.port, (stream) => void attend(stream, args));
  return {};
}

async function attend(stream: Stream, args: ServeArguments): Promise<void> {
  const { service } = args;
  try {
    tell("served", { service, ...(await SERVICES[service](stream, args)) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    tell("broken", { service, code, message });
  }
}

/** RFC 862. Its stream ends after the client's. */
async function echo(stream: Stream): Promise<object> {
  let octets = 0;
  for (let bytes = await stream.read(); bytes !== null; bytes = await stream.read()) {
    octets += bytes.length;
    await stream.write(bytes);
  }
  await stream.close();
  return { octets };
}

/** Takes everything, and answers with its size when the client has ended its stream. */
async function collect(stream: Stream): Promise<object> {
  const digest = await digestStream(stream);
  await stream.write(Buffer.from(`${digest.octets}\n`));
  await stream.close();
  return digest;
}

/** Sends a file, and waits for the client to be done as well. */
async function file(stream: Stream, { path = "" }: ServeArguments): Promise<object> {
  await writeFile(stream, path);
  await stream.closeWrite();
  const { octets } = await digestStream(stream);
  await stream.close();
  return { octets };
}

async function http(stream: Stream): Promise<object> {
  return { requests: await answerHttp(stream) };
}

let release: () => void = () => {};

/** Reads nothing before it is released, then everything. */
async function hold(stream: Stream): Promise<object> {
  tell("holding");
  await new Promise<void>((resolve) => (release = resolve));
  return await collect(stream);
}

export async function releaseHeld(): Promise<object> {
  release();
  return {};
}

/** Resets the connection as soon as something has come. */
async function reset(stream: Stream): Promise<undefined> {
  await stream.read();
  await stream.reset();
}

export async function writeFile(stream: Stream, path: string): Promise<void> {
  const source = await open(path);
  try {
    for (;;) {
      // A new piece of memory each time: what is written is given away.
      const { bytesRead, buffer } = await source.read(Buffer.allocUnsafeSlow(FILE_CHUNK));
      if (bytesRead === 0) return;
      await stream.write(buffer.subarray(0, bytesRead));
    }
  } finally {
    await source.close();
  }
}

/** Sends every datagram back to where it came from. */
export async function serveUdpEcho(sockets: Sockets, { port }: { readonly port: number }): Promise<object> {
  const socket = await sockets.bindDatagrams(port);
  void untilClosed(async () => {
    const datagram = await socket.receive();
    await socket.send(datagram.data, datagram);
  });
  return {};
}
