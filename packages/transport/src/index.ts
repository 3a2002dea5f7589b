export * from "./tcp/tcp-header.ts";
export * from "./tcp/tcp-options.ts";
export * from "./udp/udp-header.ts";
