// A script that passes proves something only if it can fail: every expectation of every script of ours is changed, one at a time, and
// each time the script has to fail.
import { describe, expect, test } from "vitest";
import { runDrill } from "../../src/index.ts";
import { mutationsOf } from "./mutate-script.ts";
import { ownScripts } from "./own-scripts.ts";

const scripts = await ownScripts();

describe("each changed expectation is noticed", () => {
  test.for(scripts)("$name", async ({ text, personalities: [personality] }) => {
    const mutations = mutationsOf(text, personality);
    expect(mutations.length).toBeGreaterThan(0);
    const missed: string[] = [];
    for (const { what, line, text: changed } of mutations) {
      const { outcome, line: found } = await runDrill(changed, { personality });
      if (outcome !== "fail" || found !== line) missed.push(`${what} in line ${line}: ${outcome} in line ${found}`);
    }
    expect(missed).toEqual([]);
  });
});
