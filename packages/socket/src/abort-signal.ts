// Abort signals, listened to no longer than needed.

/**
 * Calls `abort` with the signal's reason when it fires, or at once when it has fired.
 * @returns a function that stops listening
 */
export function onAbort(signal: AbortSignal | undefined, abort: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  const listener = (): void => abort(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener, { once: true });
  return () => signal.removeEventListener("abort", listener);
}
