// Where something stands in a script, and what is said of a script that cannot be read.

export interface SourcePlace {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** A complaint about the script's text. It is returned by `parseScript`, never thrown beyond it. */
export class ScriptError extends Error {
  override readonly name: string = "ScriptError";
  readonly line: number;
  readonly column: number;

  constructor(message: string, place: SourcePlace) {
    super(message);
    this.line = place.line;
    this.column = place.column;
  }
}

/** The starts of a text's lines, for turning offsets into places. */
export class SourceText {
  readonly text: string;
  private readonly starts: number[] = [0];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.starts.push(at + 1);
  }

  place(offset: number): SourcePlace {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.starts[low] + 1 };
  }
}
