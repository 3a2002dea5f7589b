// Options that make no sense: refused at the call, in words, and before they reach a layer.
import { describe, expect, test } from "vitest";
import { constants as c, createStack, type ListenOptions, type StackOptions } from "../src/index.ts";
import { twoStacks } from "./two-stacks.ts";

const wrong: readonly (readonly [object, string])[] = [
  [{ receiveBuffer: Number.NaN }, "receiveBuffer is an integer from 1 to 1073741824, not NaN"],
  [{ receiveBuffer: "x" }, "not x"],
  [{ sendBuffer: 0 }, "not 0"],
  [{ sendBuffer: 1.5 }, "not 1.5"],
  // A timeout that is not a number would never be over, and one of 0 would be over again and again at one moment.
  [{ userTimeout: Number.NaN }, "userTimeout is a number of at least 1, not NaN"],
  [{ rtoMinimum: 0 }, "not 0"],
  [{ keepAliveInterval: -1 }, "not -1"],
  [{ timeToLive: 256 }, "from 1 to 255, not 256"],
  [{ trafficClass: -1 }, "not -1"],
  [{ maximumSegmentSize: 0 }, "not 0"],
  [{ receiveBufferMaximum: 0 }, "not 0"],
  [{ windowScale: 15 }, "from 0 to 14, not 15"],
  [{ retries: 1.5 }, "retries is an integer of at least 0, not 1.5"],
  [{ synAckRetries: -1 }, "not -1"],
  [{ rtoInitial: 0 }, "not 0"],
  [{ rtoMaximum: Number.NaN }, "not NaN"],
  [{ initialWindow: 0 }, "not 0"],
  [{ maximumPacingRate: 0 }, "not 0"],
  [{ burstSegments: -1 }, "not -1"],
  [{ burstDivisor: 0 }, "not 0"],
  [{ challengeAcks: "many" }, "not many"],
];

describe.each(wrong)("%j", (options, message) => {
  const { client } = twoStacks();
  test.each([
    ["connect", () => client.connect("10.0.0.2:80", options)],
    ["listen", () => client.listen(options as ListenOptions)],
    ["stack", () => createStack({ tcp: options } as StackOptions)],
  ])("%s refuses it", (syscall, call) => {
    expect(call).toThrow(`${syscall} EINVAL: `);
    expect(call).toThrow(message);
    expect([client.openSockets, client.layers.tcp.listenerCount]).toEqual([0, 0]);
  });
});

test("what lasts for ever, and what is absent, is no mistake", async () => {
  const { client, server, run } = twoStacks();
  await run(async () => {
    server.listen({ port: 80, backlog: 0, userTimeout: Number.POSITIVE_INFINITY });
    const socket = client.connect("10.0.0.2:80", {
      userTimeout: Number.POSITIVE_INFINITY,
      sendBuffer: undefined,
      timeWait: 0,
      retries: Number.POSITIVE_INFINITY,
    });
    await socket.opened;
    expect(() => socket.set({ keepAliveIdle: Number.NaN })).toThrow("set EINVAL: keepAliveIdle");
    socket.abort();
  });
});

test("backlogs and the options of datagrams", () => {
  const { client } = twoStacks();
  expect(() => client.listen({ backlog: Number.NaN })).toThrow("listen EINVAL: backlog");
  expect(() => client.udp({ receiveBuffer: -1 })).toThrow("bind EINVAL: receiveBuffer");
  const socket = client.udp();
  expect(() => socket.set({ timeToLive: 0 })).toThrow("set EINVAL: timeToLive");
  expect(() => socket.send(new Uint8Array(1), "10.0.0.2:9", { trafficClass: 300 })).toThrow("send EINVAL: trafficClass");
  const { posix } = client;
  const fd = posix.socket(c.AF_INET, c.SOCK_STREAM);
  posix.bind(fd, { address: "0.0.0.0", port: 80 });
  expect(() => posix.listen(fd, Number.NaN)).toThrow("listen EINVAL");
  // Linux takes any number.
  posix.listen(fd, -1);
});
