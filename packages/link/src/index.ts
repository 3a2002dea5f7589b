export * from "./arp-message.ts";
export * from "./ethernet-header.ts";
export * from "./link-device.ts";
export * from "./network-interface.ts";
