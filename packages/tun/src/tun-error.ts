// What can go wrong while a TUN or TAP device is opened or configured, each in one clear line.
import { getSystemErrorName } from "node:util";

/** Shaped as Node's own system errors: `code` is a POSIX name, or one of Node's kind where the system was not even asked. */
export class TunError extends Error {
  override readonly name = "TunError";
  /** `EPERM`, `EBUSY`, …; `ERR_TUN_PLATFORM` where there is no Linux, `ERR_TUN_KOFFI` where koffi does not load. */
  readonly code: string;
  /** The call that failed, as `open` or `ioctl(TUNSETIFF)`. */
  readonly syscall: string | undefined;
  /** The interface or file it was about. */
  readonly subject: string;

  constructor(subject: string, code: string, explanation: string, syscall?: string, cause?: unknown) {
    super(`${subject}: ${code}${syscall === undefined ? "" : ` ${syscall}`}: ${explanation}`, cause === undefined ? undefined : { cause });
    this.subject = subject;
    this.code = code;
    this.syscall = syscall;
  }
}

export function systemError(
  subject: string,
  errno: number,
  syscall: string,
  explanations: Readonly<Record<string, string>> = {},
): TunError {
  const code = getSystemErrorName(-errno);
  return new TunError(subject, code, explanations[code] ?? "refused by the kernel", syscall);
}
