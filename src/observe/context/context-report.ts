/** One session's context, from its journal: what fills it now and at each turn, what was done about it, and whether that is usual. */
import type { Event, UnknownEvent } from "../../kernel/events/index.ts";
import { thresholdOf, windowOf } from "../../kernel/compaction.ts";
import { foldEvent, isUnknown } from "../../kernel/fold.ts";
import type { SessionState } from "../../kernel/state.ts";
import { type Baseline, baselineOf, type ContextNumbers, frequencyAlert, numbersOf } from "./context-stats.ts";
import { type ContextCompaction, type ContextTurn, turnsReading } from "./context-turns.ts";
import { partsReading, type WindowParts } from "./window-parts.ts";

/** A turn with what its prompt was made of. Where the provider did not count, `parts.estimated` says how much is reckoned. */
export interface FilledTurn extends ContextTurn {
  readonly parts: WindowParts;
}

export interface ContextReport {
  readonly title: string;
  readonly turn: number;
  /** `provider/model` of the last answer; null before the first. */
  readonly model: string | null;
  readonly window: number;
  readonly threshold: number;
  /** What the next prompt is going to hold. */
  readonly now: WindowParts;
  readonly turns: readonly FilledTurn[];
  readonly compactions: readonly ContextCompaction[];
  readonly numbers: ContextNumbers;
  readonly baseline: Baseline;
  readonly alert: string | null;
}

/**
 * @param start the state before the first event
 * @param rates turns per compaction of earlier sessions
 */
export async function contextReport(
  events: AsyncIterable<Event | UnknownEvent> | Iterable<Event | UnknownEvent>,
  start: SessionState,
  rates: readonly number[],
): Promise<ContextReport> {
  const reading = turnsReading();
  const filling = partsReading();
  const filled: WindowParts[] = [];
  let state = start;
  for await (const event of events) {
    const before = state;
    state = foldEvent(state, event);
    if (isUnknown(event)) continue;
    reading.take(event);
    const parts = filling.take(event, before, state);
    if (parts !== null) filled.push(parts);
  }
  const value = reading.value();
  const numbers = numbersOf(value);
  const baseline = baselineOf(rates);
  return {
    title: state.title,
    turn: state.turn,
    model: value.turns.at(-1)?.model ?? null,
    window: windowOf(state),
    threshold: thresholdOf(state),
    now: filling.now(state),
    turns: value.turns.flatMap((turn, i) => {
      const parts = filled[i];
      return parts === undefined ? [] : [{ ...turn, parts }];
    }),
    compactions: value.compactions,
    numbers,
    baseline,
    alert: frequencyAlert(numbers, baseline),
  };
}
