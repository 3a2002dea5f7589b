// Waiting for what no event tells of.
import { setTimeout } from "node:timers/promises";

/** The time between two looks; it decides how often one looks, not what is seen. */
const INTERVAL = 20;

/** Looks again and again; the test's own limit of time ends it. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(INTERVAL);
}
