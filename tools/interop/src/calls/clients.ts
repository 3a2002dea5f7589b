// What a host asks of others.
import type { Address, Sockets, Stream } from "../sockets/sockets.ts";
import { type Digest, digestOf, digestStream, pattern } from "./digest.ts";
import { type HttpAnswer, requestHttp } from "./http.ts";
import { writeFile } from "./services.ts";

export interface Toward {
  readonly to: Address;
}

/** Connects, and closes at once. */
export async function connect(sockets: Sockets, { to }: Toward): Promise<object> {
  const stream = await sockets.connect(to);
  await stream.closeWrite();
  await digestStream(stream);
  await stream.close();
  return {};
}

export interface Conversation extends Toward {
  readonly octets: number;
  readonly localPort?: number;
}

/** Writes so many octets, ends its stream, and reads the answer to its end. */
export async function converse(sockets: Sockets, { to, octets, localPort }: Conversation): Promise<Digest> {
  return writeAndRead(await sockets.connect(to, localPort), (stream) => stream.write(pattern(octets)));
}

/** Writes a file, ends its stream, and reads the answer to its end. */
export async function sendFile(sockets: Sockets, { to, path }: Toward & { readonly path: string }): Promise<Digest> {
  return writeAndRead(await sockets.connect(to), (stream) => writeFile(stream, path));
}

async function writeAndRead(stream: Stream, write: (stream: Stream) => Promise<void>): Promise<Digest> {
  // Both at once: whoever echoes sends before it has all.
  const [digest] = await Promise.all([digestStream(stream), write(stream).then(() => stream.closeWrite())]);
  await stream.close();
  return digest;
}

/** Reads to the end of the server's stream, and ends its own only then. */
export async function receive(sockets: Sockets, { to, localPort }: Toward & { readonly localPort?: number }): Promise<Digest> {
  const stream = await sockets.connect(to, localPort);
  const digest = await digestStream(stream);
  await stream.close();
  return digest;
}

/** Resets the connection when the first answer has come. */
export async function converseAndReset(sockets: Sockets, { to }: Toward): Promise<object> {
  const stream = await sockets.connect(to);
  await stream.write(pattern(1000));
  await stream.read();
  await stream.reset();
  return {};
}

export async function get(sockets: Sockets, { to, path }: Toward & { readonly path: string }): Promise<HttpAnswer> {
  return requestHttp(await sockets.connect(to), path);
}

/** As many requests as that, all at the same time, each on a connection of its own. */
export async function getMany(
  sockets: Sockets,
  { to, path, count }: Toward & { readonly path: string; readonly count: number },
): Promise<{ readonly answers: readonly HttpAnswer[] }> {
  return { answers: await Promise.all(Array.from({ length: count }, () => get(sockets, { to, path }))) };
}

/** Sends one datagram, and waits for what comes back. */
export async function askUdp(sockets: Sockets, { to, octets }: Toward & { readonly octets: number }): Promise<Digest> {
  const socket = await sockets.connectDatagrams(to);
  try {
    await socket.send(pattern(octets));
    return digestOf((await socket.receive()).data);
  } finally {
    await socket.close();
  }
}
