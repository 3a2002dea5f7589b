// A path that is as bad as wanted, between two kernels or between our stack and a kernel: the same faults, the same program, the same clock.
// Usage: node measure-goodput/path-host.js '{"mode": "kernel" | "send" | "receive", …PathSettings}'
import { type Host, ip, type PacketBuffer, SeededRandom } from "@netstrata/core";
import { createWire, FaultInjector, type LinkDevice } from "@netstrata/link";
import { createRealTimeHost, createStack, type Stack, type StackOptions } from "@netstrata/socket";
import { openTun } from "@netstrata/tun";
import { listen, tell, tellError } from "../json-lines.ts";
import { FAR, NEAR, PORT } from "./addresses.ts";

export interface PathSettings {
  /** What is at the near end: a kernel, or our stack that sends to the far kernel, or receives from it. */
  readonly mode: "kernel" | "send" | "receive";
  readonly seed: number;
  /** Probability of a loss, for packets of data and acknowledgments alike. */
  readonly loss: number;
  /** One way, in ms. */
  readonly delay: number;
  /** bit/s in each direction. */
  readonly rate: number;
  /** Packets that wait for the transmitter. */
  readonly queue: number;
  readonly tcp?: StackOptions["tcp"];
}

type TcpConnection = Exclude<ReturnType<Stack["layers"]["tcp"]["open"]>, string>;

const MTU = 1500;
const CHUNK = new Uint8Array(2 ** 16);

/** What one end receives goes to the other. */
function join(from: LinkDevice, to: LinkDevice): void {
  from.attach({ receive: (packet: PacketBuffer) => to.transmit(packet.copy(packet.headroom)) });
}

function run({ mode, seed, loss, delay, rate, queue, tcp }: PathSettings): void {
  const host = createRealTimeHost();
  const random = new SeededRandom(seed);
  const wire = createWire(host.clock, { medium: "ip", mtu: MTU, latency: delay, rate, queueLimit: queue });
  const disturbed = (device: LinkDevice, label: string): LinkDevice => {
    const chance: Host = { ...host, clock: host.clock, random: random.fork(label) };
    return new FaultInjector(device, chance, { out: { drop: loss } });
  };
  const near = disturbed(wire.a, "near");
  const far = disturbed(wire.b, "far");
  const farTun = openTun({ name: "far0" });
  join(farTun, far);
  join(far, farTun);
  if (mode === "kernel") {
    const nearTun = openTun({ name: "near0" });
    join(nearTun, near);
    join(near, nearTun);
    tell("open");
    listen(
      () => {},
      () => process.exit(),
    );
    return;
  }
  const stack = createStack({ host, interfaces: [{ device: near, address: `${NEAR}/24` }], tcp });
  let octets = 0;
  if (mode === "receive") {
    const sink = new Uint8Array(2 ** 18);
    stack.layers.tcp.listen(
      { address: ip(NEAR), port: PORT },
      {
        acceptable: (listener) => {
          const connection = listener.accept();
          if (connection === undefined) return;
          connection.user = {
            readable: () => {
              for (let read = connection.receiveInto(sink); read > 0; read = connection.receiveInto(sink)) octets += read;
            },
          };
        },
      },
    );
  }
  tell("open");
  let connection: TcpConnection | undefined;
  // Each command is a question: the first to a sender makes it begin, all are answered with what has arrived.
  listen(
    () => {
      if (mode === "send" && connection === undefined) {
        const fill = (open: TcpConnection): void => {
          while (open.send(CHUNK) === CHUNK.length);
        };
        const opened = stack.layers.tcp.open({ address: ip(FAR), port: PORT }, { opened: fill, writable: fill });
        if (typeof opened === "string") throw new Error(opened);
        connection = opened;
      }
      tell("octets", { octets: connection?.info().bytesAcknowledged ?? octets, cpu: process.cpuUsage().user });
    },
    () => process.exit(),
  );
}

try {
  run(JSON.parse(process.argv[2]) as PathSettings);
} catch (error) {
  tellError(error);
  process.exitCode = 1;
}
