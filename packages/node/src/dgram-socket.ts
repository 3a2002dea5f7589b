// `dgram.Socket` over a netstrata stack (Node documentation, "Class: dgram.Socket").
import { EventEmitter } from "node:events";
import { isIP } from "node:net";
import { IPV4_ANY, isIpv4, isMulticast, parseIp } from "@netstrata/core";
import type { Stack } from "@netstrata/socket";
import { sliceMessage, toList } from "./dgram-message.ts";
import type { EventLoopHold } from "./event-loop-hold.ts";
import { formatEndpoint, LOOPBACKS, type NodeAddress, toEndpoint } from "./node-address.ts";
import { fixedError, missingArgs, notSupported, socketBufferSize } from "./node-error.ts";
import type { Callback } from "./normalize-args.ts";
import { addressException, systemException } from "./system-exception.ts";
import { requireNumber, requireString, toPort } from "./validate.ts";

type UdpService = Stack["layers"]["udp"];
type UdpEndpoint = Exclude<ReturnType<UdpService["bind"]>, string>;
type UdpUser = UdpEndpoint["user"];
type Endpoint = UdpEndpoint["local"];
export type DgramLookup = (
  hostname: string,
  family: number,
  callback: (error: Error | null, address?: string, family?: number) => void,
) => void;

export interface DgramOptions {
  type?: "udp4" | "udp6";
  reuseAddr?: boolean;
  reusePort?: boolean;
  ipv6Only?: boolean;
  recvBufferSize?: number;
  sendBufferSize?: number;
  lookup?: DgramLookup;
  signal?: AbortSignal;
  receiveBlockList?: { check(address: string, family: string): boolean };
  sendBlockList?: { check(address: string, family: string): boolean };
}

type SendCallback = (error: Error | null, bytes?: number) => void;
type Bindable = "unbound" | "binding" | "bound";
type Connectable = "disconnected" | "connecting" | "connected";

/** What belongs to a socket and is nobody else's business. */
export interface DgramInside {
  endpoint: UdpEndpoint | undefined;
  isClosed: boolean;
  bindState: Bindable;
  connectState: Connectable;
  /** Calls that wait for the socket to be bound. */
  queue: (() => void)[] | undefined;
  readonly hold: EventLoopHold;
  readonly options: DgramOptions;
  readonly lookup: DgramLookup;
  receiveBuffer: number;
  sendBuffer: number;
  timeToLive: number | undefined;
  multicastTimeToLive: number;
  multicastLoopback: boolean;
  broadcast: boolean;
  sending: number;
  sendingCount: number;
  readonly groups: Set<string>;
}

export class DgramSocket extends EventEmitter implements UdpUser {
  declare _stack: Stack;
  declare _inside: DgramInside;
  declare type: "udp4" | "udp6";

  // Binding

  bind(...args: unknown[]): this {
    const own = this._inside;
    this.requireRunning();
    if (own.bindState !== "unbound") throw fixedError("ERR_SOCKET_ALREADY_BOUND");
    own.bindState = "binding";
    const last = args[args.length - 1];
    if (typeof last === "function") {
      const onListening = (): void => {
        this.removeListener("error", forget);
        (last as Callback).call(this);
      };
      const forget = (): void => {
        this.removeListener("listening", onListening);
      };
      this.once("listening", onListening);
      this.once("error", forget);
    }
    const [first, second] = args;
    let port: unknown = first;
    let address: unknown = typeof second === "function" ? "" : second;
    if (first !== null && typeof first === "object") {
      const options = first as { port?: unknown; address?: unknown; fd?: unknown; recvStart?: unknown };
      if (typeof options.recvStart === "function") throw notSupported("binding to a handle of libuv's");
      if (options.fd !== undefined) throw notSupported("binding to a file descriptor");
      port = options.port;
      address = options.address || "";
    } else if (typeof first === "function") {
      port = 0;
      address = "";
    }
    const host = (address as string) || this.anyAddress;
    own.lookup(host, this.family, (error, ip) => {
      // Closed while the name was looked up.
      if (own.isClosed) return;
      if (error) {
        own.bindState = "unbound";
        this.emit("error", error);
        return;
      }
      this.bindTo(ip as string, Number(port) || 0);
    });
    return this;
  }

  private get family(): 4 | 6 {
    return this.type === "udp6" ? 6 : 4;
  }

  private get anyAddress(): string {
    return this.type === "udp6" ? "::" : "0.0.0.0";
  }

  private get loopbackAddress(): string {
    return this.type === "udp6" ? "::1" : "127.0.0.1";
  }

  private bindTo(address: string, port: number): void {
    const own = this._inside;
    const local = toEndpoint(address, port);
    const { udp } = this._stack.layers;
    const options = {
      reuseAddress: Boolean(own.options.reuseAddr || own.options.reusePort),
      broadcast: own.broadcast,
      ipv6Only: own.options.ipv6Only === true,
    };
    const endpoint = local === undefined ? "EINVAL" : udp.bind(local, this, options);
    if (typeof endpoint === "string") {
      own.bindState = "unbound";
      this.emit("error", addressException(endpoint, "bind", address, port));
      return;
    }
    own.endpoint = endpoint;
    this.applyOptions();
    own.hold.setActive(true);
    own.bindState = "bound";
    this.emit("listening");
  }

  private applyOptions(): void {
    const { endpoint, timeToLive, broadcast } = this._inside;
    endpoint?.set({ broadcast, ...(timeToLive === undefined ? {} : { timeToLive }) });
  }

  /** Runs `action` when the socket is bound, which it becomes now if it is not. */
  private whenBound(action: () => void): void {
    const own = this._inside;
    if (own.bindState === "unbound") this.bind({ port: 0 });
    if (own.bindState === "bound") {
      action();
      return;
    }
    if (own.queue === undefined) {
      own.queue = [];
      const run = (): void => {
        this.removeListener("error", fail);
        const queue = own.queue ?? [];
        own.queue = undefined;
        for (const each of queue) each();
      };
      const fail = (): void => {
        this.removeListener("listening", run);
        own.queue = undefined;
      };
      this.once("listening", run);
      this.prependOnceListener("error", fail);
    }
    own.queue.push(action);
  }

  private requireRunning(): void {
    if (this._inside.isClosed) throw fixedError("ERR_SOCKET_DGRAM_NOT_RUNNING");
  }

  // Connecting

  connect(port: unknown, address?: unknown, callback?: unknown): void {
    const checked = toPort(port, "Port", false);
    const own = this._inside;
    const done = typeof address === "function" ? address : callback;
    const host = typeof address === "function" || !address ? undefined : address;
    this.requireRunning();
    if (own.connectState !== "disconnected") throw fixedError("ERR_SOCKET_DGRAM_IS_CONNECTED");
    own.connectState = "connecting";
    if (own.bindState === "unbound") this.bind({ port: 0 });
    if (done !== undefined) this.once("connect", done as Callback);
    this.whenBound(() => this.connectTo(checked, host as string | undefined, done as Callback | undefined));
  }

  private connectTo(port: number, host: string | undefined, done: Callback | undefined): void {
    const own = this._inside;
    own.lookup(host ?? this.loopbackAddress, this.family, (error, ip) => {
      const { endpoint } = own;
      if (own.isClosed || endpoint === undefined || own.connectState !== "connecting") return;
      const remote = ip === undefined ? undefined : reachable(toEndpoint(ip, port));
      const code = error ? undefined : remote === undefined ? "EINVAL" : endpoint.connect(remote);
      const failure = error ?? (code === undefined ? undefined : addressException(code, "connect", host ?? "", port));
      if (failure) {
        own.connectState = "disconnected";
        process.nextTick(() => {
          if (done === undefined) {
            this.emit("error", failure);
            return;
          }
          this.removeListener("connect", done);
          done(failure);
        });
        return;
      }
      own.connectState = "connected";
      process.nextTick(() => this.emit("connect"));
    });
  }

  disconnect(): void {
    const own = this._inside;
    if (own.connectState !== "connected") throw fixedError("ERR_SOCKET_DGRAM_NOT_CONNECTED");
    const code = own.endpoint?.connect(undefined);
    if (code !== undefined) throw systemException(code, "connect");
    own.connectState = "disconnected";
  }

  // Sending

  /** `send(msg, [offset, length,] [port, [address,]] [callback])` */
  send(message: unknown, ...args: unknown[]): void {
    const own = this._inside;
    const isConnected = own.connectState === "connected";
    let [port, address, callback] = args;
    let payload = message;
    // `offset, length` may stand in front of the rest, which then moves back by two.
    const hasRange = isConnected ? typeof args[1] === "number" : Boolean(args[3]) || (Boolean(args[2]) && typeof args[2] !== "function");
    if (hasRange) {
      payload = sliceMessage(message, args[0], args[1]);
      [, , port, address, callback] = args;
    }
    if (isConnected) {
      if (!hasRange) callback = args[0];
      else if (typeof port === "function") callback = port;
      const named = hasRange ? (typeof port === "function" ? address : port || address) : args[2] || args[3];
      if (named) throw fixedError("ERR_SOCKET_DGRAM_IS_CONNECTED");
    }
    if (typeof address === "function") [address, callback] = [undefined, address];
    const list = toList(payload);
    const remotePort = isConnected ? 0 : toPort(port, "Port", false);
    const done = typeof callback === "function" ? (callback as SendCallback) : undefined;
    if (!isConnected && address !== undefined && address !== null) requireString(address, "address");
    this.requireRunning();
    const bytes = list.length === 1 ? list[0] : Buffer.concat(list);
    this.whenBound(() => {
      if (isConnected) this.transmit(bytes, undefined, undefined, 0, done);
      else this.lookupAndSend(bytes, (address as string) || undefined, remotePort, done);
    });
  }

  sendto(message: unknown, offset: unknown, length: unknown, port: unknown, address: unknown, callback?: unknown): void {
    requireNumber(offset, "offset");
    requireNumber(length, "length");
    requireNumber(port, "port");
    requireString(address, "address");
    this.send(message, offset, length, port, address, callback);
  }

  private lookupAndSend(bytes: Uint8Array, host: string | undefined, port: number, done: SendCallback | undefined): void {
    const own = this._inside;
    own.lookup(host ?? this.loopbackAddress, this.family, (error, ip) => {
      if (error) {
        if (done !== undefined) done(error);
        else this.emit("error", error);
        return;
      }
      if (own.isClosed) return;
      this.transmit(bytes, toEndpoint(ip as string, port), ip, port, done);
    });
  }

  private transmit(
    bytes: Uint8Array,
    to: Endpoint | undefined,
    ip: string | undefined,
    port: number,
    done: SendCallback | undefined,
  ): void {
    const own = this._inside;
    const { endpoint } = own;
    if (endpoint === undefined) return;
    const target = to === undefined ? undefined : reachable(to);
    const isBlocked = ip !== undefined && own.options.sendBlockList?.check(ip, this.family === 6 ? "ipv6" : "ipv4");
    const isGroup = target !== undefined && isMulticast(target.address);
    const code = isBlocked ? "ERR_IP_BLOCKED" : endpoint.send(bytes, target, isGroup ? { timeToLive: own.multicastTimeToLive } : undefined);
    own.sending += bytes.length;
    own.sendingCount += 1;
    setImmediate(() => {
      own.sending -= bytes.length;
      own.sendingCount -= 1;
    });
    if (done === undefined) return;
    if (code === undefined) process.nextTick(done, null, bytes.length);
    else process.nextTick(done, ip === undefined ? systemException(code, "send") : addressException(code, "send", ip, port));
  }

  // From UDP

  received(_endpoint: UdpEndpoint, payload: Uint8Array, from: Endpoint): void {
    const own = this._inside;
    if (own.isClosed) return;
    const remote = formatEndpoint(from);
    if (own.options.receiveBlockList?.check(remote.address, remote.family.toLowerCase())) return;
    const message = Buffer.from(payload);
    // In a turn of its own, as everything that comes from the network.
    process.nextTick(() => {
      if (!own.isClosed) this.emit("message", message, { ...remote, size: message.length });
    });
  }

  failed(_endpoint: UdpEndpoint, code: string): void {
    // What the network says about a datagram of a connected socket comes with the next receive.
    if (this._inside.connectState === "connected") process.nextTick(() => this.emit("error", systemException(code, "recvmsg")));
  }

  // The end

  close(callback?: () => void): this {
    const own = this._inside;
    if (typeof callback === "function") this.on("close", callback);
    if (own.queue !== undefined) {
      own.queue.push(() => this.close());
      return this;
    }
    this.requireRunning();
    own.isClosed = true;
    own.endpoint?.close();
    own.hold.setActive(false);
    process.nextTick(() => this.emit("close"));
    return this;
  }

  disposeAsync(): Promise<void> {
    if (this._inside.isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.close(() => resolve());
    });
  }

  // What is known of it

  address(): NodeAddress {
    this.requireRunning();
    const { endpoint } = this._inside;
    if (endpoint === undefined) throw systemException("EBADF", "getsockname");
    return formatEndpoint(endpoint.local);
  }

  remoteAddress(): NodeAddress {
    this.requireRunning();
    const { endpoint, connectState } = this._inside;
    if (connectState !== "connected" || endpoint?.remote === undefined) throw fixedError("ERR_SOCKET_DGRAM_NOT_CONNECTED");
    return formatEndpoint(endpoint.remote);
  }

  getSendQueueSize(): number {
    return this._inside.sending;
  }

  getSendQueueCount(): number {
    return this._inside.sendingCount;
  }

  // Settings

  setBroadcast(flag: unknown): void {
    this.requireBound("setBroadcast");
    this._inside.broadcast = Boolean(flag);
    this.applyOptions();
  }

  setTTL(ttl: unknown): number {
    requireNumber(ttl, "ttl");
    this.requireBound("setTTL");
    if (!(ttl >= 1 && ttl <= 255)) throw systemException("EINVAL", "setTTL");
    this._inside.timeToLive = ttl;
    this.applyOptions();
    return ttl;
  }

  setMulticastTTL(ttl: unknown): number {
    requireNumber(ttl, "ttl");
    this.requireBound("setMulticastTTL");
    if (!(ttl >= 0 && ttl <= 255)) throw systemException("EINVAL", "setMulticastTTL");
    this._inside.multicastTimeToLive = ttl;
    return ttl;
  }

  setMulticastLoopback(flag: unknown): unknown {
    this.requireBound("setMulticastLoopback");
    this._inside.multicastLoopback = Boolean(flag);
    return flag;
  }

  setMulticastInterface(address: unknown): void {
    this.requireRunning();
    requireString(address, "interfaceAddress");
    const parsed = isIP(address.replace(/%.*$/, "")) === 0 ? undefined : parseIp(address.replace(/%.*$/, ""));
    if (parsed === undefined || isIpv4(parsed) !== (this.type === "udp4") || isMulticast(parsed))
      throw systemException("EINVAL", "setMulticastInterface");
  }

  addMembership(group: unknown, interfaceAddress?: unknown): void {
    if (!group) throw missingArgs("multicastAddress");
    this.requireRunning();
    this.changeMembership("addMembership", group, interfaceAddress, true);
  }

  dropMembership(group: unknown, interfaceAddress?: unknown): void {
    if (!group) throw missingArgs("multicastAddress");
    this.requireRunning();
    this.changeMembership("dropMembership", group, interfaceAddress, false);
  }

  private changeMembership(syscall: string, group: unknown, interfaceAddress: unknown, join: boolean): void {
    const parsed = typeof group === "string" ? parseIp(group) : undefined;
    if (parsed === undefined || !isMulticast(parsed)) throw systemException("EINVAL", syscall);
    if (this._inside.bindState === "unbound") this.bind({ port: 0, exclusive: true });
    const { internet } = this._stack.layers;
    const wanted = typeof interfaceAddress === "string" ? parseIp(interfaceAddress) : undefined;
    for (const each of internet.interfaces) {
      if (wanted !== undefined && wanted !== IPV4_ANY && !each.addresses.some((entry) => entry.address === wanted)) continue;
      if (join) internet.joinGroup(parsed, each);
      else internet.leaveGroup(parsed, each);
    }
  }

  addSourceSpecificMembership(source: unknown, group: unknown, _interfaceAddress?: unknown): void {
    requireString(source, "sourceAddress");
    requireString(group, "groupAddress");
    this.requireRunning();
    this.changeSourceMembership("addSourceSpecificMembership", source, group, true);
  }

  dropSourceSpecificMembership(source: unknown, group: unknown, _interfaceAddress?: unknown): void {
    requireString(source, "sourceAddress");
    requireString(group, "groupAddress");
    this.requireRunning();
    this.changeSourceMembership("dropSourceSpecificMembership", source, group, false);
  }

  private changeSourceMembership(syscall: string, source: string, group: string, join: boolean): void {
    const from = parseIp(source);
    if (from === undefined) throw systemException("EINVAL", syscall);
    this.changeMembership(syscall, group, undefined, join);
  }

  private requireBound(syscall: string): void {
    this.requireRunning();
    if (this._inside.bindState !== "bound") throw systemException("EBADF", syscall);
  }

  setRecvBufferSize(size: unknown): void {
    this._inside.receiveBuffer = this.toBufferSize(size, "recv");
  }

  setSendBufferSize(size: unknown): void {
    this._inside.sendBuffer = this.toBufferSize(size, "send");
  }

  getRecvBufferSize(): number {
    this.requireBuffers("recv");
    return this._inside.receiveBuffer;
  }

  getSendBufferSize(): number {
    this.requireBuffers("send");
    return this._inside.sendBuffer;
  }

  private requireBuffers(call: "recv" | "send"): void {
    if (this._inside.endpoint === undefined) throw socketBufferSize("EBADF", call);
  }

  private toBufferSize(size: unknown, call: "recv" | "send"): number {
    if (typeof size !== "number" || size >>> 0 !== size) throw fixedError("ERR_SOCKET_BAD_BUFFER_SIZE");
    this.requireBuffers(call);
    if (size > 2 ** 31 - 1) throw socketBufferSize("EINVAL", call);
    // Linux doubles what it is asked for, to make room for its own bookkeeping, and Node's users know it so.
    return 2 * size;
  }

  ref(): this {
    this._inside.hold.ref();
    return this;
  }

  unref(): this {
    this._inside.hold.unref();
    return this;
  }
}

/** "This host" as a destination means the loopback. */
function reachable<Target extends Endpoint | undefined>(to: Target): Target {
  const loopback = to === undefined ? undefined : LOOPBACKS.get(to.address);
  return loopback === undefined ? to : { ...to, address: loopback };
}
