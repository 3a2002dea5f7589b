import { constants } from "node:os";
import { expect, test } from "vitest";
import { type Errno, errnoNumber, LINUX_ERRNO, SystemError } from "../src/index.ts";

const CODES = (Object.keys(LINUX_ERRNO) as Errno[]).filter((code) => code in constants.errno);

test.runIf(process.platform === "linux")("numbers are Linux's, negative as in Node", () => {
  for (const code of CODES) {
    const number = (constants.errno as Record<string, number>)[code];
    expect([code, new SystemError(code, "x").errno, errnoNumber(code)]).toEqual([code, -number, number]);
  }
  expect(errnoNumber(undefined)).toBe(0);
});

test("messages and properties are as Node's", () => {
  const error = new SystemError("ECONNREFUSED", "connect", { address: "10.0.0.1", port: 80 });
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toBe("Error: connect ECONNREFUSED 10.0.0.1:80");
  expect(error).toMatchObject({ code: "ECONNREFUSED", errno: -111, syscall: "connect", address: "10.0.0.1", port: 80 });
  expect(new SystemError("EINVAL", "bind", { address: "::1", port: 80 }).message).toBe("bind EINVAL [::1]:80");
  expect(new SystemError("ENOTFOUND", "getaddrinfo", { address: "example.com" }).message).toBe("getaddrinfo ENOTFOUND example.com");
  const bare = new SystemError("EPIPE", "write");
  expect([bare.message, Object.keys(bare)]).toEqual(["write EPIPE", ["code", "errno", "syscall"]]);
  expect(new SystemError("EINVAL", "listen", { detail: "why" }).message).toBe("listen EINVAL: why");
});
