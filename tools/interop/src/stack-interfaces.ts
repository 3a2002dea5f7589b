// Link devices for a stack, by description: TUN or TAP, recorded and disturbed on request.
import { CaptureFile, PcapngWriter, pcapngSink } from "@netstrata/capture/node";
import { type Clock, SeededRandom } from "@netstrata/core";
import { CaptureWriter, FaultInjector, type FaultRates, LINKTYPE_ETHERNET, LINKTYPE_RAW, type LinkDevice } from "@netstrata/link";
import type { InterfaceOptions } from "@netstrata/socket";
import { type KernelConfiguration, openTun, type TunDevice, type TunOptions } from "@netstrata/tun";

export interface InterfaceSettings extends Omit<InterfaceOptions, "device" | "networkInterface"> {
  readonly tun: TunOptions;
  /** The kernel's end. */
  readonly kernel?: KernelConfiguration;
  /** Everything that passes is written to this file, as it is on the wire. */
  readonly capture?: string;
  /** Nothing is disturbed without it. */
  readonly faults?: { readonly seed: number; readonly in?: FaultRates; readonly out?: FaultRates };
}

export interface OpenInterface {
  readonly device: TunDevice;
  readonly faults: FaultInjector | undefined;
  /** For `createStack`. */
  readonly options: InterfaceOptions;
}

export function openInterface({ tun, kernel, capture, faults, ...options }: InterfaceSettings, clock: Clock): OpenInterface {
  const device = openTun(tun);
  if (kernel !== undefined) device.configureKernel(kernel);
  const recorded = capture === undefined ? device : record(device, capture, clock);
  const disturbed = faults && new FaultInjector(recorded, { clock, random: new SeededRandom(faults.seed) }, faults);
  return { device, faults: disturbed, options: { ...options, device: disturbed ?? recorded } };
}

function record(device: LinkDevice, path: string, clock: Clock): LinkDevice {
  const file = new CaptureFile(path);
  const writer = new PcapngWriter(file.sink);
  const index = writer.addInterface({ linkType: device.medium === "ethernet" ? LINKTYPE_ETHERNET : LINKTYPE_RAW, name: device.name });
  process.on("exit", () => file.close());
  return new CaptureWriter(device, clock, pcapngSink(writer, index, BigInt(Math.round((Date.now() - clock.now()) * 1e6))));
}
