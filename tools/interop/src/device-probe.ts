// A program with nothing but a link device: it tells what the device receives, and transmits what it is told.
// Usage: node device-probe.js '{"tun": TunOptions, "kernel": KernelConfiguration}' or '{"raw": RawOptions}'
import { PacketBuffer } from "@netstrata/core";
import type { LinkDevice } from "@netstrata/link";
import { openRaw, type RawDevice, type RawOptions } from "@netstrata/raw";
import { type KernelConfiguration, openTun, type TunDevice, type TunOptions } from "@netstrata/tun";
import { listen, tell, tellError } from "./json-lines.ts";

interface Settings {
  readonly tun?: TunOptions;
  readonly kernel?: KernelConfiguration;
  readonly raw?: RawOptions;
  /** Lets the process end while the device is open. */
  readonly unref?: boolean;
}

interface Command {
  /** Octets in hexadecimal. */
  readonly transmit?: string;
  readonly counters?: true;
  readonly close?: true;
}

try {
  run(JSON.parse(process.argv[2]) as Settings);
} catch (error) {
  tellError(error);
  process.exitCode = 1;
}

function run(settings: Settings): void {
  const device = settings.raw === undefined ? openKernelDevice(settings) : openRaw(settings.raw);
  device.attach({ receive: (packet) => tell("packet", { bytes: Buffer.from(packet.view()).toString("hex") }) });
  tell("open", { name: device.name, medium: device.medium, mtu: device.mtu });
  if (!settings.unref)
    listen<Command>(
      (command) => obey(device, command),
      () => device.close(),
    );
}

function openKernelDevice({ tun, kernel, unref }: Settings): TunDevice {
  const device = openTun(tun);
  if (kernel !== undefined) device.configureKernel(kernel);
  if (unref) device.unref();
  return device;
}

function obey(device: TunDevice | RawDevice, command: Command): void {
  if (command.transmit !== undefined) device.transmit(PacketBuffer.wrap(Uint8Array.from(Buffer.from(command.transmit, "hex"))));
  if (command.counters) tell("counters", { ...countersOf(device), closed: device.closed, failure: failureOf(device) });
  if (command.close) {
    device.close();
    tell("closed");
  }
}

function countersOf(device: LinkDevice): object {
  return device.counters;
}

function failureOf(device: TunDevice | RawDevice): string | undefined {
  return "failure" in device ? device.failure?.message : undefined;
}
