// The stack that a script is played against: one host on a virtual clock, with one link, at whose other end is the script.
import { formatIp, type Host, IPV4_ANY, IPV6_ANY, isIpv4, SeededRandom, type VirtualClock } from "@netstrata/core";
import { createStack, type Stack, SystemError } from "@netstrata/socket";
import type { Endpoint, TcpConnection, TcpConnectionOptions } from "@netstrata/transport";
import type { ConnectionLine } from "../command/command-world.ts";
import type { Settings } from "../command/settings.ts";
import { DrillDevice } from "./drill-device.ts";
import type { RunSettings } from "./drill-options.ts";
import { DrillStop } from "./drill-report.ts";

export class StackUnderTest {
  readonly device: DrillDevice;
  readonly stack: Stack;
  /** Of TCP, as the stack was made with them. */
  readonly options: Readonly<Record<string, unknown>>;

  /** @throws DrillStop for options that the stack does not take */
  constructor(run: RunSettings, settings: Settings, seed: number, clock: VirtualClock, more: Readonly<Record<string, unknown>>) {
    const host: Host = { name: "drill", clock, random: new SeededRandom(seed) };
    this.device = new DrillDevice(clock, settings.mtu);
    const address = `${formatIp(run.localAddress)}/${isIpv4(run.localAddress) ? 16 : 64}`;
    const any = isIpv4(run.localAddress) ? IPV4_ANY : IPV6_ANY;
    this.options = { ...settings.tcp, ...more };
    const tcp = this.options as TcpConnectionOptions;
    try {
      this.stack = createStack({
        host,
        personality: run.personality,
        interfaces: [{ device: this.device, address }],
        routes: [{ to: `${formatIp(any)}/0`, interface: this.device.name }],
        tcp,
        internet: settings.internet,
      });
    } catch (error) {
      if (!(error instanceof SystemError || error instanceof RangeError)) throw error;
      throw new DrillStop("error", `the stack does not take these settings: ${error.message}`);
    }
  }

  /** The connection between two ends, whoever holds it. */
  connection(local: Endpoint, remote: Endpoint): TcpConnection | undefined {
    return this.stack.layers.tcp
      .connectionsOfPort(local.port)
      .find((each) => each.remote.port === remote.port && each.remote.address === remote.address);
  }

  /** @param ports local ports that the script has used */
  survey(ports: ReadonlySet<number>): { readonly connections: ConnectionLine[]; readonly isListening: boolean } {
    const { tcp } = this.stack.layers;
    const all = [...ports].flatMap((port) => tcp.connectionsOfPort(port));
    return { connections: all.map(({ state, local, remote }) => ({ state, local, remote })), isListening: tcp.listenerCount > 0 };
  }

  async close(): Promise<void> {
    await this.stack.close();
  }
}
