// The same program in Node and in a browser, with the same findings. In Node it runs from source, in the browser bundled from what is built.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type Bundle, bundle } from "./browser/bundle.ts";
import { visit } from "./browser/chromium.ts";
import type { PageReport } from "./browser/page.ts";
import { type Findings, FORMATS, perform } from "./browser/program.ts";
import { Site } from "./browser/site.ts";
import { describeWith } from "./harness/requirements.ts";

const RECORDING = readFileSync(resolve(import.meta.dirname, "../../../fixtures/http-lossy.pcapng"));

describeWith(["chromium"], "in the browser", () => {
  let page: Bundle;
  let report: PageReport;
  let here: Findings;
  let there: Findings;

  beforeAll(async () => {
    page = await bundle(join(import.meta.dirname, "browser/page.ts"));
    using site = await Site.open({
      "": { type: "text/html", body: '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>' },
      "page.js": { type: "text/javascript", body: page.code },
      recording: { type: "application/octet-stream", body: RECORDING },
    });
    report = JSON.parse(await visit(site)) as PageReport;
    there = report.findings as Findings;
    here = await perform(new Blob([RECORDING]).stream());
  }, 150_000);

  test("the packages bundle without a word about Node", () => {
    expect(page.warnings).toEqual([]);
  });

  test("nothing fails that nobody catches", () => {
    expect(report.errors).toEqual([]);
  });

  test("the README's echo over a lossy wire takes as many simulated milliseconds", () => {
    expect(there.echo.answer).toBe("hello");
    expect(there.echo.times[1]).toBeGreaterThan(there.echo.times[0]);
    expect(there.echo).toEqual(here.echo);
  });

  test.each(FORMATS)("a %s is written the same to the last bit, and read", (format) => {
    expect(there.digests[format]).toBe(here.digests[format]);
    expect(there.lines[format].length).toBeGreaterThan(50);
    expect(there.lines[format]).toEqual(here.lines[format]);
    expect(there.lines[format].join("\n")).toMatch(/Flags \[S\], seq \d+.*\n.*Flags \[S\.\]/);
  });

  test("a conversation recorded elsewhere is replayed", () => {
    expect(there.replay.length).toBeGreaterThan(0);
    expect(there.replay.map(({ verdict }) => verdict)).toEqual(there.replay.map(() => "same"));
    expect(there.replay).toEqual(here.replay);
  });

  test("two stacks talk in real time, through the streams of the web", () => {
    expect(there.streams).toMatchObject({ remoteAddress: "10.0.0.2:7", first: [1, 2, 3], openSockets: 0 });
    expect(there.streams.received).toBe(there.streams.sent);
    expect(there.streams).toEqual(here.streams);
  });
});
