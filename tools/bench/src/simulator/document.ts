// docs/goodput.md, from the first line to the last.
import { fairnessRow, PAIRS } from "./fairness.ts";
import { CASES, CONTROLS, goodputRow } from "./goodput-table.ts";

export const COMMAND = "npm run goodput --workspace tools/bench";

export function goodputDocument(): string {
  return `# Goodput in simulation

Made by \`${COMMAND}\`; the same seed and a virtual clock give the same figures everywhere. A test of tools/bench makes some of the rows again and compares.
What the columns stand for: the congestion controls of \`packages/transport/src/tcp/congestion\`, everything else as by default (SACK, RACK-TLP, timestamps).

## The window of CUBIC

![The window of CUBIC and NewReno over time](plots/cubic.svg)

## BBR on its way

![Goodput, round trip and octets in flight of BBR over time](plots/bbr.svg)

## One flow

Goodput in percent of the bottleneck's rate over ten seconds, the handshake and slow start included (4 % are headers). The queue before the bottleneck holds one bandwidth-delay
product, at least 20 packets; tail drop. Lost and reordered are packets of data at random; those that are reordered are overtaken by up to ten others.

| loss | reordered | round trip | bottleneck | ${CONTROLS.join(" | ")} |
|---|---|---|---|${"---:|".repeat(CONTROLS.length)}
${CASES.map(goodputRow).join("\n")}

## Two flows

10 Mbit/s, a queue of one bandwidth-delay product of 40 ms (34 packets); goodput in Mbit/s from the 20th to the 80th second. The second flow begins a second after the first. Jain's
index is 1 when both get the same, 0.5 when one gets nothing.

| first flow | second flow | first | second | Jain's index |
|---|---|---:|---:|---:|
${PAIRS.map(fairnessRow).join("\n")}

![Two flows of CUBIC and of BBR sharing a bottleneck](plots/sharing.svg)
`;
}
