// @netstrata/testing/node: everything of @netstrata/testing, and scripts in files.
export * from "./index.ts";
export * from "./node/drill-file.ts";
