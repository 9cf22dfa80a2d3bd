/**
 * The prompt cache of a provider whose requests mark what is to be cached (Anthropic).
 *
 * C1: an entry is written only at a mark, and is found again only where every byte before it is equal.
 * C2: from a mark the search goes back over at most `LOOKBACK_BLOCKS` blocks, the mark's own the first.
 * C3: an entry lives as long as its mark said since it was written or last read.
 * C4: nothing is cached below the model's minimum.
 */
import { createHash } from "node:crypto";
import { tokensOf } from "../tokens.ts";
import { createEntries } from "./entries.ts";
import type { CacheBlock, PromptUsage } from "./prompt.ts";

const LOOKBACK_BLOCKS = 20;
const LIFE_MS = { "5m": 5 * 60_000, "1h": 60 * 60_000 } as const;
const ENTRIES_MAX = 16_384;

/** Tokens; platform.claude.com, "Prompt caching", "Cache limitations". The first that fits the model's name. */
export const MIN_TOKENS: readonly (readonly [model: RegExp, tokens: number])[] = [
  [/opus-5|fable-5|mythos-5/, 512],
  [/opus-4[-.]7/, 2_048],
  [/opus-4[-.][56]/, 4_096],
  [/haiku-4[-.]5/, 4_096],
  [/haiku/, 2_048],
  [/./, 1_024],
];

export interface CacheRequest {
  readonly blocks: readonly CacheBlock[];
  readonly model: string;
  /** Whose cache it is: the API key. */
  readonly workspace: string;
  /** Milliseconds. */
  readonly now: number;
  /** Absent: by model. */
  readonly minTokens: number | undefined;
}

export interface CacheAnswer {
  readonly usage: PromptUsage;
  /** To be called when the answer begins: what failed before is not in the cache. */
  readonly commit: () => void;
}

export interface MarkedCache {
  look(request: CacheRequest): CacheAnswer;
}

interface Prefix {
  readonly key: string;
  /** Of everything up to here. */
  readonly tokens: number;
  readonly mark: CacheBlock["mark"];
}

export function createMarkedCache(): MarkedCache {
  const entries = createEntries<"5m" | "1h">(ENTRIES_MAX);
  return {
    look: (request) => {
      const { now, model } = request;
      const prefixes = prefixesOf(request);
      const total = prefixes.at(-1)?.tokens ?? 0;
      const least = request.minTokens ?? minTokens(model);
      const marks = [...prefixes.keys()].filter(
        (i) => prefixes[i]?.mark !== null && (prefixes[i]?.tokens ?? 0) >= least,
      );
      const hit = Math.max(-1, ...marks.map((mark) => found(mark)));
      const written = marks.filter((mark) => mark > hit);
      const read = prefixes[hit]?.tokens ?? 0;
      const end = prefixes[written.at(-1) ?? hit]?.tokens ?? 0;
      const hour = prefixes[written.findLast((mark) => prefixes[mark]?.mark === "1h") ?? hit]?.tokens ?? 0;
      return {
        usage: { total, input: total - end, read, write1h: hour - read, write5m: end - hour },
        commit: () => {
          for (const [index, { key, mark }] of prefixes.entries()) {
            const known = entries.get(key, now);
            const asked = marks.includes(index) ? mark : null;
            // What is read, or written over, begins its life anew; the longer life stays.
            const life = known === "1h" || asked === "1h" ? "1h" : (known ?? asked);
            if (life !== null && (asked !== null || index === hit)) entries.set(key, life, now + LIFE_MS[life]);
          }
        },
      };

      function found(mark: number): number {
        for (let i = mark; i >= 0 && i > mark - LOOKBACK_BLOCKS; i--) {
          if (entries.get(prefixes[i]?.key ?? "", now) !== null) return i;
        }
        return -1;
      }
    },
  };
}

export function minTokens(model: string): number {
  return MIN_TOKENS.find(([pattern]) => pattern.test(model.toLowerCase()))?.[1] ?? 0;
}

/** One for each block that counts. */
function prefixesOf({ blocks, model, workspace }: CacheRequest): readonly Prefix[] {
  const hash = createHash("sha256").update(JSON.stringify([workspace, model]));
  let tokens = 0;
  return blocks.flatMap(({ text, mark, hidden }) => {
    hash.update(`${Buffer.byteLength(text)}:${text}`);
    if (hidden) return [];
    tokens += tokensOf(text);
    return [{ key: hash.copy().digest("base64"), tokens, mark }];
  });
}
