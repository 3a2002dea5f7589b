// netstrata start: what `npm start` runs. The demo, then a recording of two Linux kernels with our stack in the place of one.
import { fileURLToPath } from "node:url";
import { ip } from "@netstrata/core";
import { replay } from "@netstrata/testing";
import { type Command, defineCommand } from "./command.ts";
import { DEFAULT_SIZE, runDemo } from "./demo/demo.ts";
import { packetsOf, show } from "./replay/replay.ts";
import { styleFor } from "./terminal/style.ts";

const FIXTURE = "fixtures/two-kernels.pcap";
const SERVER = "10.8.0.2";

export const start: Command = defineCommand({
  name: "start",
  summary: "the demo, then a recorded capture through replay; needs no root and no network",
  usage: "",
  examples: [["netstrata start", ""]],
  options: {},
  words: [0, 0],
  run: async (_values, _words, io) => {
    const style = styleFor(io.stdout, io.environment);
    const demonstrated = await runDemo({ seed: 1, loss: 0, size: DEFAULT_SIZE }, undefined, io);
    const title = `${FIXTURE}: curl and a web server on two Linux kernels. Our stack takes the place of the server:`;
    await io.stdout.write(`\n${style.bold(title)}\n\n`);
    const file = fileURLToPath(new URL(`../../../${FIXTURE}`, import.meta.url));
    const counts = await show(replay(packetsOf(file, io), { as: ip(SERVER) }), false, io);
    const next = [
      "",
      "To go on:",
      "  npx netstrata demo --loss 5% --seed 7",
      `  npx netstrata inspect ${FIXTURE}`,
      "  npx netstrata --help",
      "",
    ];
    await io.stdout.write(next.join("\n"));
    return demonstrated === 0 && counts.same > 0 && counts.differs === 0 ? 0 : 1;
  },
});
