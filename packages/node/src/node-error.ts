// The errors Node's own modules throw: a class, a code, and a message in Node's words (Node documentation, "Errors").
import { getSystemErrorMap, inspect } from "node:util";

type Constructor = new (message: string) => Error;

/** An error with Node's `code`; its name stays that of its class, its stack shows both, as Node's do. */
function coded(Base: Constructor, code: string, message: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Base(message);
  const { name } = error;
  error.name = `${name} [${code}]`;
  // The stack is made when it is first read.
  void error.stack;
  Object.defineProperty(error, "name", { value: name, enumerable: false, writable: true, configurable: true });
  error.code = code;
  Object.defineProperty(error, "toString", {
    value: () => `${name} [${code}]: ${message}`,
    enumerable: false,
    writable: true,
    configurable: true,
  });
  return error;
}

/** What a value is, as Node tells it: `Received type string ('80')`, `Received an instance of Map`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const shown = inspect(value, { colors: false });
  return `type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`;
}

function list(items: readonly string[], word: string): string {
  if (items.length <= 2) return items.join(` ${word} `);
  return `${items.slice(0, -1).join(", ")}, ${word} ${items[items.length - 1]}`;
}

/** @param expected names of primitive types in lower case, of classes as they are written */
export function invalidArgType(name: string, expected: string | readonly string[], value: unknown): Error {
  const all = typeof expected === "string" ? [expected] : expected;
  const types = all.filter((each) => each[0] === each[0].toLowerCase());
  const classes = all.filter((each) => each[0] !== each[0].toLowerCase());
  const parts: string[] = [];
  if (types.length > 0) parts.push(`${types.length > 1 ? "one of type" : "of type"} ${list(types, "or")}`);
  if (classes.length > 0) parts.push(`an instance of ${list(classes, "or")}`);
  const subject = name.endsWith(" argument") ? `The ${name}` : `The "${name}" ${name.includes(".") ? "property" : "argument"}`;
  return coded(TypeError, "ERR_INVALID_ARG_TYPE", `${subject} must be ${parts.join(" or ")}. Received ${describe(value)}`);
}

export function invalidArgValue(name: string, value: unknown, reason = "is invalid"): Error {
  const shown = inspect(value);
  const kind = name.includes(".") ? "property" : "argument";
  const message = `The ${kind} '${name}' ${reason}. Received ${shown.length > 128 ? `${shown.slice(0, 128)}...` : shown}`;
  return coded(TypeError, "ERR_INVALID_ARG_VALUE", message);
}

export function outOfRange(name: string, range: string, value: unknown): Error {
  const isBig = typeof value === "number" && Number.isInteger(value) && Math.abs(value) > 2 ** 32;
  const shown = isBig ? String(value).replace(/\B(?=(\d{3})+$)/g, "_") : inspect(value);
  return coded(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`);
}

export function badPort(name: string, value: unknown, allowZero: boolean): Error {
  return coded(
    RangeError,
    "ERR_SOCKET_BAD_PORT",
    `${name} should be ${allowZero ? ">=" : ">"} 0 and < 65536. Received ${describe(value)}.`,
  );
}

export function missingArgs(...names: readonly string[]): Error {
  const quoted = names.map((name) => `"${name}"`);
  const subject =
    quoted.length === 2 ? `${quoted[0]} and ${quoted[1]} arguments` : `${list(quoted, "and")} argument${quoted.length > 1 ? "s" : ""}`;
  return coded(TypeError, "ERR_MISSING_ARGS", `The ${subject} must be specified`);
}

/** Like `missingArgs`, when one of several would do. */
export function missingOneOf(...names: readonly string[]): Error {
  const quoted = names.map((name) => `"${name}"`);
  return coded(TypeError, "ERR_MISSING_ARGS", `The ${quoted.join(" or ")} argument must be specified`);
}

/** Errors whose message never changes, by code. */
const FIXED: Readonly<Record<string, readonly [Constructor, string]>> = {
  ERR_SERVER_ALREADY_LISTEN: [Error, "Listen method has been called more than once without closing."],
  ERR_SERVER_NOT_RUNNING: [Error, "Server is not running."],
  ERR_SOCKET_ALREADY_BOUND: [Error, "Socket is already bound"],
  ERR_SOCKET_BAD_BUFFER_SIZE: [TypeError, "Buffer size must be a positive integer"],
  ERR_SOCKET_BAD_TYPE: [TypeError, "Bad socket type specified. Valid types are: udp4, udp6"],
  ERR_SOCKET_CLOSED: [Error, "Socket is closed"],
  ERR_SOCKET_CLOSED_BEFORE_CONNECTION: [Error, "Socket closed before the connection was established"],
  ERR_SOCKET_CONNECTION_TIMEOUT: [Error, "Socket connection timeout"],
  ERR_SOCKET_DGRAM_IS_CONNECTED: [Error, "Already connected"],
  ERR_SOCKET_DGRAM_NOT_CONNECTED: [Error, "Not connected"],
  ERR_SOCKET_DGRAM_NOT_RUNNING: [Error, "Not running"],
};

export function fixedError(code: keyof typeof FIXED & string): Error {
  const [Base, message] = FIXED[code];
  return coded(Base, code, message);
}

export function invalidIpAddress(value: unknown): Error {
  return coded(TypeError, "ERR_INVALID_IP_ADDRESS", `Invalid IP address: ${String(value)}`);
}

export function invalidAddressFamily(family: unknown, host: string, port: number): Error {
  const error = coded(RangeError, "ERR_INVALID_ADDRESS_FAMILY", `Invalid address family: ${String(family)} ${host}:${port}`);
  return Object.assign(error, { host, port });
}

export function invalidFdType(type: string): Error {
  return coded(TypeError, "ERR_INVALID_FD_TYPE", `Unsupported fd type: ${type}`);
}

/** Node's `SystemError`, which tells a failed call of libuv's in `info`. */
export function socketBufferSize(code: string, call: "recv" | "send"): Error {
  const [errno, [, message]] = [...getSystemErrorMap()].find(([, [each]]) => each === code) as [number, [string, string]];
  const syscall = `uv_${call}_buffer_size`;
  const error = coded(Error, "ERR_SOCKET_BUFFER_SIZE", `Could not get or set buffer size: ${syscall} returned ${code} (${message})`);
  Object.defineProperty(error, "name", { value: "SystemError", enumerable: false, writable: true, configurable: true });
  const info = { errno, code, message, syscall };
  return Object.defineProperties(Object.assign(error, { info }), {
    errno: { get: () => info.errno, enumerable: true, configurable: true },
    syscall: { get: () => info.syscall, enumerable: true, configurable: true },
  });
}

export function bufferOutOfBounds(name: string): Error {
  return coded(RangeError, "ERR_BUFFER_OUT_OF_BOUNDS", `"${name}" is outside of buffer bounds`);
}

/** What this package cannot do, and why, in the shape of Node's errors. */
export function notSupported(what: string): Error {
  return coded(
    Error,
    "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM",
    `The feature ${what} is unavailable on a netstrata stack, which has neither files nor processes`,
  );
}

export function abortError(signal: AbortSignal): Error {
  const error: NodeJS.ErrnoException = new Error("The operation was aborted", { cause: signal.reason });
  error.code = "ABORT_ERR";
  error.name = "AbortError";
  return error;
}
