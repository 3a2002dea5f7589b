// A network with one narrow place: senders, each with its own distance, a router, a bottleneck with a finite queue, and a receiver.
// Everything runs on a virtual clock with seeded chance, so that a run is a function of its parameters.
import { type Host, type IpAddress, ip, type Milliseconds, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import { InternetLayer } from "@netstrata/internet";
import { createWire, FaultInjector, type FaultRates, IpInterface, type LinkDevice, type QueueDisciplineFactory } from "@netstrata/link";
import { Tcp, type TcpConnection, type TcpStackOptions } from "@netstrata/transport";

export interface Bottleneck {
  /** bit/s */
  readonly rate: number;
  /** Packets of 1500 octets that wait before it; one more is lost. */
  readonly queue: number;
  readonly faults?: FaultRates;
  /** @default tail drop */
  readonly discipline?: QueueDisciplineFactory;
}

export interface FlowOptions extends TcpStackOptions {
  /** There and back, without queues. */
  readonly roundTrip: Milliseconds;
  /** When it begins. @default 0 */
  readonly start?: Milliseconds;
}

const PORT = 5001;
/** More than any bandwidth-delay product here, so that windows of congestion control are the only ones that matter. */
const BUFFER = 2 ** 26;
const CHUNK = new Uint8Array(2 ** 16);
const MTU = 1500;

/** One connection that always has something to send. */
export class Flow {
  readonly connection: TcpConnection;
  readonly stack: Tcp;
  /** Octets that the receiver's user has got. */
  received = 0;

  constructor(stack: Tcp, connection: TcpConnection) {
    this.stack = stack;
    this.connection = connection;
  }
}

export class Dumbbell {
  readonly clock: VirtualClock = new VirtualClock();
  readonly flows: Flow[] = [];
  private readonly random: SeededRandom;

  constructor(seed: number, bottleneck: Bottleneck, flows: readonly FlowOptions[]) {
    this.random = new SeededRandom(seed);
    const { rate, queue, faults = {}, discipline } = bottleneck;
    const narrow = createWire(this.clock, { medium: "ip", mtu: MTU, aToB: { rate, queueLimit: queue, queue: discipline } });
    const routerHost = this.host("router");
    const router = new InternetLayer(routerHost, { forwarding: true });
    attach(router, routerHost, new FaultInjector(narrow.a, routerHost, { out: faults, heldLimit: 65536 }), "10.0.0.1");
    const receiverHost = this.host("receiver");
    const receiver = new InternetLayer(receiverHost);
    attach(receiver, receiverHost, narrow.b, "10.0.0.2");
    receiver.routes.add({ prefix: prefix("0.0.0.0/0"), interface: receiver.interfaces[0], nextHop: ip("10.0.0.1") });
    this.listen(new Tcp(receiverHost, receiver, { receiveBuffer: BUFFER, timeWait: 0 }), flows.length);
    for (const [index, flow] of flows.entries()) this.addFlow(router, routerHost, flow, index + 1);
  }

  /** Lets `duration` pass and asks `sample` every `every` ms. */
  run(duration: Milliseconds, every: Milliseconds, sample: (now: Milliseconds) => void): void {
    for (let now = every; now <= duration; now += every) {
      this.clock.runUntil(now);
      sample(now);
    }
  }

  private host(name: string): Host {
    return { name, clock: this.clock, random: this.random.fork(name) };
  }

  private listen(tcp: Tcp, count: number): void {
    const listener = tcp.listen(
      { address: ip("10.0.0.2"), port: PORT },
      {
        acceptable: (listening) => {
          const connection = listening.accept();
          if (connection === undefined) return;
          const { remote } = connection;
          const flow = this.flows.find((candidate) => candidate.connection.local.address === remote.address);
          const sink = new Uint8Array(2 ** 16);
          connection.user = {
            readable: () => {
              for (let read = connection.receiveInto(sink); read > 0; read = connection.receiveInto(sink))
                if (flow !== undefined) flow.received += read;
            },
          };
        },
      },
      { backlog: count },
    );
    if (typeof listener === "string") throw new Error(listener);
  }

  private addFlow(router: InternetLayer, routerHost: Host, flow: FlowOptions, number: number): void {
    const { roundTrip, start = 0, ...options } = flow;
    const wire = createWire(this.clock, { medium: "ip", mtu: MTU, latency: roundTrip / 2 });
    attach(router, routerHost, wire.b, `10.0.${number}.1`);
    const host = this.host(`sender ${number}`);
    const internet = new InternetLayer(host);
    attach(internet, host, wire.a, `10.0.${number}.2`);
    internet.routes.add({ prefix: prefix("0.0.0.0/0"), interface: internet.interfaces[0], nextHop: ip(`10.0.${number}.1`) });
    const tcp = new Tcp(host, internet, { sendBuffer: BUFFER / 16, ...options });
    const begin = (): void => {
      const fill = (connection: TcpConnection): void => {
        for (let taken: unknown = CHUNK.length; taken === CHUNK.length; taken = connection.send(CHUNK));
      };
      const opened = tcp.open({ address: ip("10.0.0.2") as IpAddress, port: PORT }, { opened: fill, writable: fill });
      if (typeof opened === "string") throw new Error(opened);
      this.flows.push(new Flow(tcp, opened));
    };
    if (start === 0) begin();
    else this.clock.timer(begin).arm(start);
  }
}

function attach(internet: InternetLayer, host: Host, device: LinkDevice, address: string): void {
  const networkInterface = new IpInterface(host, device);
  networkInterface.addAddress(prefix(`${address}/24`));
  internet.addInterface(networkInterface);
}
