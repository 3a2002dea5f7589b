// Two hosts on a wire in memory, on a virtual clock: the bare layers, without event loop and promises.
import { type IpAddress, ip, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import { InternetLayer } from "@netstrata/internet";
import { createWire, IpInterface, type LinkDevice } from "@netstrata/link";
import { type Endpoint, Tcp, type TcpConnection, type TcpStackOptions, Udp } from "@netstrata/transport";

/** Of the wire, in ms. Virtual time costs nothing; without it a TIME-WAIT would never end. */
const LATENCY = 0.05;
/** Short, so that thousands of connections a second do not use up the ports. In ms. */
const TIME_WAIT = 1;

export interface CoreHost {
  readonly address: IpAddress;
  readonly tcp: Tcp;
  readonly udp: Udp;
}

export interface CorePair {
  readonly a: CoreHost;
  readonly b: CoreHost;
  /** Lets the world go on until `isDone` says so. */
  runUntil(isDone: () => boolean): void;
  close(): void;
}

export function openCorePair(mtu: number): CorePair {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const wire = createWire(clock, { medium: "ip", mtu, latency: LATENCY });
  const open = (name: string, device: LinkDevice, address: string): CoreHost => {
    const host = { name, clock, random: random.fork(name) };
    const internet = new InternetLayer(host);
    const networkInterface = new IpInterface(host, device);
    internet.addInterface(networkInterface);
    internet.addAddress(networkInterface, prefix(`${address}/24`));
    const options: TcpStackOptions = { timeWait: TIME_WAIT };
    return { address: ip(address), tcp: new Tcp(host, internet, options), udp: new Udp(host, internet) };
  };
  const a = open("a", wire.a, "10.0.0.1");
  const b = open("b", wire.b, "10.0.0.2");
  return {
    a,
    b,
    runUntil: (isDone) => {
      while (!isDone()) if (!clock.step()) throw new Error("the two hosts have nothing more to say to each other");
    },
    close: () => wire.close(),
  };
}

/** What cannot fail in this world, but whose contract says that it may. */
export function must<Value>(value: Value | string | undefined): Value {
  if (typeof value === "string" || value === undefined) throw new Error(`refused: ${value}`);
  return value;
}

/** A connection from a to b, established. */
export function connectCorePair(
  pair: CorePair,
  options: { readonly noDelay?: boolean } = {},
): { client: TcpConnection; server: TcpConnection } {
  const local: Endpoint = { address: pair.b.address, port: 7 };
  let server: TcpConnection | undefined;
  const listener = must(pair.b.tcp.listen(local, { acceptable: (waiting) => (server = waiting.accept()) }, options));
  const client = must(pair.a.tcp.open(local, {}, options));
  pair.runUntil(() => server !== undefined && client.state === "ESTABLISHED");
  listener.close();
  return { client, server: must(server) };
}
