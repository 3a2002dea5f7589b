// A network of a test's own, apart from the machine's: interfaces, addresses, routes and sockets of its own.
import { fileURLToPath } from "node:url";
import { type Ended, Program } from "./program.ts";

/** Our programs, built: `npm run build`. */
const PROGRAMS = fileURLToPath(new URL("../../dist/", import.meta.url));
/** The words that start `netstrata`. */
export const NETSTRATA: readonly [node: string, script: string] = [
  process.execPath,
  fileURLToPath(new URL("../../../cli/bin/netstrata.js", import.meta.url)),
];

/**
 * The namespace has no name in the file system: it lives as long as a process inside waits for its stdin to end. So it goes away with
 * the test, even with one that is killed, and nothing is ever left to clean up.
 */
export class NetworkNamespace {
  private readonly holder: Program;
  private readonly programs: Program[] = [];

  private constructor(holder: Program) {
    this.holder = holder;
  }

  /** An empty network with its loopback interface up. */
  static async create(): Promise<NetworkNamespace> {
    const holder = new Program("unshare", ["--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"]);
    await holder.line((line) => line === "ready");
    return new NetworkNamespace(holder);
  }

  /** Joins two networks by a virtual Ethernet cable; both ends are up and have their address. */
  static async join(
    a: NetworkNamespace,
    b: NetworkNamespace,
    ends: { a: [name: string, address: string]; b: [name: string, address: string] },
  ): Promise<void> {
    await a.ip(`link add ${ends.a[0]} type veth peer name ${ends.b[0]} netns ${b.holder.pid}`);
    for (const [namespace, [name, address]] of [
      [a, ends.a],
      [b, ends.b],
    ] as const) {
      await namespace.ip(`address add ${address} dev ${name}`);
      await namespace.ip(`link set ${name} up`);
    }
  }

  /** Gives an interface to another network, where it is down and has no address. Who holds a TUN or TAP device keeps holding it. */
  async giveInterface(name: string, to: NetworkNamespace): Promise<void> {
    await this.ip(`link set ${name} netns ${to.holder.pid}`);
  }

  /** Starts a command inside. It is killed when the namespace closes. */
  start(command: string, ...args: string[]): Program {
    const program = new Program("nsenter", ["--target", String(this.holder.pid), "--net", "--", command, ...args]);
    this.programs.push(program);
    return program;
  }

  /** `start`, without any capability: the files are still root's own, the network is not. */
  startWithoutRights(command: string, ...args: string[]): Program {
    return this.start("setpriv", "--bounding-set=-all", "--inh-caps=-all", command, ...args);
  }

  /** Starts one of our programs inside: `tools/interop/src/NAME.ts`, built, with one argument of JSON. */
  node(name: string, settings: object): Program {
    return this.start(process.execPath, `${PROGRAMS}${name}.js`, JSON.stringify(settings));
  }

  nodeWithoutRights(name: string, settings: object): Program {
    return this.startWithoutRights(process.execPath, `${PROGRAMS}${name}.js`, JSON.stringify(settings));
  }

  /** Starts `netstrata` inside. */
  netstrata(...args: string[]): Program {
    return this.start(...NETSTRATA, ...args);
  }

  netstrataWithoutRights(...args: string[]): Program {
    return this.startWithoutRights(...NETSTRATA, ...args);
  }

  /** Runs a command inside until it ends. */
  run(command: string, ...args: string[]): Promise<Ended> {
    return this.start(command, ...args).ended;
  }

  /** Runs `ip` with these words; throws when it fails. */
  async ip(words: string): Promise<string> {
    const { code, stdout, stderr } = await this.run("ip", ...words.split(" "));
    if (code !== 0) throw new Error(`ip ${words}: ${stderr}`);
    return stdout;
  }

  /** Writes to `/proc/sys/net/NAME`, for this network alone. */
  async setKernel(name: string, value: string | number): Promise<void> {
    const { code, stderr } = await this.run("sh", "-c", 'echo "$2" > "/proc/sys/net/$1"', "sh", name, String(value));
    if (code !== 0) throw new Error(`net.${name} = ${value}: ${stderr}`);
  }

  /** Kills what still runs inside, and waits for its end. */
  async close(): Promise<void> {
    for (const program of this.programs) program.kill();
    await Promise.all(this.programs.map((program) => program.ended));
    this.holder.end();
    await this.holder.ended;
  }
}
