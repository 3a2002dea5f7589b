export { CaptureError, type CaptureErrorCode } from "./capture-error.ts";
export * from "./captured-packet.ts";
export * from "./link-type-name.ts";
export type { LongRecords } from "./pcap-header.ts";
export * from "./pcap-writer.ts";
export * from "./pcapng-writer.ts";
export * from "./read-capture.ts";
