export * from "./icmp-message.ts";
export * from "./ip-header.ts";
export * from "./ip-protocol.ts";
export * from "./ip-service.ts";
export * from "./ipv4-header.ts";
export * from "./ipv6-header.ts";
