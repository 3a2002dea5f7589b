// What can go wrong while raw sockets are opened, each in one clear line.
import { getSystemErrorMap } from "node:util";

/** Shaped as Node's own system errors. */
export class RawError extends Error {
  override readonly name = "RawError";
  /** A POSIX name such as `EPERM`; `ERR_RAW_PLATFORM` where there is no Linux, `ERR_RAW_MODULE` where raw-socket does not load. */
  readonly code: string;
  /** The call that failed, as `socket`. */
  readonly syscall: string | undefined;

  constructor(code: string, explanation: string, syscall?: string, cause?: unknown) {
    super(`raw: ${code}${syscall === undefined ? "" : ` ${syscall}`}: ${explanation}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.syscall = syscall;
  }
}

/** raw-socket throws what strerror(3) says and forgets the number; Node has the same sentences with their names. */
export function errorCode(error: unknown): string {
  const sentence = error instanceof Error ? error.message.toLowerCase() : "";
  for (const [code, text] of getSystemErrorMap().values()) if (text.toLowerCase() === sentence) return code;
  return "EIO";
}
