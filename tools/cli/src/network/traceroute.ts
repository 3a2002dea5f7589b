// netstrata traceroute: which routers lie between our stack and a host.
import { PROTOCOL_ICMP } from "@netstrata/internet";
import { readDuration, readInteger } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import { attach, LINK_OPTIONS, resolveHost } from "./attachment.ts";
import { traceRoute } from "./route-tracer.ts";

export const traceroute: Command = defineCommand({
  name: "traceroute",
  summary: "the routers on the way to a host, over TUN or raw sockets",
  usage: "HOST (--tun NAME | --tap NAME | --raw)",
  examples: [
    ["netstrata traceroute 192.0.2.1 --raw", "through the host's interfaces; needs root or CAP_NET_RAW"],
    ["netstrata traceroute 192.0.2.1 --tun ns0 --address 10.9.0.2/24", "over TUN; the kernel is the first router"],
  ],
  options: {
    "max-hops": { kind: "value", short: "m", argument: "N", help: "the largest time to live (default 30)" },
    queries: { kind: "value", short: "q", argument: "N", help: "probes for each hop (default 3)" },
    timeout: { kind: "value", short: "w", argument: "TIME", help: "for the answers of one hop (default 2s)" },
    ...LINK_OPTIONS,
  },
  notes: "The probes are ICMP echo requests, as of traceroute -I. Exit code: 0 when the host answered, 1 when not, 2 trouble.",
  words: [1, 1],
  run: async (values, [name], io) => {
    const destination = await resolveHost(name);
    const options = {
      name,
      destination,
      mostHops: readInteger(values["max-hops"] ?? "30", "--max-hops", 1, 255),
      probes: readInteger(values.queries ?? "3", "--queries", 1, 10),
      timeout: readDuration(values.timeout ?? "2s", "--timeout"),
    };
    const attachment = await attach(values, { destination, protocols: [PROTOCOL_ICMP] });
    try {
      const reached = await traceRoute(attachment.stack, options, (line) => void io.stdout.write(`${line}\n`), io.signal);
      return reached ? 0 : 1;
    } finally {
      await attachment.close();
    }
  },
});
