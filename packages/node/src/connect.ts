// How a socket finds its peer: the address's form, the look-up, and several addresses in turn (RFC 8305, Node's `autoSelectFamily`).
import { getDefaultAutoSelectFamily, getDefaultAutoSelectFamilyAttemptTimeout, isIP } from "node:net";
import { stackDns } from "./dns.ts";
import type { NetSocket } from "./net-socket.ts";
import { type Endpoint, LOOPBACKS, toEndpoint } from "./node-address.ts";
import { fixedError, invalidAddressFamily, invalidArgType, invalidIpAddress } from "./node-error.ts";
import { addressException, type SystemException } from "./system-exception.ts";
import { TcpHandle } from "./tcp-handle.ts";
import { requireBoolean, requireFunction, requireInteger, requireNumber, toPort } from "./validate.ts";

export interface LookupAddress {
  address: string;
  family: number;
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;
export type Lookup = (hostname: string, options: object, callback: LookupCallback) => void;

/** Node waits no less than this for one address before it tries the next, in ms. */
const SHORTEST_ATTEMPT = 10;

interface Target {
  readonly socket: NetSocket;
  /** Which call of `connect` this belongs to: a later one makes it void. */
  readonly attempt: number;
  readonly host: string;
  readonly port: number;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/** Checks what `connect` was given, which throws, and begins; everything else comes by event. */
export function startConnecting(socket: NetSocket, options: Record<string, unknown>): void {
  const { localAddress, localPort } = options;
  const host = (options.host || "localhost") as string;
  if (localAddress && isIP(localAddress as string) === 0) throw invalidIpAddress(localAddress);
  if (localPort) requireNumber(localPort, "options.localPort");
  let port = 0;
  if (options.port !== undefined) {
    if (typeof options.port !== "number" && typeof options.port !== "string") {
      throw invalidArgType("options.port", ["number", "string"], options.port);
    }
    port = toPort(options.port);
  }
  const autoSelect = options.autoSelectFamily ?? getDefaultAutoSelectFamily();
  if (options.autoSelectFamily != null) requireBoolean(options.autoSelectFamily, "options.autoSelectFamily");
  let patience = getDefaultAutoSelectFamilyAttemptTimeout();
  if (options.autoSelectFamilyAttemptTimeout != null) {
    requireInteger(options.autoSelectFamilyAttemptTimeout, "options.autoSelectFamilyAttemptTimeout", 1, 2 ** 31 - 1);
    patience = Math.max(SHORTEST_ATTEMPT, options.autoSelectFamilyAttemptTimeout);
  }
  const target: Target = {
    socket,
    attempt: socket.connectAttempt,
    host,
    port,
    localAddress: localAddress ? (localAddress as string) : undefined,
    localPort: localPort ? (localPort as number) : undefined,
  };
  const version = isIP(host);
  if (version !== 0) {
    process.nextTick(() => {
      if (current(target)) connectTo(target, host);
    });
    return;
  }
  if (options.lookup != null) requireFunction(options.lookup, "options.lookup");
  const lookup = (options.lookup ?? stackDns(socket._stack).lookup) as Lookup;
  const family = options.family === "IPv4" ? 4 : options.family === "IPv6" ? 6 : ((options.family as number) ?? 0);
  const lookupOptions: { family: number; hints: number; all?: boolean } = { family, hints: (options.hints as number) || 0 };
  socket._host = host;
  const several = autoSelect && family !== 4 && family !== 6 && !localAddress;
  if (several) {
    lookupOptions.all = true;
    lookup(host, lookupOptions, (error, addresses) => foundSeveral(target, error, addresses as LookupAddress[], patience));
  } else {
    lookup(host, lookupOptions, (error, address, addressFamily) => found(target, error, address as string, addressFamily));
  }
}

function current(target: Target): boolean {
  return target.socket.isConnecting(target.attempt);
}

function fail(target: Target, error: Error): void {
  process.nextTick(() => {
    if (current(target)) target.socket.finishConnecting(error);
  });
}

function found(target: Target, error: Error | null, address: string, family: number | undefined): void {
  const { socket, host, port } = target;
  socket.emit("lookup", error, address, family, host);
  if (!current(target)) return;
  if (error) fail(target, error);
  else if (isIP(address) === 0) fail(target, invalidIpAddress(address));
  else if (family !== 4 && family !== 6) fail(target, invalidAddressFamily(family, host, port));
  else {
    socket.touch();
    connectTo(target, address);
  }
}

function foundSeveral(target: Target, error: Error | null, addresses: LookupAddress[], patience: number): void {
  const { socket, host, port } = target;
  if (error) {
    socket.emit("lookup", error, undefined, undefined, host);
    if (current(target)) fail(target, error);
    return;
  }
  for (const { address, family } of addresses) socket.emit("lookup", null, address, family, host);
  if (!current(target)) return;
  const usable = addresses.filter(({ address, family }) => isIP(address) !== 0 && (family === 4 || family === 6));
  if (usable.length === 0) {
    const [first] = addresses;
    const { address, family } = first ?? {};
    fail(target, isIP(address ?? "") === 0 ? invalidIpAddress(address) : invalidAddressFamily(family, host, port));
    return;
  }
  socket.touch();
  // RFC 8305 §4: the families in turn, beginning with that of the first.
  const first = usable.filter(({ family }) => family === usable[0].family);
  const second = usable.filter(({ family }) => family !== usable[0].family);
  const ordered: string[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index += 1) {
    if (index < first.length) ordered.push(first[index].address);
    if (index < second.length) ordered.push(second[index].address);
  }
  if (ordered.length === 1) connectTo(target, ordered[0]);
  else tryInTurn(target, ordered, patience);
}

/** Begins one connection; `done` hears how it went. The answer is undefined when it ended before it began. */
function begin(target: Target, handle: TcpHandle, address: string, done: (error: SystemException | undefined) => void): void {
  const { socket, port, localAddress, localPort } = target;
  const remote = toEndpoint(address, port);
  const local = localAddress === undefined ? { port: localPort ?? 0 } : toEndpoint(localAddress, localPort ?? 0);
  const failed = (code: string): SystemException => {
    const isLocal = (localAddress !== undefined || localPort !== undefined) && (code === "EADDRINUSE" || code === "EADDRNOTAVAIL");
    if (isLocal) return addressException(code, "bind", localAddress ?? "", localPort);
    const ours = localAddress && localPort ? `${localAddress}:${localPort}` : undefined;
    return addressException(code, "connect", address, port, ours);
  };
  handle.owner = {
    handleConnected: (code) => done(code === undefined ? undefined : failed(code)),
    handleInput: () => {},
    handleFailed: () => {},
  };
  const taken = localPort !== undefined && local !== undefined ? whyNotBind(socket, local) : undefined;
  if (taken !== undefined) {
    done(failed(taken));
    return;
  }
  // Nobody listens on port 0; the wire is not asked.
  const code = port === 0 ? "ECONNREFUSED" : remote === undefined ? "EINVAL" : handle.open(reachable(remote), { local });
  if (code !== undefined) done(failed(code));
}

/** A port that somebody listens on cannot be connected from. */
function whyNotBind(socket: NetSocket, local: Partial<ReturnType<typeof toEndpoint>>): string | undefined {
  const { tcp } = socket._stack.layers;
  const probe = tcp.listen({ address: local?.address ?? 0, port: local?.port ?? 0 } as never, { acceptable: () => {} });
  if (typeof probe === "string") return probe;
  probe.close();
  return undefined;
}

/** "This host" as a destination means the loopback, as in all systems with sockets. */
function reachable(remote: Endpoint): Endpoint {
  const loopback = LOOPBACKS.get(remote.address);
  return loopback === undefined ? remote : { ...remote, address: loopback };
}

function connectTo(target: Target, address: string): void {
  const { socket } = target;
  const handle = socket._handle as TcpHandle;
  begin(target, handle, address, (error) => {
    if (!current(target)) return;
    if (error !== undefined) {
      socket.finishConnecting(error);
      return;
    }
    handle.owner = socket;
    socket.finishConnecting(undefined);
  });
}

function tryInTurn(target: Target, addresses: readonly string[], patience: number): void {
  const { socket, port } = target;
  const errors: Error[] = [];
  const timer = socket._stack.host.clock.timer(() => timedOut());
  socket.autoSelectFamilyAttemptedAddresses = [];
  let index = -1;
  let handle: TcpHandle | undefined;
  const onClose = (): void => timer.disarm();
  socket.once("close", onClose);

  const timedOut = (): void => {
    if (!current(target)) return;
    const address = addresses[index];
    socket.emit("connectionAttemptTimeout", address, port, isIP(address));
    handle?.reset();
    errors.push(addressException("ETIMEDOUT", "connect", address, port));
    next();
  };
  const next = (): void => {
    timer.disarm();
    if (!current(target)) return;
    index += 1;
    if (index >= addresses.length) {
      socket.off("close", onClose);
      const [first] = errors as SystemException[];
      const all: SystemException = new AggregateError(errors);
      all.code = first?.code;
      socket.finishConnecting(errors.length === 0 ? fixedError("ERR_SOCKET_CONNECTION_TIMEOUT") : all);
      return;
    }
    const address = addresses[index];
    const isLast = index === addresses.length - 1;
    if (index === 0) handle = socket._handle as TcpHandle;
    else {
      handle = new TcpHandle(socket._stack);
      socket.useHandle(handle);
    }
    const mine = handle;
    socket.emit("connectionAttempt", address, port, isIP(address));
    (socket.autoSelectFamilyAttemptedAddresses as string[]).push(`${address}:${port}`);
    if (!isLast) timer.arm(patience);
    begin(target, mine, address, (error) => {
      if (!current(target) || mine !== handle) return;
      timer.disarm();
      if (error !== undefined) {
        errors.push(error);
        socket.emit("connectionAttemptFailed", address, port, isIP(address), error);
        mine.close();
        next();
        return;
      }
      socket.off("close", onClose);
      mine.owner = socket;
      socket.finishConnecting(undefined);
    });
  };
  next();
}
