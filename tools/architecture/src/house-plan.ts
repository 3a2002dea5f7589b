// The plan of the house: which room may import which, and which names its code may use.

/**
 * - `pure`: nothing but ECMAScript. Time, chance and the world come in as arguments.
 * - `web`: also what Node and browsers share (timers, streams, AbortSignal).
 * - `node`: also Node's own names.
 */
export type Environment = "pure" | "web" | "node";

export interface Room {
  readonly mayImport: readonly string[];
  readonly environment: Environment;
}

const toLink = ["core", "link"];
const toInternet = [...toLink, "internet"];
const toTransport = [...toInternet, "transport"];
const toSocket = [...toTransport, "socket"];
const toSimnet = [...toSocket, "routing", "node", "capture", "tun", "raw", "simnet"];

/** Bottom up. Rooms that are planned but not built yet stand here too: their place is decided. */
export const housePlan: ReadonlyMap<string, Room> = new Map<string, Room>([
  ["core", { mayImport: [], environment: "pure" }],
  ["link", { mayImport: ["core"], environment: "pure" }],
  ["internet", { mayImport: toLink, environment: "pure" }],
  ["routing", { mayImport: toInternet, environment: "pure" }],
  ["transport", { mayImport: toInternet, environment: "pure" }],
  ["socket", { mayImport: toTransport, environment: "web" }],
  ["node", { mayImport: toSocket, environment: "node" }],
  ["capture", { mayImport: toTransport, environment: "web" }],
  ["tun", { mayImport: toLink, environment: "node" }],
  ["raw", { mayImport: toLink, environment: "node" }],
  ["simnet", { mayImport: toSocket, environment: "web" }],
  ["testing", { mayImport: toSimnet, environment: "web" }],
]);

export const scope = "@netstrata/";
