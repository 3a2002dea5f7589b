// Two whole stacks on a wire in memory, in real time: what a program uses that imports @netstrata/socket.
import { createWire } from "@netstrata/link";
import { createRealTimeHost, createStack, RealTimeClock, type Socket, type Stack } from "@netstrata/socket";

/** Short, so that thousands of connections a second do not use up the ports. In ms. */
const TIME_WAIT = 1;

export const SERVER = "10.0.0.2";

export interface SocketPair {
  readonly a: Stack;
  readonly b: Stack;
  close(): Promise<void>;
}

export function openSocketPair(mtu: number): SocketPair {
  const clock = new RealTimeClock();
  const wire = createWire(clock, { medium: "ip", mtu });
  const tcp = { timeWait: TIME_WAIT };
  const a = createStack({ host: createRealTimeHost({ name: "a", clock }), interfaces: [{ device: wire.a, address: "10.0.0.1/24" }], tcp });
  const b = createStack({ host: createRealTimeHost({ name: "b", clock }), interfaces: [{ device: wire.b, address: `${SERVER}/24` }], tcp });
  return {
    a,
    b,
    close: async () => {
      await a.close();
      await b.close();
    },
  };
}

/** A connection from a to b, established. */
export async function connectSocketPair(pair: SocketPair): Promise<{ client: Socket; server: Socket }> {
  const listener = pair.b.listen({ noDelay: true });
  const client = pair.a.connect({ hostname: SERVER, port: listener.address.port }, { noDelay: true });
  const server = await listener.accept();
  await client.opened;
  await listener.close();
  for (const socket of [client, server]) socket.closed.catch(() => {});
  return { client, server };
}
