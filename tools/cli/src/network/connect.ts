// netstrata connect: a TCP connection of our stack between standard input and standard output.
import { formatIp } from "@netstrata/core";
import { PROTOCOL_ICMP, PROTOCOL_TCP } from "@netstrata/internet";
import { readPort } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import { attach, LINK_OPTIONS, resolveHost } from "./attachment.ts";
import { pipe } from "./pipe.ts";

export const connect: Command = defineCommand({
  name: "connect",
  summary: "standard input and output over a TCP connection, as nc does",
  usage: "HOST PORT (--tun NAME | --tap NAME | --raw)",
  examples: [
    ["netstrata connect 10.9.0.1 80 --tun ns0 --address 10.9.0.2/24 --host-address 10.9.0.1/24", ""],
    ["sha256sum file; netstrata connect 10.9.0.1 9000 --tun ns0 --address 10.9.0.2/24 < file", ""],
  ],
  options: LINK_OPTIONS,
  notes: [
    "The end of standard input closes our stream, the peer's goes on until it ends. With --raw the host's kernel knows",
    "nothing of the connection and answers the peer with RST, unless its firewall drops those.",
    "Exit code: 0 when both streams have ended, 1 when there was no connection, 2 trouble.",
  ].join("\n"),
  words: [2, 2],
  run: async (values, [name, portText], io) => {
    const port = readPort(portText, "PORT");
    const destination = await resolveHost(name);
    const attachment = await attach(values, { destination, protocols: [PROTOCOL_TCP, PROTOCOL_ICMP] });
    try {
      const socket = attachment.stack.connect({ hostname: formatIp(destination), port }, { allowHalfOpen: true, signal: io.signal });
      socket.closed.catch(() => {});
      const opened = await socket.opened.catch((error: unknown) => {
        // Whoever stopped it knows why.
        if (!io.signal.aborted) io.stderr.write(`netstrata: ${(error as Error).message}\n`);
        return undefined;
      });
      if (opened === undefined) return 1;
      io.stderr.write(`${opened.localAddress} connected to ${opened.remoteAddress}\n`);
      await pipe(socket, io);
      return 0;
    } finally {
      await attachment.close();
    }
  },
});
