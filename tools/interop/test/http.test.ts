// HTTP both ways: the kernel's clients and our server, our client and servers on the kernel.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf, pattern } from "../src/calls/digest.ts";
import { PAGE } from "../src/calls/http.ts";
import { HostPair, KERNEL, MODES, OURS, PAIR } from "./harness/host-pair.ts";
import { describeWith, testWith } from "./harness/requirements.ts";
import { TemporaryFolder } from "./harness/temporary-folder.ts";

const OURS_80 = { address: OURS, port: 80 };
const KERNEL_80 = { address: KERNEL, port: 80 };
const SEVERAL_WINDOWS = 3_000_000;

describeWith(PAIR, "HTTP", () => {
  describe.each(MODES)("over %s", (mode) => {
    let pair: HostPair;
    beforeEach(async () => {
      pair = await HostPair.open({ mode });
    });
    afterEach(() => pair.close());

    async function curl(...options: string[]): Promise<string> {
      const { code, stdout, stderr } = await pair.network.run("curl", "--silent", "--show-error", "--fail", "--max-time", "60", ...options);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout;
    }

    describeWith(["curl"], "curl and our server", () => {
      beforeEach(() => pair.ours.call("serve", { service: "http", port: 80 }));

      test("it gets a page", async () => {
        expect(await curl(`http://${OURS}/`)).toBe(PAGE);
      });

      test("three requests over one connection", async () => {
        expect(await curl(`http://${OURS}/`, `http://${OURS}/`, `http://${OURS}/octets/0`)).toBe(PAGE + PAGE);
        expect(await pair.ours.event("served")).toMatchObject({ service: "http", requests: 3 });
      });

      test("a large page arrives whole", async () => {
        const { stdout } = await pair.network.run("sh", "-c", `curl --silent http://${OURS}/octets/${SEVERAL_WINDOWS} | sha256sum`);
        expect(stdout).toContain(digestOf(pattern(SEVERAL_WINDOWS)).sha256);
      });

      test("what it uploads arrives whole", async () => {
        using folder = new TemporaryFolder();
        const path = folder.write("upload", pattern(SEVERAL_WINDOWS));
        const { octets, sha256 } = digestOf(pattern(SEVERAL_WINDOWS));
        expect(await curl("--upload-file", path, `http://${OURS}/`)).toBe(`${octets} ${sha256}\n`);
      });

      test("no such page: the error is HTTP's, the connection is in order", async () => {
        const { code, stderr } = await pair.network.run("curl", "--silent", "--show-error", "--fail", `http://${OURS}/nowhere`);
        expect({ code, stderr }).toMatchObject({ code: 22, stderr: expect.stringContaining("404") as string });
        expect(await pair.ours.event("served")).toMatchObject({ requests: 1 });
      });
    });

    testWith(["python3"], "our client gets a page from Python's server", async () => {
      using folder = new TemporaryFolder();
      folder.write("page", pattern(SEVERAL_WINDOWS));
      const python = pair.network.start("python3", "-u", "-m", "http.server", "--directory", folder.path, "80");
      await python.line((line) => line.startsWith("Serving HTTP"));
      expect(await pair.ours.call("get", { to: KERNEL_80, path: "/page" })).toEqual({ status: 200, ...digestOf(pattern(SEVERAL_WINDOWS)) });
      expect(await pair.ours.call("get", { to: KERNEL_80, path: "/nowhere" })).toMatchObject({ status: 404 });
    });

    const many = { path: "/octets/20000", count: 200 };
    const answers = Array.from({ length: many.count }, () => ({ status: 200, ...digestOf(pattern(20_000)) }));

    test("200 connections of the kernel's at once", async () => {
      await pair.ours.call("serve", { service: "http", port: 80 });
      expect(await pair.kernel.call("getMany", { to: OURS_80, ...many })).toEqual({ answers });
    });

    test("200 connections of ours at once", async () => {
      await pair.kernel.call("serve", { service: "http", port: 80 });
      expect(await pair.ours.call("getMany", { to: KERNEL_80, ...many })).toEqual({ answers });
    });
  });
});
