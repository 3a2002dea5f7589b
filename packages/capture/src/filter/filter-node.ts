// What the parts of a filter become: tests, and numbers to compare.
import type { Dissection } from "../dissect/dissection.ts";

export type Test = (dissection: Dissection) => boolean;
/** Undefined where the packet does not have what is asked for: then no comparison holds. */
export type Quantity = (dissection: Dissection) => number | undefined;

export type FilterNode = { readonly kind: "test"; readonly test: Test } | { readonly kind: "quantity"; readonly quantity: Quantity };
