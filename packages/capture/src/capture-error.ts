// What can be wrong with a capture file, said with the place where it is wrong.

export type CaptureErrorCode =
  /** The file ends in the middle of its header, of a record or of a block. */
  | "truncated"
  /** The first octets are those of no format we read. */
  | "unknown-format"
  /** The format is right, its version is one that nobody has described. */
  | "unsupported-version"
  /** A record claims more octets than its file's snap length, or than any record may have. */
  | "record-too-long"
  /** A pcapng block's two lengths disagree, or are too small for its type, or not a multiple of 4. */
  | "bad-block"
  /** More interfaces in one pcapng section than any machine has. */
  | "too-many-interfaces"
  /** A pcapng packet names an interface that no block described. */
  | "unknown-interface";

/** How far a reader has come. */
export interface CapturePlace {
  /** As the caller named it. */
  readonly file: string;
  /** The packet that is being read, counted from 1; every packet before it has been delivered. 0 in the file's own header. */
  packetNumber: number;
  /** Where the record, block or header that is being read begins in the file. */
  byteOffset: number;
}

/** Thrown by the readers after they have delivered every whole packet before the fault. */
export class CaptureError extends Error implements Readonly<CapturePlace> {
  override readonly name = "CaptureError";
  readonly code: CaptureErrorCode;
  readonly file: string;
  readonly packetNumber: number;
  readonly byteOffset: number;

  constructor(code: CaptureErrorCode, place: Readonly<CapturePlace>, what: string) {
    const where = place.packetNumber === 0 ? "file header" : `packet ${place.packetNumber}`;
    super(`${place.file}: ${where} at byte ${place.byteOffset}: ${what}`);
    this.code = code;
    this.file = place.file;
    this.packetNumber = place.packetNumber;
    this.byteOffset = place.byteOffset;
  }
}
