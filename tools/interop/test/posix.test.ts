// The same calls on the kernel and on our stack: what they return must be the same.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeWith } from "./harness/requirements.ts";
import { runOurs } from "./posix/our-calls.ts";
import { type Answer, SCENARIOS, type Step } from "./posix/scenarios.ts";

const SCRIPT = fileURLToPath(new URL("./posix/kernel-calls.py", import.meta.url));

describeWith(["root", "namespaces", "python3"], "POSIX calls as the kernel's", () => {
  test.each(Object.keys(SCENARIOS))("%s", (title) => {
    const scenario = SCENARIOS[title];
    const kernel = spawnSync("unshare", ["--net", "sh", "-c", `ip link set lo up && exec python3 ${SCRIPT}`], {
      input: `${JSON.stringify(scenario)}\n`,
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(kernel.stderr).toBe("");
    expect(shown(scenario, runOurs(scenario))).toEqual(shown(scenario, JSON.parse(kernel.stdout) as Answer[]));
  });
});

function shown(scenario: readonly Step[], answers: readonly Answer[]): string[] {
  return scenario.map(({ call, args }, index) => `${call}(${args.join(", ")}) = ${answers[index]}`);
}
