// Two hosts on one wire, on the virtual clock: what most tests of this package stand on.
import { type Host, type IpAddress, ip, prefix, SeededRandom, VirtualClock } from "@netstrata/core";
import { InternetLayer } from "@netstrata/internet";
import { createWire, IpInterface, type LinkDevice, type WireOptions } from "@netstrata/link";
import { Tcp, type TcpStackOptions } from "../src/index.ts";

export interface TestHost {
  readonly host: Host;
  readonly address: IpAddress;
  readonly internet: InternetLayer;
  readonly tcp: Tcp;
}

export interface TwoHosts {
  readonly clock: VirtualClock;
  readonly a: TestHost;
  readonly b: TestHost;
  /** Ends every connection and gives what is left over: all zero when nothing leaks. */
  close(): { timers: number; connections: number };
}

export interface TwoHostsOptions {
  readonly seed?: number;
  readonly wire?: WireOptions;
  readonly a?: TcpStackOptions;
  readonly b?: TcpStackOptions;
  /** Puts something between a device and its host, a fault injector for example. */
  readonly wrap?: (device: LinkDevice, host: Host) => LinkDevice;
}

export function twoHosts(options: TwoHostsOptions = {}): TwoHosts {
  const clock = new VirtualClock();
  const random = new SeededRandom(options.seed ?? 1);
  const wire = createWire(clock, { medium: "ip", latency: 5, ...options.wire });
  const make = (name: string, device: LinkDevice, address: string, tcpOptions?: TcpStackOptions): TestHost => {
    const host: Host = { name, clock, random: random.fork(name) };
    const internet = new InternetLayer(host);
    const networkInterface = new IpInterface(host, options.wrap?.(device, host) ?? device);
    networkInterface.addAddress(prefix(`${address}/24`));
    internet.addInterface(networkInterface);
    return { host, address: ip(address), internet, tcp: new Tcp(host, internet, tcpOptions) };
  };
  const a = make("a", wire.a, "10.0.0.1", options.a);
  const b = make("b", wire.b, "10.0.0.2", options.b);
  return {
    clock,
    a,
    b,
    close: () => {
      a.tcp.close();
      b.tcp.close();
      clock.advance(1000);
      return { timers: clock.armedTimers, connections: a.tcp.connectionCount + b.tcp.connectionCount };
    },
  };
}
