// Writes docs/architecture.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { diagramPath, drawArchitecture } from "./diagram.ts";
import { readRepository } from "./repository.ts";

const root = resolve(import.meta.dirname, "../../..");
const path = join(root, diagramPath);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, drawArchitecture(readRepository(root)));
process.stderr.write(`wrote ${diagramPath}\n`);
