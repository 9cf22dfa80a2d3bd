/**
 * Cells: small values that processes share to coordinate (rates, breakers), changed by compare and swap. They are kept like a
 * cache: a crash of the process loses none, a power failure may lose the newest.
 *
 * C1: of several writers that expect the same version one succeeds.
 * C2: a version is never used twice for the same key, also after the cell was removed.
 */
import { invariant } from "../kernel/harness-error.ts";
import type { TenantId } from "../kernel/ids.ts";

export interface Cells {
  /** `now` is the store's time, read with the cell. `version` is 0 and `value` null where there is none. */
  readCell(tenant: TenantId, key: string): Promise<Cell>;
  /** @returns false, and changes nothing, when the version is no longer `expected` */
  writeCell(command: WriteCell): Promise<boolean>;
  /** By the beginning of their keys, in order of key, at most `limit`. */
  listCells(tenant: TenantId, prefix: string, limit: number): Promise<readonly NamedCell[]>;
}

export interface Cell {
  readonly version: number;
  readonly value: string | null;
  readonly now: number;
}

export interface NamedCell {
  readonly key: string;
  readonly value: string;
  readonly updated_at: number;
}

export interface WriteCell {
  readonly tenant: TenantId;
  readonly key: string;
  readonly expected: number;
  /** At most `CELL_CHARS_MAX`; null empties the cell. */
  readonly value: string | null;
}

export const CELL_CHARS_MAX = 64 * 1024;

export function requireCell({ value }: WriteCell): void {
  invariant(value === null || value.length <= CELL_CHARS_MAX, `a cell has at most ${CELL_CHARS_MAX} characters`);
}
