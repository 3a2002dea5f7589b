// What the describers of single layers share when they write one line together.
import type { Dissection } from "../dissect/dissection.ts";
import type { Layer } from "../dissect/layer.ts";
import type { RelativeSequence } from "./relative-sequence.ts";

export interface Line {
  readonly dissection: Dissection;
  readonly relativeSequence: RelativeSequence | undefined;
  /** The layer at `index` and everything within it. */
  describe(index: number): string;
}

/** The kinds of layer that `protocol` may stand for. */
export type LayerOf<Protocol extends Layer["protocol"], Candidate = Layer> = Candidate extends { readonly protocol: infer Name }
  ? Protocol extends Name
    ? Candidate
    : never
  : never;

/** Says a layer, and what is in it, in a few words. `index` is its place in `line.dissection.layers`. */
export type Describer<Protocol extends Layer["protocol"]> = (layer: LayerOf<Protocol>, line: Line, index: number) => string;

/** Octets on the wire behind a layer's header. */
export function lengthBehind(layer: Layer, line: Line): number {
  return Math.max(0, line.dissection.originalLength - layer.offset - layer.headerLength);
}

export function hex(value: number, digits = 2): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
