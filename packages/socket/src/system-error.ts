// Errors as Node's own sockets throw them: a POSIX code, its negative Linux number, the call, the address.
import type { ErrorCode } from "@netstrata/core";

/** The codes of the layers, and the one of name look-up. */
export type SystemErrorCode = ErrorCode | "ENOTFOUND";

/** Linux's numbers (`errno.h`), negated; ENOTFOUND has libuv's. */
const ERRNO: Readonly<Record<SystemErrorCode, number>> = {
  EBADF: -9,
  EAGAIN: -11,
  EACCES: -13,
  EINVAL: -22,
  EMFILE: -24,
  EPIPE: -32,
  ENOTSOCK: -88,
  EDESTADDRREQ: -89,
  EMSGSIZE: -90,
  ENOPROTOOPT: -92,
  EPROTONOSUPPORT: -93,
  EOPNOTSUPP: -95,
  EAFNOSUPPORT: -97,
  EADDRINUSE: -98,
  EADDRNOTAVAIL: -99,
  ENETUNREACH: -101,
  ECONNABORTED: -103,
  ECONNRESET: -104,
  ENOBUFS: -105,
  EISCONN: -106,
  ENOTCONN: -107,
  ETIMEDOUT: -110,
  ECONNREFUSED: -111,
  EHOSTUNREACH: -113,
  EALREADY: -114,
  EINPROGRESS: -115,
  ECANCELED: -125,
  ENOTFOUND: -3008,
};

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
    this.errno = ERRNO[code];
    this.syscall = syscall;
    if (address !== undefined) this.address = address;
    if (port !== undefined) this.port = port;
  }
}

/** Linux's positive number for a code, as SO_ERROR tells it; 0 when there is none. */
export function errnoOf(code: SystemErrorCode | undefined): number {
  return code === undefined ? 0 : -ERRNO[code];
}
