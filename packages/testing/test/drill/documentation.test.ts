// docs/drill.md names every setting that changes something, and every call.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CALLS } from "../../src/drill/calls/call-table.ts";
import { SYSCTLS } from "../../src/index.ts";

const text = readFileSync(new URL("../../../../docs/drill.md", import.meta.url), "utf8");

test("every setting that has an option stands in the table, with it", () => {
  const missing = [...SYSCTLS].flatMap(([name, changes]) => {
    const options = changes.flatMap(({ option }) => (option === undefined ? [] : [`\`${option}\``]));
    return options.length === 0 || text.includes(`| \`${name}\` | ${options.join(", ")} |`) ? [] : [name];
  });
  expect(missing).toEqual([]);
});

test("every call is named", () => {
  const list = text.slice(text.indexOf("## Calls"), text.indexOf("## Unsupported")).split(/[\s`.]+/);
  expect([...CALLS.keys()].filter((name) => !list.includes(name))).toEqual([]);
});
