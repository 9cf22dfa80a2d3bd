/** Only one dream at a time, over all processes that share the store: a cell that names who dreams, and until when. */
import type { TenantId } from "../../kernel/ids.ts";
import type { Cells } from "../../store/cells.ts";

/** A dream that says nothing for so long is dead. Milliseconds; it says something after each step. */
export const DREAM_LEASE_MS = 60_000;
const KEY = "memory.dream";

export interface DreamCell {
  /** Null while nobody dreams. */
  readonly owner: string | null;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly until: number;
  /** When the last one ended; 0 before the first. */
  readonly last: number;
}

const NEVER: DreamCell = { owner: null, until: 0, last: 0 };

export async function readDream(store: Cells, tenant: TenantId): Promise<DreamCell & { readonly now: number }> {
  const { value, now } = await store.readCell(tenant, KEY);
  return { ...cellOf(value), now };
}

/** @returns false when somebody else dreams */
export async function beginDream(store: Cells, tenant: TenantId, owner: string): Promise<boolean> {
  return change(store, tenant, (cell, now) =>
    cell.owner !== null && cell.until > now ? null : { ...cell, owner, until: now + DREAM_LEASE_MS },
  );
}

/** @returns false when the lease ran out and somebody else dreams since: then nothing more may be changed */
export async function goOnDreaming(store: Cells, tenant: TenantId, owner: string): Promise<boolean> {
  return change(store, tenant, (cell, now) => (cell.owner === owner ? { ...cell, until: now + DREAM_LEASE_MS } : null));
}

/** @param whole whether it came to its end: one that was stopped is due again */
export async function endDream(store: Cells, tenant: TenantId, owner: string, whole: boolean): Promise<void> {
  await change(store, tenant, (cell, now) =>
    cell.owner === owner ? { owner: null, until: 0, last: whole ? now : cell.last } : null,
  );
}

/** How often a write that lost to another one is tried. */
const TRIES = 5;

async function change(
  store: Cells,
  tenant: TenantId,
  next: (cell: DreamCell, now: number) => DreamCell | null,
): Promise<boolean> {
  for (let i = 0; i < TRIES; i++) {
    const { value, version, now } = await store.readCell(tenant, KEY);
    const cell = next(cellOf(value), now);
    if (cell === null) return false;
    if (await store.writeCell({ tenant, key: KEY, expected: version, value: JSON.stringify(cell) })) return true;
  }
  return false;
}

/** A cell may be lost: then nobody dreams, and nobody did. */
function cellOf(value: string | null): DreamCell {
  if (value === null) return NEVER;
  try {
    const { owner = null, until = 0, last = 0 } = JSON.parse(value) as Partial<DreamCell>; // written by `change`
    return { owner, until, last };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return NEVER;
  }
}
