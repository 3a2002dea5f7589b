import { expect, test } from "vitest";
import { HELP, readOptions, UsageError } from "../src/options.ts";
import { SUBJECTS } from "../src/subjects.ts";

test("without options all subjects are compared", () => {
  expect(readOptions([], SUBJECTS)).toMatchObject({ action: "compare", subjects: SUBJECTS, json: false });
});

test("--quick takes fewer and shorter samples", () => {
  const usual = readOptions([], SUBJECTS);
  const quick = readOptions(["--quick"], SUBJECTS);
  expect(quick.rounds * quick.sampleTime).toBeLessThan(usual.rounds * usual.sampleTime);
  expect(quick.warmUpTime).toBeLessThan(usual.warmUpTime);
});

test("--only chooses by a part of the name, and may be given again", () => {
  const { subjects } = readOptions(["--only", "udp-64", "--only", "ping-pong-core-1500"], SUBJECTS);
  expect(subjects.map(({ name }) => name)).toEqual([
    "ping-pong-core-1500",
    "udp-64-core-1500",
    "udp-64-promises-1500",
    "udp-64-core-65535",
    "udp-64-promises-65535",
  ]);
});

test("numbers given outweigh --quick", () => {
  const args = ["--quick", "--rounds", "15", "--sample-time", "20", "--warm-up-time", "0"];
  expect(readOptions(args, SUBJECTS)).toMatchObject({ rounds: 15, sampleTime: 20, warmUpTime: 0 });
});

test.each([
  [["--rounds", "0"], /at least 1/],
  [["--rounds", "many"], /whole number/],
  [["--rounds", "1.5"], /whole number/],
  [["--sample-time", "-1"], /--sample-time/],
  [["--only", "pigeon"], /no subject is called pigeon/],
  [["--fast"], /--fast/],
  [["bulk"], /bulk/],
])("%s is refused in one line", (args, message) => {
  expect(() => readOptions(args, SUBJECTS)).toThrow(UsageError);
  expect(() => readOptions(args, SUBJECTS)).toThrow(message);
});

test("the help names every option", () => {
  for (const name of ["quick", "only", "rounds", "sample-time", "warm-up-time", "json", "profile", "against", "list", "help"]) {
    expect(HELP).toContain(`--${name}`);
  }
});
