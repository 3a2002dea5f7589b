// Node's `http`, `https`, `http2` and `tls` over a stack, through the hooks they document: the event "connection", an Agent, `createConnection`.
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Stack } from "@netstrata/socket";
import { attachServer } from "./attach-server.ts";
import { createNet, type StackNet } from "./net.ts";

const nets: WeakMap<Stack, StackNet> = new WeakMap();

function netOf(stack: Stack): StackNet {
  let net = nets.get(stack);
  if (net === undefined) {
    net = createNet(stack);
    nets.set(stack, net);
  }
  return net;
}

/** `http.createServer` on a stack. */
export function createHttpServer(stack: Stack, options: http.ServerOptions = {}, listener?: http.RequestListener): http.Server {
  return attachServer(netOf(stack), http.createServer(options, listener));
}

/** `https.createServer` on a stack. */
export function createHttpsServer(stack: Stack, options: https.ServerOptions, listener?: http.RequestListener): https.Server {
  return attachServer(netOf(stack), https.createServer(options, listener));
}

/** `http2.createServer` on a stack: HTTP/2 without TLS. */
export function createHttp2Server(stack: Stack, options: http2.ServerOptions = {}): http2.Http2Server {
  return attachServer(netOf(stack), http2.createServer(options));
}

/** `http2.createSecureServer` on a stack. */
export function createHttp2SecureServer(stack: Stack, options: http2.SecureServerOptions): http2.Http2SecureServer {
  return attachServer(netOf(stack), http2.createSecureServer(options));
}

/** `tls.createServer` on a stack. */
export function createTlsServer(stack: Stack, options: tls.TlsOptions, listener?: (socket: tls.TLSSocket) => void): tls.Server {
  return attachServer(netOf(stack), tls.createServer(options, listener));
}

/** `tls.connect` on a stack. */
export function connectTls(stack: Stack, options: tls.ConnectionOptions, onSecure?: () => void): tls.TLSSocket {
  const socket = netOf(stack).connect({ host: options.host, port: options.port }) as Duplex;
  const secure = tls.connect({ ...options, socket }, onSecure);
  // What keeps the socket from connecting is otherwise told to nobody.
  socket.once("error", (error) => secure.destroy(error));
  return secure;
}

/** `http2.connect` on a stack. */
export function connectHttp2(
  stack: Stack,
  authority: string | URL,
  options: http2.SecureClientSessionOptions = {},
): http2.ClientHttp2Session {
  return http2.connect(authority, {
    ...options,
    createConnection: (url) => {
      const secure = url.protocol === "https:";
      const port = Number(url.port || (secure ? 443 : 80));
      const host = url.hostname.replace(/^\[|\]$/g, "");
      if (!secure) return netOf(stack).connect({ host, port });
      return connectTls(stack, { ALPNProtocols: ["h2"], servername: host, ...options, host, port });
    },
  });
}

/** An `http.Agent` whose connections live on a stack: `http.get(url, { agent })`. */
export class HttpAgent extends http.Agent {
  private readonly stack: Stack;

  constructor(stack: Stack, options?: http.AgentOptions) {
    super(options);
    this.stack = stack;
  }

  // Node documents this hook, and its types do not know it.
  override createConnection(options: object): Duplex {
    return netOf(this.stack).connect(options);
  }
}

/** An `https.Agent` whose connections live on a stack. */
export class HttpsAgent extends https.Agent {
  private readonly stack: Stack;

  constructor(stack: Stack, options?: https.AgentOptions) {
    super(options);
    this.stack = stack;
  }

  override createConnection(options: tls.ConnectionOptions): Duplex {
    return connectTls(this.stack, options);
  }
}

interface ConnectorOptions {
  readonly hostname: string;
  readonly port?: string;
  readonly protocol: string;
  readonly servername?: string;
  readonly localAddress?: string | null;
}

/** The `connect` of an undici `Agent` or `Client`; with `new Agent({ connect: undiciConnector(stack) })` its `fetch` runs over the stack. */
export function undiciConnector(
  stack: Stack,
  tlsOptions: tls.ConnectionOptions = {},
): (options: ConnectorOptions, callback: (error: Error | null, socket: Duplex | null) => void) => void {
  return ({ hostname, port, protocol, servername }, callback) => {
    const secure = protocol === "https:";
    const host = hostname.replace(/^\[|\]$/g, "");
    const target = { host, port: Number(port || (secure ? 443 : 80)) };
    const socket: Duplex = secure
      ? connectTls(stack, { ALPNProtocols: ["http/1.1"], servername: servername || host, ...tlsOptions, ...target })
      : netOf(stack).connect({ ...target, noDelay: true });
    const onError = (error: Error): void => callback(error, null);
    socket.once("error", onError);
    socket.once(secure ? "secureConnect" : "connect", () => {
      socket.off("error", onError);
      callback(null, socket);
    });
  };
}
