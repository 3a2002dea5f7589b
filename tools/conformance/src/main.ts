// Writes docs/conformance.md and docs/node-members.md; says what is wrong with the titles, and fails then.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { problems, readConformance, reportPath, writeReport } from "./conformance-report.ts";
import { compareMembers, membersPath, writeMembers } from "./node-members.ts";

const root = resolve(import.meta.dirname, "../../..");
const conformance = readConformance(root);
const path = join(root, reportPath);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, writeReport(conformance));
process.stderr.write(`wrote ${reportPath}\n`);

writeFileSync(join(root, membersPath), writeMembers(compareMembers()));
process.stderr.write(`wrote ${membersPath}\n`);

const wrong = problems(conformance);
for (const line of wrong) process.stderr.write(`${line}\n`);
if (wrong.length > 0) process.exitCode = 1;
