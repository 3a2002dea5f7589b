// What can be chosen about ECN, and what two ends may agree on (RFC 3168 §6.1.1, RFC 9768 §3.1).

/**
 * - "off": neither asks nor answers.
 * - "passive": answers a peer that asks for classic ECN, but does not ask (Linux's tcp_ecn=2).
 * - "on": asks for and answers classic ECN (1).
 * - "accurate": asks for and answers Accurate ECN, and falls back to classic (3).
 * - "accurate-answer": asks for classic, answers both (4). "accurate-passive": does not ask, answers both (5).
 */
export type EcnMode = "off" | "passive" | "on" | "accurate" | "accurate-answer" | "accurate-passive";

/** How marks are fed back: not at all, by ECE and CWR, or by counters. In rising order. */
export type EcnFeedbackKind = "none" | "classic" | "accurate";

interface EcnChoice {
  /** What our SYN asks for. */
  readonly asks: EcnFeedbackKind;
  /** The best that our SYN,ACK agrees to. */
  readonly answers: EcnFeedbackKind;
}

export const ECN_CHOICES: Readonly<Record<EcnMode, EcnChoice>> = {
  off: { asks: "none", answers: "none" },
  passive: { asks: "none", answers: "classic" },
  on: { asks: "classic", answers: "classic" },
  accurate: { asks: "accurate", answers: "accurate" },
  "accurate-answer": { asks: "classic", answers: "accurate" },
  "accurate-passive": { asks: "none", answers: "accurate" },
};
