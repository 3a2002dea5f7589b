export * from "./network.ts";
export * from "./real-world.ts";
export * from "./simulated-world.ts";
export * from "./topologies.ts";
export * from "./world.ts";
export type { WorldEvent, WorldListener } from "./world-events.ts";
export * from "./world-switch.ts";
export * from "./world-wire.ts";
