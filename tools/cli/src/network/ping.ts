// netstrata ping: our own stack asks whether somebody is there.
import { PROTOCOL_ICMP } from "@netstrata/internet";
import { readDuration, readInteger } from "../argument-value.ts";
import { type Command, defineCommand } from "../command.ts";
import { attach, LINK_OPTIONS, resolveHost } from "./attachment.ts";
import { ping as pingHost } from "./pinger.ts";

export const ping: Command = defineCommand({
  name: "ping",
  summary: "echo requests from our stack, over TUN or raw sockets",
  usage: "HOST (--tun NAME | --tap NAME | --raw)",
  examples: [
    ["netstrata ping 192.0.2.1 --raw -c 3", "through the host's interfaces; needs root or CAP_NET_RAW"],
    ["netstrata ping 10.9.0.1 --tun ns0 --address 10.9.0.2/24 --host-address 10.9.0.1/24", "the kernel, over TUN"],
  ],
  options: {
    count: { kind: "value", short: "c", argument: "N", help: "requests to send (default: until a signal comes)" },
    interval: { kind: "value", short: "i", argument: "TIME", help: "between requests (default 1s)" },
    timeout: { kind: "value", short: "W", argument: "TIME", help: "for the last answer (default 2s)" },
    size: { kind: "value", short: "s", argument: "N", help: "octets of payload (default 56)" },
    ttl: { kind: "value", short: "t", argument: "N", help: "time to live" },
    ...LINK_OPTIONS,
  },
  notes: "Exit code: 0 when an answer came, 1 when none did, 2 trouble.",
  words: [1, 1],
  run: async (values, [name], io) => {
    const destination = await resolveHost(name);
    const options = {
      name,
      destination,
      count: values.count === undefined ? Number.POSITIVE_INFINITY : readInteger(values.count, "--count", 1, 2 ** 31),
      interval: readDuration(values.interval ?? "1s", "--interval"),
      timeout: readDuration(values.timeout ?? "2s", "--timeout"),
      size: readInteger(values.size ?? "56", "--size", 0, 65507),
      timeToLive: values.ttl === undefined ? undefined : readInteger(values.ttl, "--ttl", 1, 255),
    };
    const attachment = await attach(values, { destination, protocols: [PROTOCOL_ICMP] });
    try {
      const received = await pingHost(attachment.stack, options, (line) => void io.stdout.write(`${line}\n`), io.signal);
      return received > 0 ? 0 : 1;
    } finally {
      await attachment.close();
    }
  },
});
