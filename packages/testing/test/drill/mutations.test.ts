// A script that passes proves something only if it can fail: every expectation of every script of ours is changed, one at a time, and
// each time the script has to fail.
import { readFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runDrill } from "../../src/index.ts";
import { findScripts } from "../../src/node.ts";

const directory = fileURLToPath(new URL("../../scripts", import.meta.url));
const scripts = await Promise.all(
  (await findScripts([directory])).map(async (path) => ({ name: relative(directory, path), text: await readFile(path, "utf8") })),
);

/** A packet that has to come out. */
const OUTBOUND = /^(\s*[+\d.~*]*\s*>\s+)(\S+)( +)(\d+):(\d+)\((\d+)\)(.*)$/;
const RESULT = /^(.*\w\(.*\) = )(-?\d+)( E[A-Z]+)?(.*)$/;

interface Mutation {
  readonly what: string;
  readonly line: number;
  readonly text: string;
}

function mutationsOf(line: string): [what: string, line: string][] {
  const packet = OUTBOUND.exec(line);
  if (packet !== null) return packetMutations(packet);
  const call = RESULT.exec(line);
  if (call === null) return [];
  const [, head, result, errno, rest] = call;
  // Which descriptor is given out is the script's own choice.
  if (/\b(?:socket|accept)\(/.test(head)) return [["failure instead of a descriptor", `${head}-1 EMFILE`]];
  const changed: [string, string][] = [["result", `${head}${Number(result) + 1}${rest}`]];
  if (errno !== undefined) changed.push(["errno", `${head}${result} ENOMEM`]);
  return changed;
}

function packetMutations([, head, flags, gap, start, end, length, rest]: RegExpExecArray): [string, string][] {
  const line = (change: { flags?: string; by?: number; longer?: number; rest?: string; head?: string }): string => {
    const { by = 0, longer = 0 } = change;
    const range = `${Number(start) + by}:${Number(end) + by + longer}(${Number(length) + longer})`;
    return `${change.head ?? head}${change.flags ?? flags}${gap}${range}${change.rest ?? rest}`;
  };
  const changed: [string, string][] = [
    ["flags", line({ flags: flags.includes("F") ? flags.replace("F", "") || "-" : `F${flags}` })],
    ["PSH", line({ flags: flags.includes("P") ? flags.replace("P", "") : `P${flags}` })],
    ["length", line({ longer: 1 })],
    ["no options", line({ rest: `${rest.replace(/<[^>]*>/, "")} <200 00>` })],
  ];
  // The number of a SYN is where the script begins to count.
  if (!flags.includes("S")) changed.push(["seq", line({ by: 1 })]);
  if (/ack \d+/.test(rest)) changed.push(["ack", line({ rest: rest.replace(/ack (\d+)/, (_, ack: string) => `ack ${Number(ack) + 1}`) })]);
  if (/^\s*\+0 /.test(head)) changed.push(["time", line({ head: head.replace("+0", "+.05") })]);
  return changed;
}

function allMutations(text: string): Mutation[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) =>
    mutationsOf(line.replace(/\s*\/\/.*$/, "")).map(([what, changed]) => ({
      what,
      line: index + 1,
      text: [...lines.slice(0, index), changed, ...lines.slice(index + 1)].join("\n"),
    })),
  );
}

describe("each changed expectation is noticed", () => {
  test.for(scripts)("$name", async ({ text }) => {
    const mutations = allMutations(text);
    expect(mutations.length).toBeGreaterThan(0);
    const missed: string[] = [];
    for (const { what, line, text: changed } of mutations) {
      const { outcome, line: found } = await runDrill(changed);
      if (outcome !== "fail" || found !== line) missed.push(`${what} in line ${line}: ${outcome} in line ${found}`);
    }
    expect(missed).toEqual([]);
  });
});
