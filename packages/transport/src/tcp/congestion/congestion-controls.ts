// The congestion controls by name (RFC 5681, RFC 9438, draft-ietf-ccwg-bbr), and how a connection gets its own.
import type { Random } from "@netstrata/core";
import type { ResolvedTcpOptions } from "../connection-options.ts";
import { Bbr } from "./bbr/bbr.ts";
import type { CongestionControl, CongestionControlFactory } from "./congestion-control.ts";
import { Cubic } from "./cubic.ts";
import { FixedWindow } from "./fixed-window.ts";
import { LinuxCubic } from "./linux-cubic.ts";
import { NewReno } from "./new-reno.ts";

export type CongestionControlName = "cubic" | "newreno" | "bbr" | "fixed";

export const CONGESTION_CONTROLS: Readonly<Record<CongestionControlName, CongestionControlFactory>> = {
  cubic: (settings) => (settings.accounting === "segments" ? new LinuxCubic(settings) : new Cubic(settings)),
  newreno: (settings) => new NewReno(settings),
  bbr: (settings) => new Bbr(settings),
  fixed: () => new FixedWindow(),
};

/** The congestion control that a connection's options ask for. */
export function createCongestionControl(options: ResolvedTcpOptions, random: Random): CongestionControl {
  const { congestionAccounting, hystart, slowStartLimit, pacing } = options;
  const choice: CongestionControlName | CongestionControlFactory = options.congestionControl;
  const create = typeof choice === "string" ? CONGESTION_CONTROLS[choice] : choice;
  return create({ accounting: congestionAccounting, hystart, slowStartLimit, paced: pacing, random });
}
