/** One cell that many processes change: read, change, write, and again when another was faster. */
import type { Clock, Random } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { TenantId } from "../../kernel/ids.ts";
import type { Cells } from "../../store/cells.ts";
import { type CellState, cellKey, decode, encode, freshState } from "./cell-state.ts";

/** How often a change is tried. */
const TRIES_MAX = 40;
/** The longest pause between two tries, before jitter. Milliseconds. */
const PAUSE_MS_MAX = 64;
/** Conflicts that are answered at once. */
const TRIES_AT_ONCE = 2;

export interface SharedCell {
  /**
   * @param apply pure, called again after a conflict; a state of null leaves the cell as it is
   * @throws HarnessError `store_busy` when others were faster every time
   */
  change<Result>(apply: (state: CellState, now: number) => Change<Result>): Promise<Result>;
}

export interface Change<Result> {
  readonly state: CellState | null;
  readonly result: Result;
}

export interface CellParts {
  readonly cells: Pick<Cells, "readCell" | "writeCell">;
  readonly clock: Clock;
  readonly random: Random;
}

type Named = Pick<CellState, "provider" | "model" | "account">;

/** The changes of this process stand in line, so that they do not conflict among themselves. */
export function sharedCell(parts: CellParts, tenant: TenantId, named: Named): SharedCell {
  const key = cellKey(named);
  let line: Promise<unknown> = Promise.resolve();
  return {
    change: (apply) => {
      const mine = line.then(() => changeCell({ ...parts, tenant, key, named }, apply));
      // Whoever comes next does not fail for this one.
      line = mine.catch(() => {});
      return mine;
    },
  };
}

interface Where extends CellParts {
  readonly tenant: TenantId;
  readonly key: string;
  readonly named: Named;
}

async function changeCell<Result>(
  { cells, clock, random, tenant, key, named }: Where,
  apply: (state: CellState, now: number) => Change<Result>,
): Promise<Result> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const { version, value, now } = await cells.readCell(tenant, key);
    const before = (value === null ? null : decode(value, now)) ?? freshState(named);
    const { state, result } = apply(before, now);
    if (state === null) return result;
    if (await cells.writeCell({ tenant, key, expected: version, value: encode(state, now) })) return result;
    if (attempt > TRIES_AT_ONCE) await clock.sleep(random() * Math.min(PAUSE_MS_MAX, 2 ** (attempt - TRIES_AT_ONCE)));
  }
  throw new HarnessError(
    "store_busy",
    `The shared rate of ${named.provider} was changed by others ${TRIES_MAX} times in a row.`,
    "It is tried again.",
  );
}
