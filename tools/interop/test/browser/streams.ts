// Two stacks on a wire in real time, used as a web program uses streams.
import { createWire } from "@netstrata/link";
import { createRealTimeHost, createStack, RealTimeClock } from "@netstrata/socket";

export interface Streams {
  readonly remoteAddress: string;
  /** What was sent through a pipe, and what a response made of the same socket collects. */
  readonly sent: Uint8Array<ArrayBuffer>;
  readonly received: Uint8Array<ArrayBuffer>;
  /** The first octets of a second connection, read into a buffer of the reader's own. */
  readonly first: readonly number[];
  readonly openSockets: number;
}

/** More than the windows and buffers of both ends together, so that back-pressure has to work. */
const LENGTH = 2_000_000;

export async function streams(): Promise<Streams> {
  const clock = new RealTimeClock();
  const wire = createWire(clock, { medium: "ip" });
  const server = createStack({ host: createRealTimeHost({ clock }), interfaces: [{ device: wire.b, address: "10.0.0.2/24" }] });
  const client = createStack({ host: createRealTimeHost({ clock }), interfaces: [{ device: wire.a, address: "10.0.0.1/24" }] });
  const listener = server.listen({ port: 7 });
  const serving = (async () => {
    for await (const peer of listener) await peer.readable.pipeTo(peer.writable);
  })();

  const sent = Uint8Array.from({ length: LENGTH }, (_, index) => (index * 7 + (index >> 8) * 13) & 255);
  const socket = client.connect("10.0.0.2:7", { allowHalfOpen: true });
  const { remoteAddress } = await socket.opened;
  const [received] = await Promise.all([new Response(socket.readable).arrayBuffer(), new Blob([sent]).stream().pipeTo(socket.writable)]);
  await socket.closed;

  const second = client.connect("10.0.0.2:7");
  const writer = second.writable.getWriter();
  const reader = second.readable.getReader({ mode: "byob" });
  await writer.write(Uint8Array.of(1, 2, 3));
  const { value } = await reader.read(new Uint8Array(10));
  await writer.close();
  await second.closed;

  await listener.close();
  await serving;
  const openSockets = client.openSockets + server.openSockets;
  await client.close();
  await server.close();
  return { remoteAddress, sent, received: new Uint8Array(received), first: [...(value ?? [])], openSockets };
}
