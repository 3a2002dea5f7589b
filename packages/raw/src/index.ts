export { hostAddressToward } from "./host-address.ts";
export { openRaw, PROTOCOL_ICMP, type RawOptions } from "./open-raw.ts";
export { RawDevice } from "./raw-device.ts";
export { RawError } from "./raw-error.ts";
