// A promise and the two ends of it.

export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** A rejection that nobody looks at is not an unhandled one: the promise is one way among several to learn of it. */
  markHandled(): this {
    this.promise.catch(() => {});
    return this;
  }
}

/** Many calls succeed with nothing to say; they share one promise. */
export const DONE: Promise<void> = Promise.resolve();
