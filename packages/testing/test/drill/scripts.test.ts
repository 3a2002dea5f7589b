// Every script under packages/testing/scripts, over both IP versions, with the choices of every personality that it is for.
import { basename, dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { IP_VERSIONS } from "../../src/index.ts";
import { drill } from "../../src/node.ts";
import { ownScripts } from "./own-scripts.ts";

const scripts = await ownScripts();
const runs = scripts.flatMap(({ personalities, ...script }) => personalities.map((personality) => ({ ...script, personality })));

describe.for(IP_VERSIONS.filter((version) => version !== "ipv4-mapped-ipv6"))("over %s", (ipVersion) => {
  // The head carries the ids of the requirements; tools/conformance reads them from the scripts themselves.
  test.for(runs)("$head ($name, $personality)", async ({ path, personality }) => {
    await drill(path, { ipVersion, personality });
  });
});

/** Directories of what is no RFC yet. */
const SOURCES: Readonly<Record<string, string>> = { bbr: "draft-ietf-ccwg-bbr" };

/** A script shows one thing, and can be read at a glance. */
const LONGEST = 45;

test.for(scripts)("the head of $name says which clause it shows, in a sentence", ({ name, text, head, personalities }) => {
  const directory = dirname(name);
  if (directory === "linux") {
    // What is Linux's own affair, and in no RFC: "Linux, SO_LINGER: …" or "Linux: …".
    expect(head).toMatch(/^Linux(?:, [^:]+)?: .+\.$/);
    expect(personalities).toEqual(["linux"]);
  } else {
    const source = SOURCES[directory] ?? directory.replace(/^rfc/, "RFC ");
    const clause = /^(?:[A-Z]|\d+(?:\.\d+)*)(?=-[a-z0-9-]+\.pkt$)/.exec(basename(name))?.[0];
    expect(head).toMatch(/^(?:RFC \d+|draft-[a-z0-9-]+) §.+: .+\.$/);
    expect(head).toContain(`${source} §${clause}`);
  }
  expect(personalities).not.toEqual([]);
  expect(text.split("\n").length).toBeLessThanOrEqual(LONGEST);
});
