// Ready-made `net`, `dgram` and `dns` on one real-time stack that has nothing but its loopback: 127.0.0.1, ::1 and `localhost`.
import { createStack, type Stack } from "@netstrata/socket";
import { createDgram, type StackDgram } from "./dgram.ts";
import { type StackDns, stackDns } from "./dns.ts";
import { createNet, type StackNet } from "./net.ts";

export const stack: Stack = createStack({ name: "loopback" });
export const net: StackNet = createNet(stack);
export const dns: StackDns = stackDns(stack);
export const dgram: StackDgram = createDgram(stack);
