// Every script under packages/testing/scripts, over both IP versions, against a stack with Linux's choices.
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { IP_VERSIONS } from "../../src/index.ts";
import { drill, findScripts } from "../../src/node.ts";

const directory = fileURLToPath(new URL("../../scripts", import.meta.url));
const scripts = (await findScripts([directory])).map((path) => ({ path, name: relative(directory, path) }));

describe.for(IP_VERSIONS.filter((version) => version !== "ipv4-mapped-ipv6"))("over %s", (ipVersion) => {
  test.for(scripts)("$name", async ({ path }) => {
    await drill(path, { ipVersion });
  });
});
