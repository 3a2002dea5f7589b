// Failures that nobody awaits: Node ends a process for one rejection that is handled nowhere, and a failed connection is no reason to.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Socket } from "../src/index.ts";
import { turn } from "../src/index.ts";
import { twoStacks } from "./two-stacks.ts";

const unhandled: unknown[] = [];
const record = (reason: unknown): void => void unhandled.push(reason);
let others: NodeJS.UnhandledRejectionListener[] = [];

beforeEach(() => {
  // Vitest's own listener would fail the run; here the finding is the test's.
  others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", record);
});

afterEach(() => {
  process.off("unhandledRejection", record);
  for (const listener of others) process.on("unhandledRejection", listener);
});

/** What Node would have ended the process for. */
async function findings(): Promise<unknown[]> {
  for (let count = 0; count < 3; count += 1) await turn();
  return unhandled.splice(0);
}

/** Everything that a socket makes for somebody who then looks at none of it. */
function ignore(socket: Socket): void {
  void socket.opened;
  void socket.closed;
  socket.readable.getReader();
  socket.writable.getWriter();
  void socket.closeWrite();
}

test("this test would see one", async () => {
  void Promise.reject(new Error("seen"));
  expect(await findings()).toEqual([new Error("seen")]);
});

test("connections that are refused, unreachable, unresolvable, aborted, reset, or gone with their stack", async () => {
  const { client, server, run, sleep } = twoStacks();
  await run(async () => {
    const controller = new AbortController();
    const listener = server.listen({ port: 80 });
    for (const address of ["10.0.0.2:81", "192.0.2.1:80", "nowhere.example:80"]) ignore(client.connect(address));
    ignore(client.connect("10.0.0.2:80", { signal: AbortSignal.abort() }));
    const aborted = client.connect("10.0.0.2:80", { signal: controller.signal });
    const reset = client.connect("10.0.0.2:80");
    const left = client.connect("10.0.0.2:80");
    for (const socket of [aborted, reset, left]) ignore(socket);
    void client.connect("10.0.0.2:80").close();
    const peers = [await listener.accept(), await listener.accept(), await listener.accept()];
    for (const peer of peers) ignore(peer);
    controller.abort();
    peers[1].abort();
    await sleep(100);
    await client.close();
    await sleep(100);
  });
  expect(await findings()).toEqual([]);
});

test("accepts and receives that wait when their owner closes", async () => {
  const { server, run } = twoStacks();
  await run(async () => {
    const listener = server.listen({ port: 80 });
    void listener.accept();
    void listener.closed;
    const socket = server.udp();
    void socket.receive();
    void listener.close();
    void socket.close("no more");
    const others = [server.listen(), server.udp()] as const;
    void others[0].accept();
    void others[1].receive();
    await server.close();
  });
  expect(await findings()).toEqual([]);
});
