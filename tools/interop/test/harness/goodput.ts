// Goodput over a bad path: two kernels, or our stack and a kernel, at the ends of the same impairments in the same program.

import { FAR, NEAR, PORT } from "../../src/measure-goodput/addresses.ts";
import type { PathSettings } from "../../src/measure-goodput/path-host.ts";
import { NetworkNamespace } from "./network-namespace.ts";
import type { Program } from "./program.ts";

export interface Run extends PathSettings {
  /** The kernel's algorithm: reno, cubic, bbr. */
  readonly kernelControl: string;
  /** How long something is sent before it is counted, and how long that is, in ms. */
  readonly warmUp: number;
  readonly duration: number;
}

/** A program of ten lines: sends, or receives and counts; answers each line of its stdin with the octets up to then. */
const PYTHON = `
import socket, sys, threading
mode, address, port, control = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
count = [0]
def receive(s):
    while True:
        n = len(s.recv(262144))
        if n == 0: return
        count[0] += n
def send(s):
    block = bytes(65536)
    while True: count[0] += s.send(block)
def serve():
    l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind((address, port)); l.listen(1); print("ready", flush=True); receive(l.accept()[0])
def connect():
    s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode()); s.connect((address, port)); print("ready", flush=True); send(s)
threading.Thread(target=serve if mode == "receive" else connect, daemon=True).start()
for line in sys.stdin: print("octets", count[0], flush=True)
`;

/** Mbit/s that the receiver's user got. */
export async function measureGoodput(run: Run): Promise<number> {
  const { kernelControl, warmUp, duration, ...settings } = run;
  const near = await NetworkNamespace.create();
  const far = await NetworkNamespace.create();
  try {
    const path = near.node("measure-goodput/path-host", settings);
    await path.event("open");
    await near.giveInterface("far0", far);
    await setUp(far, "far0", FAR);
    if (settings.mode === "kernel") await setUp(near, "near0", NEAR);
    const { receiver } = await startTraffic(settings.mode, near, far, path, kernelControl);
    await pause(warmUp);
    const before = await receiver();
    const start = performance.now();
    await pause(duration);
    const octets = (await receiver()) - before;
    return (8 * octets) / (performance.now() - start) / 1000;
  } finally {
    await near.close();
    await far.close();
  }
}

type Count = () => Promise<number>;

async function startTraffic(
  mode: PathSettings["mode"],
  near: NetworkNamespace,
  far: NetworkNamespace,
  path: Program,
  control: string,
): Promise<{ receiver: Count }> {
  const ofPath: Count = async () => {
    path.write("{}\n");
    return Number((await path.event("octets")).octets);
  };
  if (mode === "receive") {
    far.start("python3", "-c", PYTHON, "send", NEAR, String(PORT), control);
    return { receiver: ofPath };
  }
  const sink = far.start("python3", "-c", PYTHON, "receive", FAR, String(PORT), control);
  await sink.line((line) => line === "ready");
  if (mode === "kernel") near.start("python3", "-c", PYTHON, "send", FAR, String(PORT), control);
  else await ofPath();
  return {
    receiver: async () => {
      sink.write("\n");
      return Number((await sink.line((line) => line.startsWith("octets"))).split(" ")[1]);
    },
  };
}

async function setUp(network: NetworkNamespace, name: string, address: string): Promise<void> {
  await network.ip(`address add ${address}/24 dev ${name}`);
  await network.ip(`link set ${name} up`);
  await network.setKernel("ipv4/tcp_rmem", "4096 131072 16777216");
  await network.setKernel("ipv4/tcp_wmem", "4096 131072 16777216");
  // What was learnt of an earlier connection is not to help the next.
  await network.setKernel("ipv4/tcp_no_metrics_save", 1);
}

function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
