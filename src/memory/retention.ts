/** How long memories are kept, and how many. Pure. */
import type { Memory, MemoryScope } from "../kernel/memory.ts";
import { strengthOf } from "./score.ts";

const DAY_MS = 24 * 60 * 60_000;

export interface Retention {
  /** Active ones of a scope (and project). The port takes more: there is room between two dreams. */
  readonly count: number;
  /** Without use, in days. */
  readonly age_days: number;
}

export const RETENTION: { readonly [S in MemoryScope]: Retention } = {
  user: { count: 1_000, age_days: 1_500 },
  project: { count: 5_000, age_days: 750 },
  team: { count: 10_000, age_days: 1_000 },
};

/** A call that was to write it never ended: denied, or cut by a crash that nobody resumed. Days. */
export const PENDING_DAYS = 7;
/** Nobody said yes. Days. */
export const PROPOSED_DAYS = 90;
/** What took its place says so as long. Days. */
export const SUPERSEDED_DAYS = 365;
/** A memory that nobody wrote by hand and that is worth less is dropped: seen once at low confidence, and not needed for four half-lives. */
export const STRENGTH_MIN = 0.03;

/** @returns why the memory is dropped, in words for people; null where it stays */
export function expired(memory: Memory, now: number): string | null {
  const days = Math.floor(Math.max(0, now - memory.used_at) / DAY_MS);
  const { age_days } = RETENTION[memory.scope];
  switch (memory.state) {
    case "pending":
      return days >= PENDING_DAYS ? `its call did not end, ${days} days ago` : null;
    case "proposed":
      return days >= PROPOSED_DAYS ? `nobody approved it in ${days} days` : null;
    case "superseded":
      return days >= SUPERSEDED_DAYS ? `something took its place ${days} days ago` : null;
    case "active":
      if (days >= age_days) return `not used in ${days} days, and ${memory.scope} memories are kept ${age_days}`;
      if (memory.origin === "user") return null;
      return strengthOf(memory, now) < STRENGTH_MIN ? `decayed: not used in ${days} days` : null;
  }
}

/** Those that are too many, the weakest: what a person wrote by hand goes last. @param active of one scope and project */
export function surplus(active: readonly Memory[], scope: MemoryScope, now: number): readonly Memory[] {
  const { count } = RETENTION[scope];
  if (active.length <= count) return [];
  const byHand = ({ origin }: Memory): number => (origin === "user" ? 1 : 0);
  return active.toSorted((a, b) => byHand(b) - byHand(a) || strengthOf(b, now) - strengthOf(a, now)).slice(count);
}
