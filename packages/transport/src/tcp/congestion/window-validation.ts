// Whether the window was used, without which its growth proves nothing (RFC 7661, "new-CWV"; Linux's way; or not asked).
import type { Milliseconds } from "@netstrata/core";
import type { TransmissionControlBlock } from "../transmission-control-block.ts";
import { LinuxWindowValidation } from "./linux-window-validation.ts";
import { NewWindowValidation } from "./new-window-validation.ts";

export type WindowValidationName = "rfc7661" | "linux" | "none";

export interface WindowValidation {
  /** Something was sent, or would have been but for the window (`limited`). */
  sent(tcb: TransmissionControlBlock, limited: boolean): void;
  /** SND.UNA has moved by `octets` outside of loss recovery. */
  acknowledged(tcb: TransmissionControlBlock, octets: number): void;
  /** A loss was repaired, or a timeout made everything new. */
  recovered(): void;
  /** After a pause the window was made smaller, so what was used before says nothing. */
  restarted(now: Milliseconds): void;
  /** May the window grow? */
  allowsGrowth(tcb: TransmissionControlBlock): boolean;
}

const NONE: WindowValidation = {
  sent: () => {},
  acknowledged: () => {},
  recovered: () => {},
  restarted: () => {},
  allowsGrowth: () => true,
};

export const WINDOW_VALIDATIONS: Readonly<Record<WindowValidationName, () => WindowValidation>> = {
  rfc7661: () => new NewWindowValidation(),
  linux: () => new LinuxWindowValidation(),
  none: () => NONE,
};
