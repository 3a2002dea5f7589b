export * from "./endpoint.ts";
export * from "./ephemeral-ports.ts";
export * from "./tcp/state.ts";
export * from "./tcp/tcp-header.ts";
export * from "./tcp/tcp-options.ts";
export * from "./tcp/tcp-service.ts";
export * from "./udp/udp-header.ts";
export * from "./udp/udp-service.ts";
