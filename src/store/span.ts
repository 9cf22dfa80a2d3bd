/** A part of a text that is a secret, and how such parts are put together. */

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Who found it. */
export interface FoundSpan extends Span {
  /** Stands in the token. */
  readonly name: string;
  /** Lower is better: it gives the name. */
  readonly rank: number;
  /** By its place only: what is found within it, and better, stands for itself. */
  readonly guessed: boolean;
}

/**
 * Spans that do not overlap, in order, and cover what all of them cover, but for this: of a guess, and something better within
 * it, the better one is left.
 */
export function disjoint(spans: readonly FoundSpan[]): readonly FoundSpan[] {
  if (spans.length < 2) return spans;
  const ordered = [...spans].sort((a, b) => a.from - b.from || b.to - a.to || a.rank - b.rank);
  const kept: FoundSpan[] = [];
  for (const span of ordered) {
    const last = kept.at(-1);
    if (last === undefined || span.from >= last.to) kept.push(span);
    else kept[kept.length - 1] = both(last, span);
  }
  return kept;
}

/** @param after begins within `before`, or where it begins */
function both(before: FoundSpan, after: FoundSpan): FoundSpan {
  const better = after.rank < before.rank ? after : before;
  if (after.to <= before.to) return before.guessed && !after.guessed && better === after ? after : before;
  return { ...better, from: before.from, to: after.to };
}
