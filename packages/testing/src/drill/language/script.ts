// What a script says, once it is read: options, commands that prepare, and events, each at its time.
import type { CallAction } from "./expression.ts";
import type { PacketAction } from "./packet.ts";

export interface Script {
  readonly options: readonly ScriptOption[];
  /** Commands in front of the first event. */
  readonly preparations: readonly CommandAction[];
  readonly events: readonly ScriptEvent[];
}

/** `--name=value` in the head of the script. */
export interface ScriptOption {
  readonly line: number;
  readonly name: string;
  /** Absent where there is no `=`. */
  readonly value: string | undefined;
}

export interface ScriptEvent {
  readonly line: number;
  /** The event as written. */
  readonly text: string;
  readonly time: EventTime;
  readonly action: Action;
}

/** In milliseconds; `from` and `to` differ in a range. */
export interface EventTime {
  /** `any` is the `*` of the language: whenever it happens. */
  readonly kind: "absolute" | "relative" | "any";
  readonly from: number;
  readonly to: number;
}

export type Action = PacketAction | CallAction | CommandAction | CodeAction;

/** Between backticks: what would be given to a shell, and never is here. */
export interface CommandAction {
  readonly kind: "command";
  readonly line: number;
  readonly text: string;
}

/** Between `%{` and `}%`. */
export interface CodeAction {
  readonly kind: "code";
  readonly line: number;
  readonly text: string;
}
