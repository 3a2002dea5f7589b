import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { compareMembers, membersPath, writeMembers } from "../src/node-members.ts";

test("no documented member of Node's modules is missing without a reason", () => {
  expect(compareMembers().filter(({ isThere, remark }) => !isThere && remark === "")).toEqual([]);
});

// The table is of the Node that CI runs.
test.skipIf(!process.version.startsWith("v20."))("docs/node-members.md is up to date (npm run docs)", () => {
  const path = join(resolve(import.meta.dirname, "../../.."), membersPath);
  expect(readFileSync(path, "utf8")).toBe(writeMembers(compareMembers()));
});
