// A queue that stays fast however long it is: `Array.shift` moves everything that stands behind.

/** Dead places at the front are cut off when there are this many, and as many living ones at most. */
const COMPACT_AT = 64;

export class Fifo<Item> {
  private items: (Item | undefined)[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  peek(): Item | undefined {
    return this.items[this.head];
  }

  push(item: Item): void {
    this.items.push(item);
  }

  shift(): Item | undefined {
    if (this.head === this.items.length) return undefined;
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head === this.items.length) this.clear();
    else if (this.head >= COMPACT_AT && this.head * 2 >= this.items.length) this.compact();
    return item;
  }

  /** Takes one out of the middle. */
  remove(item: Item): void {
    const index = this.items.indexOf(item, this.head);
    if (index >= 0) this.items.splice(index, 1);
  }

  some(isWanted: (item: Item) => boolean): boolean {
    for (let index = this.head; index < this.items.length; index += 1) if (isWanted(this.items[index] as Item)) return true;
    return false;
  }

  clear(): void {
    this.items.length = 0;
    this.head = 0;
  }

  /** Empties it into a list of the caller's. */
  takeAll(): Item[] {
    const items = this.items.slice(this.head) as Item[];
    this.clear();
    return items;
  }

  private compact(): void {
    this.items.splice(0, this.head);
    this.head = 0;
  }
}
