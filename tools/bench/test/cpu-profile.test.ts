import { expect, test } from "vitest";
import { foldProfile, packageOf, profile } from "../src/cpu-profile.ts";

function node(id: number, functionName: string, url = "", lineNumber = 0) {
  return { id, callFrame: { functionName, scriptId: "1", url, lineNumber, columnNumber: 0 } };
}

test.each([
  ["file:///home/me/netstrata/packages/transport/dist/tcp/tcp.js", "receive", "transport"],
  ["file:///home/me/netstrata/packages/core/src/packet-buffer.ts", "allocate", "core"],
  ["file:///home/me/netstrata/tools/bench/dist/contenders/core-bulk.js", "run", "bench"],
  ["node:internal/timers", "listOnTimeout", "node"],
  ["", "(garbage collector)", "garbage collector"],
  ["", "writev", "engine and kernel"],
  ["file:///home/me/netstrata/node_modules/koffi/index.js", "load", "other"],
])("%s %s belongs to %s", (url, functionName, room) => {
  expect(packageOf(url, functionName)).toBe(room);
});

test("time is folded by package and by function, the largest share first; waiting counts for nothing", () => {
  const nodes = [
    node(1, "sumBytes", "file:///x/packages/core/dist/internet-checksum.js", 9),
    node(2, "receive", "file:///x/packages/transport/dist/tcp/tcp.js", 127),
    node(3, "(idle)"),
    node(4, "", "file:///x/packages/transport/dist/tcp/tcp.js", 0),
  ];
  const folded = foldProfile({ nodes, samples: [1, 2, 3, 4, 2], timeDeltas: [100, 150, 1000, 50, 100] });
  expect(folded.byPackage).toEqual([
    { name: "transport", share: 0.75 },
    { name: "core", share: 0.25 },
  ]);
  expect(folded.byFunction).toEqual([
    { name: "transport: receive tcp.js:128", share: 0.625 },
    { name: "core: sumBytes internet-checksum.js:10", share: 0.25 },
    { name: "transport: (anonymous) tcp.js:1", share: 0.125 },
  ]);
});

test("the profiler sees the work that it is put around", async () => {
  let sum = 0;
  const { byFunction } = await profile(async () => {
    const end = performance.now() + 50;
    while (performance.now() < end) for (let count = 0; count < 1e5; count += 1) sum += Math.sqrt(count);
  });
  expect(sum).toBeGreaterThan(0);
  expect(byFunction.length).toBeGreaterThan(0);
  for (const { share } of byFunction) expect(share).toBeGreaterThan(0);
});
