// What the user has to know of a command that cannot be carried out.

/** Said in one line on stderr; the exit code is 2, as for all trouble. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}
