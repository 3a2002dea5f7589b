// What all connections of a stack hold together, and what happens when it is much: growth ends, windows stay small, and at last
// nothing more is taken in. Every connection keeps a little, so that each can go on (RFC 9293 leaves memory to the implementation).

/** In octets of text, sent or received. The order is low, pressure, high. */
export interface MemoryLimit {
  /** Pressure ends when less than this is held. @default 192 MiB */
  readonly low?: number;
  /** Beyond this no buffer grows, and windows open by a few segments only. @default 256 MiB */
  readonly pressure?: number;
  /** Beyond this what arrives is dropped, and `send` takes nothing, but for `MEMORY_FLOOR`. @default 384 MiB */
  readonly high?: number;
}

const MEBI = 2 ** 20;
export const DEFAULT_MEMORY_LIMIT: Required<MemoryLimit> = { low: 192 * MEBI, pressure: 256 * MEBI, high: 384 * MEBI };
/** So much each connection may hold, each way, whatever the others do. In octets. */
export const MEMORY_FLOOR = 4096;

export class MemoryAccount {
  /** Octets held now. */
  used = 0;
  underPressure = false;
  readonly limit: Required<MemoryLimit>;
  private readonly onChange: (underPressure: boolean) => void;

  /** @param onChange told when pressure begins and ends. Throws a RangeError for limits out of order. */
  constructor(limit: MemoryLimit, onChange: (underPressure: boolean) => void) {
    const { low, pressure, high } = (this.limit = { ...DEFAULT_MEMORY_LIMIT, ...limit });
    if (!(low >= 0 && low <= pressure && pressure <= high))
      throw new RangeError(`memoryLimit ${low}, ${pressure}, ${high}: not in rising order`);
    this.onChange = onChange;
  }

  get isFull(): boolean {
    return this.used > this.limit.high;
  }

  change(octets: number): void {
    this.used += octets;
    const isPressed = this.underPressure ? this.used >= this.limit.low : this.used > this.limit.pressure;
    if (isPressed === this.underPressure) return;
    this.underPressure = isPressed;
    this.onChange(isPressed);
  }
}
