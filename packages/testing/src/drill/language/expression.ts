// The arguments and results of system calls.

export type Expression =
  /** `...`: whatever the tool chooses, or whatever comes back. */
  | { readonly kind: "any" }
  | { readonly kind: "number"; readonly value: number; readonly text: string }
  /** A constant's name. */
  | { readonly kind: "name"; readonly name: string }
  /** Each character is an octet. */
  | { readonly kind: "string"; readonly value: string }
  /** `A|B` */
  | { readonly kind: "or"; readonly parts: readonly Expression[] }
  /** `~A` */
  | { readonly kind: "not"; readonly operand: Expression }
  /** `A << B` */
  | { readonly kind: "shift"; readonly operand: Expression; readonly by: Expression }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "struct"; readonly fields: readonly StructField[] }
  /** `htons(8080)` */
  | { readonly kind: "function"; readonly name: string; readonly operands: readonly Expression[] };

export interface StructField {
  /** Absent in `{..., 1000}`. */
  readonly name: string | undefined;
  /** The length in `msg_iov(1)=…`. */
  readonly length: Expression | undefined;
  readonly value: Expression;
}

/** A system call: `accept(3, ..., ...) = 4`. */
export interface CallAction {
  readonly kind: "call";
  readonly name: string;
  readonly operands: readonly Expression[];
  /** Undefined for `?`: any result will do. */
  readonly result: Expression | undefined;
  /** `EAGAIN` */
  readonly errno: string | undefined;
  /** When a call that blocks returns, in ms on the scale of the event's own time; undefined when it must not block. */
  readonly end: number | undefined;
}
