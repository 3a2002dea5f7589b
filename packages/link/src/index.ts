export * from "./arp-message.ts";
export * from "./ethernet-header.ts";
export * from "./link-device.ts";
export * from "./link-type.ts";
export * from "./linux-sll-header.ts";
export * from "./network-interface.ts";
export * from "./null-header.ts";
export * from "./raw-ip.ts";
