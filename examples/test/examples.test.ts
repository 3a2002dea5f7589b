import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";

const printed: string[] = [];
const { log } = console;

beforeEach(() => {
  printed.length = 0;
  console.log = (...words: unknown[]): void => void printed.push(words.join(" "));
});

afterEach(() => {
  console.log = log;
});

test("echo: the answer comes back over a lossy wire", async () => {
  await import("../echo.ts");
  expect(printed).toEqual([expect.stringMatching(/^hello after [0-9.]+ simulated ms$/)]);
});

test("echo: the README shows this very program", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const program = readFileSync(new URL("../echo.ts", import.meta.url), "utf8").replace(/^\/\/.*\n/, "");
  expect(shown).toBe(program);
});

test("two-routers: both ends go through the states of an orderly life", async () => {
  await import("../two-routers.ts");
  const statesOf = (host: string): string[] =>
    printed.filter((line) => line.includes(` ms  ${host} `)).map((line) => line.replace(/^.* ms {2}[a-z]+ +/, ""));
  expect(statesOf("client")).toEqual([
    "CLOSED -> SYN-SENT",
    "SYN-SENT -> ESTABLISHED",
    "ESTABLISHED -> CLOSE-WAIT",
    "CLOSE-WAIT -> LAST-ACK",
    "LAST-ACK -> CLOSED",
  ]);
  expect(statesOf("server")).toEqual([
    "CLOSED -> SYN-RECEIVED",
    "SYN-RECEIVED -> ESTABLISHED",
    "ESTABLISHED -> FIN-WAIT-1",
    "FIN-WAIT-1 -> FIN-WAIT-2",
    "FIN-WAIT-2 -> TIME-WAIT",
    "TIME-WAIT -> CLOSED",
  ]);
  expect(printed).toContain("            client  you said: hello through two routers");
});

test("files: each end holds a descriptor", async () => {
  await import("../files.ts");
  expect([...printed].sort()).toEqual([
    expect.stringMatching(/^client: connected from \{"address":"10.0.0.2","family":4,"port":[0-9]+\} as file 3$/),
    'client: read "what is this?"',
    expect.stringMatching(/^server: accepted 10.0.0.2:[0-9]+ as file 4$/),
  ]);
});

test("sockets-step-by-step: each call, its segments, and the states afterwards", async () => {
  await import("../sockets-step-by-step.ts");
  const calls = printed.map((line) => line.trim()).filter((line) => /^(server|client): /.test(line));
  expect(calls.length).toBe(13);
  const told = printed.join("\n");
  expect(told).toMatch(
    /connect\(10\.0\.0\.1:7\)\n {2}server ESTABLISHED, client ESTABLISHED\n.*Flags \[S\].*\n.*Flags \[S\.\].*\n.*Flags \[\.\]/,
  );
  expect(told).toMatch(/client: close\(\)\n {2}server CLOSE-WAIT, client FIN-WAIT-2\n.*Flags \[F\.\]/);
  expect(told).toMatch(/server: close\(\)\n {2}server CLOSED, client TIME-WAIT\n.*Flags \[F\.\]/);
});

test("nat: one address for two hosts, one of which is reached from outside", async () => {
  await import("../nat.ts");
  const [alice, bob, ...others] = printed;
  expect(alice).toBe("alice as 192.168.1.2 is 203.0.113.1:5000 to the server");
  expect(bob).toMatch(/^bob as 192\.168\.1\.3 is 203\.0\.113\.1:(?!5000 )[0-9]+ to the server$/);
  expect(others).toEqual(["alice is visited by 203.0.113.2", "bob is not: ECONNREFUSED", "4 conversations, 2 ports"]);
});
