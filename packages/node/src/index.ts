// @netstrata/node: what Node programs import instead of `node:net`, `node:dgram` and `node:dns`.

export { attachServer } from "./attach-server.ts";
export { createDgram, type StackDgram } from "./dgram.ts";
export { createDns, type StackDns } from "./dns.ts";
export {
  connectHttp2,
  connectTls,
  createHttp2SecureServer,
  createHttp2Server,
  createHttpServer,
  createHttpsServer,
  createTlsServer,
  HttpAgent,
  HttpsAgent,
  undiciConnector,
} from "./http.ts";
export { createNet, type StackNet } from "./net.ts";
export { type Patch, patchNet } from "./patch-net.ts";
