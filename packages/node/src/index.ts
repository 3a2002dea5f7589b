// @netstrata/node: what Node programs import instead of `node:net`, `node:dgram` and `node:dns`.
export { createDgram, type StackDgram } from "./dgram.ts";
export { createDns, type StackDns } from "./dns.ts";
export { createNet, type StackNet } from "./net.ts";
