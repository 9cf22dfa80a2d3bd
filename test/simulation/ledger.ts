/**
 * What happened in the simulated world, counted where it happens. Every changing call carries tokens of its own, so that an
 * effect that is there twice, or too early, names its call.
 */

/** `tracked`: a line in a file of the workspace. `untracked`: in an ignored file. `outside`: beyond the workspace. */
export type EffectKind = "tracked" | "untracked" | "outside";

export interface Effect {
  readonly token: string;
  readonly kind: EffectKind;
  /** Pid of the belay that did it, or that started the command. */
  readonly by: number;
  /** Null when belay's own process did it. */
  readonly command: { readonly pid: number; readonly escaped: boolean } | null;
}

export interface Ledger {
  /** Called where an effect happens, before it is there. */
  happens(effect: Effect): void;
  /** How often something was done to the world outside. */
  outside(token: string): number;
  /** Adds one to a counter: what a simulation met. */
  met(what: string): void;
  /** A line of the trace: what a reader needs to follow a seed. */
  tell(line: string): void;
  /** Virtual milliseconds by which faults slowed things down. */
  slowed: number;
  readonly counters: Map<string, number>;
  readonly lines: string[];
}

export interface LedgerOptions {
  readonly time: () => number;
  readonly onEffect: (effect: Effect) => void;
  readonly trace: boolean;
}

export function createLedger({ time, onEffect, trace }: LedgerOptions): Ledger {
  const counters = new Map<string, number>();
  const outside = new Map<string, number>();
  const lines: string[] = [];
  return {
    slowed: 0,
    counters,
    lines,
    happens: (effect) => {
      onEffect(effect);
      if (effect.kind === "outside") outside.set(effect.token, (outside.get(effect.token) ?? 0) + 1);
      if (trace) lines.push(`${String(time()).padStart(9)} ms  effect ${effect.kind} ${effect.token}`);
    },
    outside: (token) => outside.get(token) ?? 0,
    met: (what) => void counters.set(what, (counters.get(what) ?? 0) + 1),
    tell: (line) => {
      if (trace) lines.push(`${String(time()).padStart(9)} ms  ${line}`);
    },
  };
}
