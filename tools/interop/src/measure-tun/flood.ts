// Sends UDP toward the device as fast as the kernel can: 40 datagrams in a call, cut by the kernel (UDP_SEGMENT, Linux 4.18).
// Usage: node flood.js LENGTH MILLISECONDS, where LENGTH is that of each IP datagram
import { load } from "koffi";
import { OURS, PORT } from "./addresses.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const DATAGRAMS = 40;

const program = load(null);
const socket = program.func("int socket(int family, int type, int protocol)");
const connect = program.func("int connect(int socket, void *address, int length)");
const setsockopt = program.func("int setsockopt(int socket, int level, int option, void *value, int length)");
const send = program.func("intptr_t send(int socket, void *bytes, size_t length, int flags)");

const [length, milliseconds] = process.argv.slice(2).map(Number);
const descriptor = socket(AF_INET, SOCK_DGRAM, 0);
const address = Uint8Array.from([AF_INET, 0, PORT >>> 8, PORT & 0xff, ...OURS.split(".").map(Number), 0, 0, 0, 0, 0, 0, 0, 0]);
if (connect(descriptor, address, address.length) !== 0) throw new Error("no route to the device");
const payload = length - 28;
setsockopt(descriptor, SOL_UDP, UDP_SEGMENT, new Int32Array([payload]), 4);
const bytes = new Uint8Array(payload * DATAGRAMS);
const end = performance.now() + milliseconds;
while (performance.now() < end) for (let call = 0; call < 100; call += 1) send(descriptor, bytes, bytes.length, 0);
