// @netstrata/capture/node: everything of @netstrata/capture, and files.
export * from "./index.ts";
export * from "./node/capture-file.ts";
export * from "./node/open-capture.ts";
