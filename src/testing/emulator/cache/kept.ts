/** What of a conversation's last prompt the next one kept: where the prefix broke, and how much of it was lost. */
import { createHash } from "node:crypto";
import { tokensOf } from "../tokens.ts";
import type { CacheBlock } from "./prompt.ts";

/** Conversations whose last prompt is remembered; the oldest goes first. */
const CONVERSATIONS_MAX = 1_000;
/** Blocks that are remembered, of all conversations. */
const BLOCKS_MAX = 500_000;

export interface Kept {
  /** Of the tokens of the last prompt, how many the next one begins with: 1 is all. Null for a first request. */
  readonly share_kept: number | null;
  /** The first block that is not what it was; null where none changed. */
  readonly broke_at: string | null;
}

export interface KeptPrompts {
  /** Compares with the last prompt of the conversation, and remembers this one. */
  next(conversation: string, blocks: readonly CacheBlock[]): Kept;
}

interface Known {
  readonly hash: string;
  readonly path: string;
  readonly tokens: number;
}

export function createKeptPrompts(): KeptPrompts {
  const last = new Map<string, readonly Known[]>();
  let held = 0;
  return {
    next: (conversation, blocks) => {
      const now = blocks.map(({ text, path, hidden }) => ({
        hash: digest(text),
        path,
        tokens: hidden ? 0 : tokensOf(text),
      }));
      const before = last.get(conversation) ?? null;
      last.delete(conversation);
      last.set(conversation, now);
      held += now.length - (before?.length ?? 0);
      for (const [oldest, known] of last) {
        if ((last.size <= CONVERSATIONS_MAX && held <= BLOCKS_MAX) || last.size === 1) break;
        last.delete(oldest);
        held -= known.length;
      }
      return before === null ? { share_kept: null, broke_at: null } : compare(before, now);
    },
  };
}

function compare(before: readonly Known[], now: readonly Known[]): Kept {
  const found = before.findIndex((block, i) => block.hash !== now[i]?.hash);
  const broke = found < 0 ? before.length : found;
  const all = sum(before);
  return {
    share_kept: all === 0 ? 1 : sum(before.slice(0, broke)) / all,
    broke_at: found < 0 ? null : (now[found]?.path ?? before[found]?.path ?? null),
  };
}

function sum(blocks: readonly Known[]): number {
  return blocks.reduce((total, { tokens }) => total + tokens, 0);
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64").slice(0, 22);
}
