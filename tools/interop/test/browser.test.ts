// The same program in Node and in browsers, with the same findings. In Node it runs from source, in browsers bundled from what is built.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { visit } from "./browser/browsers.ts";
import { bundle } from "./browser/bundle.ts";
import type { PageReport } from "./browser/page.ts";
import { type Findings, FORMATS, perform } from "./browser/program.ts";
import { Site } from "./browser/site.ts";
import { describeWith } from "./harness/requirements.ts";

const RECORDING = readFileSync(resolve(import.meta.dirname, "../../../fixtures/http-lossy.pcapng"));
const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>';

let code: string;
let here: Findings;
beforeAll(async () => {
  code = await bundle(join(import.meta.dirname, "browser/page.ts"));
  here = await perform(new Blob([RECORDING]).stream());
});

for (const browser of ["chromium", "firefox-esr"] as const) {
  describeWith([browser], `${browser}, as Node`, () => {
    let there: Findings;
    beforeAll(async () => {
      using site = await Site.open({
        "": { type: "text/html", body: PAGE },
        "page.js": { type: "text/javascript", body: code },
        recording: { type: "application/octet-stream", body: RECORDING },
      });
      const report = JSON.parse(await visit(browser, site)) as PageReport;
      if ("error" in report) throw new Error(`in ${browser}: ${report.error}`);
      there = report.findings;
    }, 150_000);

    test("takes as many simulated milliseconds for the README's echo over a lossy wire", () => {
      expect(there.echo.answer).toBe("hello");
      expect(there.echo.times[1]).toBeGreaterThan(there.echo.times[0]);
      expect(there.echo).toEqual(here.echo);
    });

    test.each(FORMATS)("writes a %s the same to the last bit, and reads it", (format) => {
      const synAck = / IP 10\.0\.1\.2\.7 > 10\.0\.1\.1\.\d+: Flags \[S\.\], seq \d+, ack \d+,/;
      expect(there.lines[format]).toContainEqual(expect.stringMatching(synAck));
      expect(there.lines[format]).toEqual(here.lines[format]);
      expect(there.digests[format]).toBe(here.digests[format]);
    });

    test("replays a conversation that was recorded elsewhere", () => {
      expect(there.replay.length).toBeGreaterThan(0);
      for (const { verdict } of there.replay) expect(verdict).toBe("same");
      expect(there.replay).toEqual(here.replay);
    });

    test("lets two stacks talk in real time, through the streams of the web", () => {
      expect(there.streams).toMatchObject({ remoteAddress: "10.0.0.2:7", first: [1, 2, 3], openSockets: 0 });
      expect(there.streams.received).toBe(there.streams.sent);
      expect(there.streams).toEqual(here.streams);
    });
  });
}
