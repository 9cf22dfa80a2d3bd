/** Pairs of memories that are worth comparing: found by their rarest words, never each with each. Pure. */
import type { Memory } from "../kernel/memory.ts";
import { RIVALS } from "./rivals.ts";
import { sharedOf, wordingOf } from "./terms.ts";

/** Rarest words of a memory by which others are found. */
const RARE_TERMS = 3;
/** Memories that are looked at for one word: a word of more says little. */
const POSTINGS_MAX = 50;

export interface Neighbours {
  /** Those of the same scope and project that may say the same, or the opposite. */
  of(memory: Memory): readonly Memory[];
}

export function neighbours(memories: readonly Memory[]): Neighbours {
  const postings = new Map<string, Memory[]>();
  const terms = new Map(memories.map((memory) => [memory.id, keysOf(memory)]));
  for (const memory of memories) {
    for (const key of terms.get(memory.id) ?? []) {
      const known = postings.get(key);
      if (known === undefined) postings.set(key, [memory]);
      else known.push(memory);
    }
  }
  const rarity = (key: string): number => postings.get(key)?.length ?? 0;
  return {
    of(memory) {
      const own = terms.get(memory.id) ?? [];
      const words = own
        .filter((key) => key.startsWith("t "))
        .sort((a, b) => rarity(a) - rarity(b))
        .slice(0, RARE_TERMS);
      const others = own.filter((key) => !key.startsWith("t "));
      const found = [...others, ...words].flatMap((key) => (postings.get(key) ?? []).slice(0, POSTINGS_MAX));
      return [...new Set(found)].filter(
        ({ id, scope, project }) => id !== memory.id && scope === memory.scope && project === memory.project,
      );
    },
  };
}

/** Its words; its whole text, the error that it resolves, and the families whose things it names. */
function keysOf(memory: Memory): readonly string[] {
  const { text, resolves, terms } = wordingOf(memory);
  return [
    `n ${text}`,
    ...(resolves === "" ? [] : [`e ${resolves}`]),
    ...RIVALS.flatMap((family, i) => (sharedOf(family, terms) > 0 ? [`f ${i}`] : [])),
    ...[...terms].map((term) => `t ${term}`),
  ];
}
