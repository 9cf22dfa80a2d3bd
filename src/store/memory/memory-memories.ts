/** Memories, in memory. What is forgotten is gone with the next collection of garbage; there are no files. */
import type { Clock } from "../../kernel/clock.ts";
import type { MemoryId, TenantId } from "../../kernel/ids.ts";
import type { Memory } from "../../kernel/memory.ts";
import type { Memories, MemoryHit } from "../memories.ts";
import { memoryWords } from "../memory-row.ts";
import {
  isInView,
  isVisible,
  type MemoryPlace,
  placesOf,
  refuseTooMany,
  requireChanges,
  requireMayPut,
} from "../memory-rule.ts";
import { queryWords, type QueryWord } from "../search-words.ts";

interface Stored {
  readonly memory: Memory;
  readonly words: readonly string[];
}

type Shelf = ReadonlyMap<MemoryId, Stored>;

/** @param open throws when the store is closed */
export function createMemoryMemories(clock: Clock, open: () => void): Memories {
  const tenants = new Map<TenantId, Shelf>();
  const shelfOf = (tenant: TenantId): Shelf => {
    open();
    return tenants.get(tenant) ?? new Map();
  };
  const viewed = (view: Parameters<Memories["listMemories"]>[0]): readonly Stored[] =>
    [...shelfOf(view.tenant).values()].filter(({ memory }) => isInView(view, memory));

  return {
    async changeMemories(of, changes) {
      const put = requireChanges(of, changes);
      // M4: a copy, which takes the place of the shelf when nothing was refused.
      const shelf = new Map(shelfOf(of.tenant));
      const grown = put.map(({ memory, revise }) => {
        const known = shelf.get(memory.id)?.memory ?? null;
        if (known === null && revise) return null;
        const place = requireMayPut(of, known, memory);
        shelf.set(memory.id, { memory: structuredClone(memory), words: memoryWords(memory) });
        return place;
      });
      for (const id of new Set(changes.used)) {
        const known = shelf.get(id);
        if (!known || !isVisible(of, known.memory)) continue;
        shelf.set(id, { ...known, memory: { ...known.memory, used_at: clock.now(), uses: known.memory.uses + 1 } });
      }
      for (const id of changes.forget) {
        const known = shelf.get(id);
        if (known && isVisible(of, known.memory)) shelf.delete(id);
      }
      for (const place of placesOf(grown)) refuseTooMany(place, countOf(shelf, place));
      tenants.set(of.tenant, shelf);
    },

    async getMemories(of, ids) {
      const shelf = shelfOf(of.tenant);
      const found = [...new Set(ids)].flatMap((id) => shelf.get(id)?.memory ?? []);
      return found.filter((memory) => isVisible(of, memory)).map((memory) => structuredClone(memory));
    },

    async listMemories(view, limit) {
      return viewed(view)
        .map(({ memory }) => memory)
        .reverse() // of one millisecond the last one put comes first; the sort keeps that
        .sort((a, b) => b.created_at - a.created_at)
        .slice(0, limit)
        .map((memory) => structuredClone(memory));
    },

    async searchMemories(view, query, limit) {
      return ranked(viewed(view), queryWords(query))
        .sort((a, b) => b.rank - a.rank)
        .slice(0, limit)
        .map((hit) => structuredClone(hit));
    },
  };
}

function countOf(shelf: Shelf, { scope, project, principal }: MemoryPlace): number {
  return [...shelf.values()].filter(
    ({ memory }) =>
      memory.scope === scope && memory.project === project && (principal === null || memory.principal === principal),
  ).length;
}

/** How soon more of the same word stops to count. */
const SATURATION = 1.2;
/** How much the length of a text counts. */
const LENGTH_WEIGHT = 0.75;

/** bm25 over what is looked at. The newest comes first. */
function ranked(stored: readonly Stored[], asked: readonly QueryWord[]): MemoryHit[] {
  const length = stored.reduce((sum, { words }) => sum + words.length, 0) / Math.max(1, stored.length);
  const ranks = new Map<Stored, number>();
  for (const { word, prefix } of asked) {
    const counted = stored.map((one) => {
      const count = one.words.filter((other) => (prefix ? other.startsWith(word) : other === word)).length;
      return { one, count };
    });
    const holding = counted.filter(({ count }) => count > 0);
    const rarity = Math.log(1 + (stored.length - holding.length + 0.5) / (holding.length + 0.5));
    for (const { one, count } of holding) {
      const long = SATURATION * (1 - LENGTH_WEIGHT + (LENGTH_WEIGHT * one.words.length) / length);
      ranks.set(one, (ranks.get(one) ?? 0) + (rarity * count * (SATURATION + 1)) / (count + long));
    }
  }
  return [...stored].reverse().flatMap((one) => {
    const rank = ranks.get(one);
    return rank === undefined ? [] : [{ memory: one.memory, rank }];
  });
}
