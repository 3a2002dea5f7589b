// Errors as Node's own sockets throw them: a POSIX code, its negative Linux number, the call, the address.
import type { ErrorCode } from "@netstrata/core";
import { type Errno, LINUX_ERRNO } from "./posix/errno.ts";

/** The codes of the layers and of the POSIX calls, and the one of name look-up. */
export type SystemErrorCode = ErrorCode | Errno | "ENOTFOUND";

/** libuv's. */
const ENOTFOUND = -3008;

/** What an error is about; added to its message and to its properties. */
export interface ErrorSubject {
  readonly address?: string;
  readonly port?: number;
  /** Why, in words, where the code alone would leave a person guessing. */
  readonly detail?: string;
}

/** `connect ECONNREFUSED 10.0.0.1:80` */
export class SystemError extends Error {
  readonly code: SystemErrorCode;
  /** Negative, as in Node. */
  readonly errno: number;
  /** The call that failed: "connect", "bind", "read" … */
  readonly syscall: string;
  // Declared only: an error that is about no address has no such property.
  declare readonly address?: string;
  declare readonly port?: number;

  constructor(code: SystemErrorCode, syscall: string, subject: ErrorSubject = {}) {
    const { address, port, detail } = subject;
    const host = address?.includes(":") && port !== undefined ? `[${address}]` : address;
    const where = host === undefined ? "" : port === undefined ? ` ${host}` : ` ${host}:${port}`;
    super(`${syscall} ${code}${where}${detail === undefined ? "" : `: ${detail}`}`);
    this.code = code;
    this.errno = code === "ENOTFOUND" ? ENOTFOUND : -LINUX_ERRNO[code];
    this.syscall = syscall;
    if (address !== undefined) this.address = address;
    if (port !== undefined) this.port = port;
  }
}
