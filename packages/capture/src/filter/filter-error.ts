// A filter that cannot be understood, with the place where understanding ended.

/** `message` holds the filter with a caret under the place, on lines of their own. */
export class FilterError extends Error {
  override readonly name = "FilterError";
  readonly text: string;
  /** Index into `text`; its length when something is missing at the end. */
  readonly position: number;

  constructor(what: string, text: string, position: number) {
    const oneLine = text.replace(/\s/g, " ");
    super(`${what}\n  ${oneLine}\n  ${" ".repeat(position)}^`);
    this.text = text;
    this.position = position;
  }
}
