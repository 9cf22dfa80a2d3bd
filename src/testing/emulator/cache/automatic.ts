/**
 * The prompt cache of a provider that caches by itself (OpenAI).
 *
 * C5: what is read is the longest prefix of bytes that an earlier request had, in steps of `STEP_TOKENS`, from
 *     `FIRST_TOKENS` on. A `prompt_cache_key` has a cache of its own, as its requests are sent to a machine of their own.
 */
import { createHash } from "node:crypto";
import { at, textAt } from "../../../model/json-view.ts";
import { bytesOf, tokensOf } from "../tokens.ts";
import { createEntries } from "./entries.ts";
import type { CacheAnswer, CacheRequest } from "./marked.ts";

const FIRST_TOKENS = 1_024;
const STEP_TOKENS = 128;
const ENTRIES_MAX = 131_072;
const LIFE_MS_DEFAULT = 10 * 60_000;
const LIFE_MS: { readonly [asked: string]: number } = {
  "24h": 24 * 3_600_000,
  "30m": 30 * 60_000,
  "12h": 12 * 3_600_000,
};

export interface AutomaticCache {
  /** @param body says the key, and how long to keep. */
  look(request: CacheRequest, body: unknown): CacheAnswer;
}

export function createAutomaticCache(): AutomaticCache {
  const entries = createEntries<true>(ENTRIES_MAX);
  return {
    look: ({ blocks, model, workspace, now, minTokens }, body) => {
      const total = blocks.reduce((sum, { text }) => sum + tokensOf(text), 0);
      const first = minTokens ?? FIRST_TOKENS;
      if (textAt(body, "prompt_cache_options", "mode") === "explicit")
        return { usage: { total, input: total, read: 0, write5m: 0, write1h: 0 }, commit: () => undefined };
      const scope = JSON.stringify([workspace, model, at(body, "prompt_cache_key") ?? null]);
      const steps = stepsOf(Buffer.from(blocks.map(({ text }) => `${text}\n`).join("")), scope)
        .map((key, index) => ({ key, tokens: (index + 1) * STEP_TOKENS }))
        .filter(({ tokens }) => tokens >= first && tokens <= total);
      const read = steps.findLast(({ key }) => entries.get(key, now) !== null)?.tokens ?? 0;
      const end = steps.at(-1)?.tokens ?? 0;
      return {
        usage: { total, input: total - Math.max(read, end), read, write5m: Math.max(0, end - read), write1h: 0 },
        commit: () => {
          for (const { key } of steps) entries.set(key, true, now + lifeOf(body));
        },
      };
    },
  };
}

function lifeOf(body: unknown): number {
  const asked = textAt(body, "prompt_cache_options", "ttl") ?? textAt(body, "prompt_cache_retention") ?? "";
  return LIFE_MS[asked] ?? LIFE_MS_DEFAULT;
}

/** A hash for each whole step, of all bytes up to its end. */
function stepsOf(bytes: Buffer, scope: string): readonly string[] {
  const size = bytesOf(STEP_TOKENS);
  const hash = createHash("sha256").update(scope);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => {
    hash.update(bytes.subarray(i * size, (i + 1) * size));
    return hash.copy().digest("base64");
  });
}
