// A stack put onto a network of the host: a TUN or TAP device, or the host's own interfaces through raw sockets.
import { lookup } from "node:dns/promises";
import { PcapngWriter } from "@netstrata/capture";
import { CaptureFile } from "@netstrata/capture/node";
import { formatIp, formatPrefix, type IpPrefix, type Ipv4Address, isIpv4, parseIp, SeededRandom } from "@netstrata/core";
import { CaptureWriter, FaultInjector, type LinkDevice, linkTypeOf } from "@netstrata/link";
import { hostAddressToward, openRaw } from "@netstrata/raw";
import { createRealTimeHost, createStack, type Stack } from "@netstrata/socket";
import { openTun, type TunDevice } from "@netstrata/tun";
import { readInteger, readPrefix } from "../argument-value.ts";
import type { FlagOption, ValueOption } from "../command.ts";
import { UsageError } from "../usage-error.ts";
import { readFaultRates } from "./fault-rates.ts";

type TunOptionName = "tun" | "tap" | "address" | "host-address" | "gateway" | "mtu" | "faults" | "seed" | "capture";

/** The options that say which network. */
export const TUN_OPTIONS: Readonly<Record<TunOptionName, ValueOption>> = {
  tun: { kind: "value", argument: "NAME", help: "make or open this TUN device, which carries IP" },
  tap: { kind: "value", argument: "NAME", help: "make or open this TAP device, which carries Ethernet" },
  address: { kind: "value", argument: "A/LEN", help: "our address with the prefix length of its network" },
  "host-address": { kind: "value", argument: "B/LEN", help: "give the kernel's end this address, and raise it" },
  gateway: { kind: "value", argument: "ADDRESS", help: "the router to everything else (default: the host address)" },
  mtu: { kind: "value", argument: "N", help: "of the device, in octets" },
  faults: { kind: "value", argument: "LIST", help: "both ways: drop=2%,reorder=1%,duplicate=1%,corrupt=1%,delay=5%" },
  seed: { kind: "value", argument: "N", help: "of the faults, to have the same ones again" },
  capture: { kind: "value", argument: "FILE", help: "write what passes the device, as pcapng" },
};

export const LINK_OPTIONS: typeof TUN_OPTIONS & { readonly raw: FlagOption } = {
  ...TUN_OPTIONS,
  raw: { kind: "flag", help: "instead: the host's own interfaces and address, through raw sockets" },
};

/** What the user gave for them. */
export type LinkValues = Readonly<Record<TunOptionName, string | undefined>> & { readonly raw?: boolean };

export interface Attachment {
  readonly stack: Stack;
  /** One line for people. */
  readonly description: string;
  /** Why the device closed by itself, if it did. */
  readonly failure: () => Error | undefined;
  /** Ends the stack, the device and the capture. */
  readonly close: () => Promise<void>;
}

/** For raw sockets: whom the stack is to talk to, and which IP protocols it has to hear. */
export interface RawTarget {
  readonly destination: Ipv4Address;
  readonly protocols: readonly number[];
}

/** @param target absent where raw sockets make no sense */
export async function attach(values: LinkValues, target?: RawTarget): Promise<Attachment> {
  const chosen = [values.tun, values.tap, values.raw || undefined].filter((value) => value !== undefined).length;
  const choices = target === undefined ? "--tun NAME or --tap NAME" : "--tun NAME, --tap NAME or --raw";
  if (chosen !== 1) throw new UsageError(`over which network? give one of ${choices}`);
  return values.raw === true && target !== undefined ? attachRaw(values, target) : attachTun(values);
}

function attachTun(values: LinkValues): Attachment {
  if (values.address === undefined) throw new UsageError("--address A/LEN is missing: which address shall our stack have?");
  const address = readPrefix(values.address, "--address");
  const hostAddress = values["host-address"] === undefined ? undefined : readPrefix(values["host-address"], "--host-address");
  const mtu = values.mtu === undefined ? undefined : readInteger(values.mtu, "--mtu", 68, 65535);
  const device = openTun({ name: values.tun ?? values.tap, mode: values.tun === undefined ? "tap" : "tun", mtu });
  try {
    if (hostAddress !== undefined) device.configureKernel({ address: hostAddress, up: true });
    const { stack, close } = assemble(device, values, address);
    const gateway = values.gateway ?? (hostAddress === undefined ? undefined : formatIp(hostAddress.address));
    // Over TUN everything reaches the kernel, whatever its address.
    if (device.medium === "ip") stack.addRoute({ to: "default", interface: device.name });
    else if (gateway !== undefined) stack.addRoute({ to: "default", via: gateway });
    const kernel = hostAddress === undefined ? "" : `, the kernel is ${formatIp(hostAddress.address)}`;
    const description = `${device.name}: netstrata is ${formatIp(address.address)}${kernel}, MTU ${device.mtu}`;
    return { stack, description, failure: () => failureOf(device), close };
  } catch (error) {
    device.close();
    throw error;
  }
}

async function attachRaw(values: LinkValues, { destination, protocols }: RawTarget): Promise<Attachment> {
  const own = values.address === undefined ? await hostAddressToward(destination) : readPrefix(values.address, "--address").address;
  if (!isIpv4(own)) throw new UsageError("--address: raw sockets carry IPv4 only");
  const device = openRaw({ protocols, mtu: values.mtu === undefined ? undefined : readInteger(values.mtu, "--mtu", 68, 65535) });
  const { stack, close } = assemble(device, values, { address: own, length: 32 });
  stack.addRoute({ to: "default", interface: device.name });
  return { stack, description: `raw sockets: netstrata shares the host's address ${formatIp(own)}`, failure: () => undefined, close };
}

/** A stack on a device, with faults and a capture between where they are asked for. */
function assemble(device: LinkDevice, values: LinkValues, address: IpPrefix): Pick<Attachment, "stack" | "close"> {
  const host = createRealTimeHost({ name: "netstrata" });
  const file = values.capture === undefined ? undefined : new CaptureFile(values.capture);
  let wrapped = device;
  if (file !== undefined) {
    const writer = new PcapngWriter(file.sink, { comments: ["netstrata: what passed the device"] });
    const index = writer.addInterface({ linkType: linkTypeOf(device.medium), name: device.name });
    const origin = BigInt(Date.now()) * 1_000_000n - BigInt(Math.round(host.clock.now() * 1e6));
    wrapped = new CaptureWriter(wrapped, host.clock, {
      packet: (bytes, time, direction) => writer.packet(index, { timestamp: origin + BigInt(Math.round(time * 1e6)), bytes, direction }),
    });
  }
  if (values.faults !== undefined) {
    const rates = readFaultRates(values.faults, "--faults");
    const random = values.seed === undefined ? host.random : new SeededRandom(readInteger(values.seed, "--seed", 0, 2 ** 32 - 1));
    wrapped = new FaultInjector(wrapped, { clock: host.clock, random }, { in: rates, out: rates });
  }
  const stack = createStack({ host, interfaces: [{ device: wrapped, address: formatPrefix(address) }] });
  const close = async (): Promise<void> => {
    await stack.close();
    file?.close();
  };
  return { stack, close };
}

function failureOf({ name, closed, failure }: TunDevice): Error | undefined {
  if (!closed) return undefined;
  return new UsageError(`${name}: the interface is gone${failure === undefined ? "" : ` (${failure.message})`}`);
}

/** An address, or a name that the host's own resolver knows. */
export async function resolveHost(text: string): Promise<Ipv4Address> {
  const literal = parseIp(text);
  if (literal !== undefined && !isIpv4(literal)) throw new UsageError(`${text}: there is no IPv6 yet`);
  return literal ?? (parseIp((await lookup(text, { family: 4 })).address) as Ipv4Address);
}
