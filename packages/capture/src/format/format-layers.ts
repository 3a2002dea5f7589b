// All layers of a packet with all their fields, a line for each layer.
import type { Dissection } from "../dissect/dissection.ts";
import type { Layer } from "../dissect/layer.ts";
import { type JsonValue, layerToJson } from "./to-json.ts";

/** Fields that say where the layer lies: they stand together at the line's end. */
const PLACE: ReadonlySet<string> = new Set(["protocol", "offset", "headerLength"]);
const NAME_WIDTH = 6;

/** Lines without a newline at the end. */
export function formatLayers(dissection: Dissection, indent = "    "): string {
  return dissection.layers.map((layer) => indent + formatLayer(layer)).join("\n");
}

/** `udp    sourcePort 53, destinationPort 4444, length 40, checksum good, payloadLength 32 [34..42)` */
function formatLayer(layer: Layer): string {
  const fields = Object.entries(layerToJson(layer)).filter(([name]) => !PLACE.has(name));
  const text = fields.map(([name, value]) => `${spaced(name)} ${formatValue(value)}`).join(", ");
  const place = `[${layer.offset}..${layer.offset + layer.headerLength})`;
  return `${layer.protocol.padEnd(NAME_WIDTH)} ${text}${text === "" ? "" : " "}${place}`;
}

/** `timeToLive` reads better as `time to live`. */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function formatValue(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${spaced(name)} ${formatValue(inner as JsonValue)}`)
    .join(" ");
}
