// Reads what .ci/run left in a folder, names what failed, and prints the one line that sums it up.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const sum = { passed: 0, failed: 0, skipped: 0 };

for (const [name, code] of rows("steps.tsv")) {
  if (code === "0") sum.passed++;
  else fail(`${name}: exit code ${code}`);
}

for (const [name, code] of rows("suites.tsv")) {
  const failedBefore = sum.failed;
  const report = read(`${name}.json`);
  if (report === undefined) fail(`${name}: vitest left no report (exit code ${code})`);
  else for (const file of report.testResults) countFile(name, file);
  // An unhandled error or a timeout fails the run without failing a test.
  if (code !== "0" && sum.failed === failedBefore) fail(`${name}: exit code ${code}, though no test failed`);
}

if (sum.passed + sum.failed === 0) fail("nothing ran");

process.stdout.write(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped\n`);
process.exitCode = sum.failed === 0 ? 0 : 1;

function countFile(suite, file) {
  for (const test of file.assertionResults) {
    if (test.status === "passed") sum.passed++;
    else if (test.status === "failed") fail(`${suite}: ${relative(file.name)} > ${test.fullName}`);
    else sum.skipped++;
  }
  // A file that does not even load has no tests to blame.
  if (file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")) {
    fail(`${suite}: ${relative(file.name)}: ${file.message?.split("\n")[0] ?? "did not load"}`);
  }
}

function fail(what) {
  sum.failed++;
  process.stdout.write(`FAILED ${what}\n`);
}

function rows(name) {
  const path = join(folder, name);
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

function read(name) {
  try {
    return JSON.parse(readFileSync(join(folder, name), "utf8"));
  } catch {
    return undefined;
  }
}

function relative(path) {
  return path.startsWith(`${process.cwd()}/`) ? path.slice(process.cwd().length + 1) : path;
}
