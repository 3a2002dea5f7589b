// Loops that serve until the stack under them is closed.

/** What waiting calls fail with then: promises with the one, descriptors with the other. */
const CLOSED: ReadonlySet<unknown> = new Set(["ECANCELED", "EBADF"]);

/** Serves again and again, for as long as there is a socket to serve on. */
export async function untilClosed(serveOne: () => Promise<void>): Promise<void> {
  try {
    for (;;) await serveOne();
  } catch (error) {
    if (!CLOSED.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}
