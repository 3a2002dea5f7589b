#!/usr/bin/env node
// Writes docs/goodput.md and its plots.
import { mkdirSync, writeFileSync } from "node:fs";
import { bbrCurves, cubicCurves, sharingCurves } from "./curves.ts";
import { goodputDocument } from "./document.ts";

const DOCS = new URL("../../../../docs/", import.meta.url);
mkdirSync(new URL("plots/", DOCS), { recursive: true });
writeFileSync(new URL("plots/cubic.svg", DOCS), cubicCurves());
writeFileSync(new URL("plots/bbr.svg", DOCS), bbrCurves());
writeFileSync(new URL("plots/sharing.svg", DOCS), sharingCurves());
writeFileSync(new URL("goodput.md", DOCS), goodputDocument());
