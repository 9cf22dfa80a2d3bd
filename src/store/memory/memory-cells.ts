/** Cells, in memory. */
import type { Clock } from "../../kernel/clock.ts";
import type { TenantId } from "../../kernel/ids.ts";
import { type Cells, requireCell } from "../cells.ts";
import { byText } from "./by-text.ts";

interface StoredCell {
  readonly version: number;
  readonly value: string | null;
  readonly updated_at: number;
}

/** @param open throws when the store is closed */
export function createMemoryCells(clock: Clock, open: () => void): Cells {
  const tenants = new Map<TenantId, Map<string, StoredCell>>();

  const cellsOf = (tenant: TenantId): Map<string, StoredCell> => {
    open();
    const cells = tenants.get(tenant) ?? new Map<string, StoredCell>();
    tenants.set(tenant, cells);
    return cells;
  };

  return {
    async readCell(tenant, key) {
      const { version, value } = cellsOf(tenant).get(key) ?? { version: 0, value: null };
      return { version, value, now: clock.now() };
    },
    async writeCell(command) {
      requireCell(command);
      const { tenant, key, expected, value } = command;
      const cells = cellsOf(tenant);
      if ((cells.get(key)?.version ?? 0) !== expected) return false;
      cells.set(key, { version: expected + 1, value, updated_at: clock.now() });
      return true;
    },
    async listCells(tenant, prefix, limit) {
      return [...cellsOf(tenant)]
        .flatMap(([key, { value, updated_at }]) => (value === null ? [] : [{ key, value, updated_at }]))
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => byText(a.key, b.key))
        .slice(0, limit);
    },
  };
}
