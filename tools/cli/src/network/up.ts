// netstrata up: a stack on a TUN or TAP device that answers ping, serves pages and echoes.
import { readPort } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import { attach, TUN_OPTIONS } from "./attachment.ts";
import { serveEcho, serveSite, serveUdpEcho } from "./services.ts";
import { untilStopped } from "./stop.ts";

/** How long open connections may take to end when we are stopped. */
const FAREWELL = 1000;

export const up: Command = defineCommand({
  name: "up",
  summary: "a stack on a TUN device: ping it, curl it, echo through it",
  usage: "--tun NAME --address A/LEN [--host-address B/LEN] [--http PORT] [--echo PORT] [--capture FILE]",
  examples: [
    ["sudo netstrata up --tun ns0 --address 10.9.0.2/24 --host-address 10.9.0.1/24 --http 80 --echo 7", ""],
    ["curl http://10.9.0.2/", "then, in another terminal"],
    ["curl -s http://10.9.0.2/bytes/100000000 | sha256sum", ""],
    ["curl -sT file http://10.9.0.2/sha256; sha256sum file", ""],
  ],
  options: {
    http: { kind: "value", argument: "PORT", help: "serve pages: / lists them" },
    echo: { kind: "value", argument: "PORT", help: "echo over TCP and UDP (RFC 862)" },
    quiet: { kind: "flag", short: "q", help: "say nothing of connections" },
    ...TUN_OPTIONS,
  },
  notes: "Needs root or CAP_NET_ADMIN. SIGINT or SIGTERM ends it, and the device goes with it.",
  words: [0, 0],
  run: async (values, _words, io) => {
    const http = values.http === undefined ? undefined : readPort(values.http, "--http");
    const echo = values.echo === undefined ? undefined : readPort(values.echo, "--echo");
    const attachment = await attach(values);
    const { stack, description } = attachment;
    const say = (line: string): void => void io.stderr.write(`${line}\n`);
    const log = values.quiet ? (): void => {} : say;
    try {
      const open: { close(): Promise<void> }[] = [];
      if (http !== undefined) open.push(serveSite(stack, http, log));
      if (echo !== undefined) open.push(serveEcho(stack, echo, log), serveUdpEcho(stack, echo, log));
      say(description);
      if (http !== undefined) say(`http on port ${http}`);
      if (echo !== undefined) say(`echo on port ${echo}, TCP and UDP`);
      say("ready");
      await untilStopped(io.signal, attachment);
      for (const each of open) await each.close();
      const deadline = Date.now() + FAREWELL;
      while (stack.openSockets > 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
      return 0;
    } finally {
      await attachment.close();
      say("closed");
    }
  },
});
