/**
 * Words as the server's full-text search keeps and seeks them. They are cut by us and written in the text form of its types, so
 * none of its parsers and dictionaries (paths, versions, compound names, languages) comes between.
 */
import type { QueryWord } from "../search-words.ts";

/** The server keeps so many positions of a word, and none beyond the other. */
const POSITIONS_MAX = 255;
const POSITION_MAX = 16_383;

/** @returns the text form of a tsvector. Words hold letters and digits: between quotes nothing is to be escaped. */
export function vectorOf(words: readonly string[]): string {
  const positions = new Map<string, number[]>();
  for (const [i, word] of words.entries()) {
    const known = positions.get(word) ?? [];
    if (known.length < POSITIONS_MAX) known.push(Math.min(i + 1, POSITION_MAX));
    positions.set(word, known);
  }
  return [...positions].map(([word, at]) => `'${word}':${at.join(",")}`).join(" ");
}

/** @returns the text form of a tsquery */
export function queryOf({ word, prefix }: QueryWord): string {
  return `'${word}'${prefix ? ":*" : ""}`;
}
