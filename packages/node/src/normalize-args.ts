// The forms in which `connect` and `listen` take their arguments (Node documentation, "net.createConnection()" and "server.listen()").

export type Callback = (...args: unknown[]) => void;
export type NormalizedArgs = [options: Record<string, unknown>, callback: Callback | null];

const normalized = Symbol("normalizedArgs");

/** `(options)`, `(port, host)`, `(path)`, each with a callback at the end or without. A result given again is returned as it is. */
export function normalizeArgs(args: readonly unknown[]): NormalizedArgs {
  const [first] = args;
  if (Array.isArray(first) && (first as { [normalized]?: boolean })[normalized]) return first as unknown as NormalizedArgs;
  let options: Record<string, unknown> = {};
  if (typeof first === "object" && first !== null) {
    options = first as Record<string, unknown>;
  } else if (isPipeName(first)) {
    options.path = first;
  } else if (args.length > 0) {
    options.port = first;
    if (args.length > 1 && typeof args[1] === "string") options.host = args[1];
  }
  const last = args[args.length - 1];
  const result: NormalizedArgs = [options, typeof last === "function" ? (last as Callback) : null];
  Object.defineProperty(result, normalized, { value: true });
  return result;
}

/** A string that is no number names a Unix socket. */
function isPipeName(value: unknown): value is string {
  return typeof value === "string" && !(Number(value) >= 0);
}
