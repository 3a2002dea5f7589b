// What a benchmark sets side by side: a work, and two contenders that do it by different means.

/** A contender that is set up and waits for work. */
export interface Contender {
  /** Does `amount` units of its work. A contender that needs no event loop returns when it is done. */
  run(amount: number): void | Promise<void>;
  close(): void | Promise<void>;
}

/** The work that both contenders of a subject do. */
export interface Work {
  readonly title: string;
  /** Of what an amount is a number. */
  readonly unit: "octets" | "round trips" | "connections" | "datagrams";
  /** The least amount that makes sense; every amount is a multiple of it. */
  readonly quantum: number;
}

/** Whose turn it is: A or B in A B A B. */
export type Role = "subject" | "peer";

export interface Entrant {
  readonly title: string;
  open(): Contender | Promise<Contender>;
}

/** One line of the benchmark: what we ask about, beside what we compare it with. */
export interface Subject extends Readonly<Record<Role, Entrant>> {
  /** For `--only` and for JSON. */
  readonly name: string;
  readonly work: Work;
}
