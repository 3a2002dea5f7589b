export type { KernelConfiguration } from "./kernel-interface.ts";
export { openTun, type TunOptions } from "./open-tun.ts";
export { TunDevice, type TunMode } from "./tun-device.ts";
export { TunError } from "./tun-error.ts";
