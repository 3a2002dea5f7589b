import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test.each([
  ["Node", globalThis.setImmediate],
  ["a browser", undefined],
])("in %s a turn comes after all promise jobs, in order, and not after a timeout", async (_, setImmediate) => {
  vi.stubGlobal("setImmediate", setImmediate);
  vi.resetModules();
  const channels: MessagePort[] = [];
  const Original = MessageChannel;
  vi.stubGlobal(
    "MessageChannel",
    class extends Original {
      constructor() {
        super();
        channels.push(this.port1 as unknown as MessagePort);
      }
    },
  );
  const { nextTurn, turn } = await import("../src/event-loop.ts");
  const seen: string[] = [];
  nextTurn(() => seen.push("first turn"));
  nextTurn(() => seen.push("second turn"));
  void (async () => {
    for (let hop = 0; hop < 50; hop += 1) await undefined;
    seen.push("jobs");
  })();
  await turn();
  expect(seen).toEqual(["jobs", "first turn", "second turn"]);
  expect(channels.length).toBe(setImmediate === undefined ? 1 : 0);
  for (const port of channels) port.close();
});
