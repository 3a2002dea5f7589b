// Defaults that change while the stack runs: who follows them, and who has chosen for himself.
import { expect, test } from "vitest";
import { DEFAULT_TCP_OPTIONS, resolveTcpOptions } from "../../src/tcp/connection-options.ts";
import { followedByConnection, followedByListener } from "../../src/tcp/followed-defaults.ts";

const before = DEFAULT_TCP_OPTIONS;
const after = resolveTcpOptions(before, { retries: 7, dsack: false, timestamps: false, rtoMinimum: 300 });

test("a connection follows what is looked up anew, and not what it has begun with", () => {
  expect(followedByConnection(before, before, after)).toEqual({ retries: 7, dsack: false });
});

test("a connection keeps what it has chosen", () => {
  const chosen = resolveTcpOptions(before, { retries: 3 });
  expect(followedByConnection(chosen, before, after)).toEqual({ dsack: false });
  expect(followedByConnection(after, before, after)).toBeUndefined();
});

test("a listener follows what a connection begins with, too", () => {
  const followed = followedByListener(before, before, after);
  expect(followed).toMatchObject({ retries: 7, dsack: false, timestamps: false, rtoMinimum: before.rtoMinimum });
  expect(followedByListener(before, before, before)).toBe(before);
});
