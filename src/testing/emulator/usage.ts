/**
 * Plausible usage: four characters a token, and a prompt cache that works like the provider's, by marked prefixes. With
 * it a test can see whether a request really extends the one before it.
 */
import { createHash } from "node:crypto";
import { at, asRecord, type JsonRecord } from "../../model/json-view.ts";
import { blocksOf, unmarked, wireMessages } from "./wire.ts";

const CHARS_PER_TOKEN = 4;
/** Prefixes that are remembered; the oldest goes first. */
const PREFIXES_MAX = 4_096;

export interface PromptUsage {
  readonly input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly ephemeral_5m_input_tokens: number;
  readonly ephemeral_1h_input_tokens: number;
}

export interface PromptCache {
  /** Counts a prompt and remembers its marked prefixes. */
  read(body: unknown): PromptUsage;
}

export function createPromptCache(): PromptCache {
  const prefixes = new Set<string>();
  return {
    read: (body) => {
      const hash = createHash("sha256");
      let chars = 0;
      let read = 0;
      let marked = 0;
      let hour = false;
      const seen: string[] = [];
      for (const block of promptBlocks(body)) {
        const text = JSON.stringify(unmarked(block));
        hash.update(text);
        chars += text.length;
        const prefix = hash.copy().digest("hex");
        if (prefixes.has(prefix)) read = tokens(chars);
        const mark = asRecord(block["cache_control"]);
        if (mark === null) continue;
        seen.push(prefix);
        marked = tokens(chars);
        hour = mark["ttl"] === "1h";
      }
      remember(prefixes, seen);
      const written = Math.max(0, marked - read);
      return {
        input_tokens: tokens(chars) - Math.max(marked, read),
        cache_read_input_tokens: read,
        cache_creation_input_tokens: written,
        ephemeral_5m_input_tokens: hour ? 0 : written,
        ephemeral_1h_input_tokens: hour ? written : 0,
      };
    },
  };
}

export function promptTokenCount(body: unknown): number {
  return tokens(promptBlocks(body).reduce((sum, block) => sum + JSON.stringify(unmarked(block)).length, 0));
}

export function tokens(chars: number): number {
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

/** In the order in which the provider caches them. */
function promptBlocks(body: unknown): readonly JsonRecord[] {
  const tools = at(body, "tools");
  const messages = wireMessages(body).flatMap(({ role, blocks }) => blocks.map((block) => ({ role, ...block })));
  return [
    ...(Array.isArray(tools) ? tools.map((tool) => asRecord(tool) ?? {}) : []),
    ...blocksOf(at(body, "system")),
    ...messages,
  ];
}

function remember(prefixes: Set<string>, seen: readonly string[]): void {
  for (const prefix of seen) {
    prefixes.delete(prefix);
    prefixes.add(prefix);
  }
  for (const oldest of prefixes) {
    if (prefixes.size <= PREFIXES_MAX) return;
    prefixes.delete(oldest);
  }
}
