// The pcap-parser package has no types of its own. Only what pcap-parser-guard.ts uses is declared.
declare module "pcap-parser" {
  import type { EventEmitter } from "node:events";

  /** What the parser asks of a stream. */
  interface ParserInput extends EventEmitter {
    pause(): unknown;
    resume(): unknown;
  }

  interface PcapParserRecordHeader {
    readonly timestampSeconds: number;
    readonly timestampMicroseconds: number;
    readonly capturedLength: number;
    readonly originalLength: number;
  }

  interface PcapParserPacket {
    readonly header: PcapParserRecordHeader;
    readonly data: Buffer;
  }

  interface Parser extends EventEmitter {
    on(event: "packetHeader", listener: (header: PcapParserRecordHeader) => void): this;
    on(event: "packet", listener: (packet: PcapParserPacket) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
  }

  export function parse(input: ParserInput): Parser;
}
