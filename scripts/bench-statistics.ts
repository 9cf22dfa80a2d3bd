/** Medians with their spread. */

export interface Statistic {
  readonly median: number;
  /** A quarter of the samples is below, a quarter above. */
  readonly low: number;
  readonly high: number;
  readonly samples: readonly number[];
}

export function statistic(samples: readonly number[]): Statistic | null {
  if (samples.length === 0) return null;
  const sorted = [...samples].sort((a, b) => a - b);
  // Between two samples in proportion.
  const at = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)] ?? 0;
    return below + ((sorted[Math.ceil(place)] ?? below) - below) * (place % 1);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75), samples };
}

/** Mean time between the first and the last of some instants. */
export function meanGap(instants: readonly number[]): number {
  return ((instants.at(-1) ?? 0) - (instants[0] ?? 0)) / Math.max(1, instants.length - 1);
}
