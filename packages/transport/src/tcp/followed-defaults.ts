// Defaults that are changed while the stack runs (sysctl): which of them connections and listeners follow that exist already, as in the kernels.
import { type ResolvedTcpOptions, resolveTcpOptions } from "./connection-options.ts";
import type { TcpConnectionOptions } from "./tcp-service.ts";

type OptionName = keyof TcpConnectionOptions;

/** Looked up anew whenever they are needed; the others belong to a connection from its beginning. */
const FOLLOWED_BY_CONNECTIONS: readonly OptionName[] = [
  "accurateEcnOption",
  "dsack",
  "tailLossProbe",
  "frto",
  "slowStartAfterIdle",
  "burstSegments",
  "autoTuning",
  "receiveBufferMaximum",
  "sendBufferMaximum",
  "retries",
  "orphanRetries",
  "synRetries",
  "synAckRetries",
  "keepAliveIdle",
  "keepAliveInterval",
  "keepAliveProbes",
  "finWait2",
];

/** What a connection will be is decided when its SYN comes. */
const FOLLOWED_BY_LISTENERS: readonly OptionName[] = [
  ...FOLLOWED_BY_CONNECTIONS,
  "timestamps",
  "windowScaling",
  "sack",
  "ecn",
  "ecnFallback",
  "minimumSegmentSize",
];

export function followedByConnection(
  options: ResolvedTcpOptions,
  before: ResolvedTcpOptions,
  after: ResolvedTcpOptions,
): TcpConnectionOptions | undefined {
  return followed(FOLLOWED_BY_CONNECTIONS, options, before, after);
}

/** @returns the listener's options from now on */
export function followedByListener(options: ResolvedTcpOptions, before: ResolvedTcpOptions, after: ResolvedTcpOptions): ResolvedTcpOptions {
  const changes = followed(FOLLOWED_BY_LISTENERS, options, before, after);
  return changes === undefined ? options : resolveTcpOptions(options, changes);
}

/** Whoever has chosen another value than the default keeps it. */
function followed(
  names: readonly OptionName[],
  options: ResolvedTcpOptions,
  before: ResolvedTcpOptions,
  after: ResolvedTcpOptions,
): TcpConnectionOptions | undefined {
  const changed = names.filter((name) => before[name] !== after[name] && options[name] === before[name]);
  return changed.length === 0 ? undefined : Object.fromEntries(changed.map((name) => [name, after[name]]));
}
