/** What outlives a session. A memory is a short sentence with where it came from; the text itself never stands in a journal. */
import * as z from "zod";
import type { MemoryId, PrincipalId, SessionId, TenantId } from "./ids.ts";
import { lazy } from "./lazy.ts";

export const MEMORY_KINDS = ["semantic", "procedural", "anti_pattern"] as const;
/** `semantic`: a fact. `procedural`: what works. `anti_pattern`: what failed, and what resolved it. */
export type MemoryKind = (typeof MEMORY_KINDS)[number];

export const MEMORY_SCOPES = ["user", "project", "team"] as const;
/** Who shares it: one person everywhere, one person in one project, everybody who shares the store in one project. */
export type MemoryScope = (typeof MEMORY_SCOPES)[number];

/** Characters of one memory. A longer one is no memory but a document. */
export const MEMORY_CHARS_MAX = 1_000;

/** Pieces of evidence of one memory. What is merged from more keeps the newest. */
export const MEMORY_EVIDENCE_MAX = 100;

/**
 * `pending`: the call that writes it is not finished; nobody recalls it. `proposed`: it would change behaviour and waits for a person.
 * `superseded`: a newer one contradicts it.
 */
export const MEMORY_STATES = ["pending", "proposed", "active", "superseded"] as const;
export type MemoryState = (typeof MEMORY_STATES)[number];

export const memoryKindSchema = lazy(() => z.enum(MEMORY_KINDS));
export const memoryScopeSchema = lazy(() => z.enum(MEMORY_SCOPES));

/** Where a memory was learned: a session and the event in it. Null for what a person wrote by hand. */
export interface MemoryEvidence {
  readonly session: SessionId;
  readonly seq: number;
}

export interface Memory {
  readonly tenant: TenantId;
  readonly principal: PrincipalId;
  readonly id: MemoryId;
  readonly kind: MemoryKind;
  readonly scope: MemoryScope;
  /** What the scope is told apart by: hash of the repository's identity for `project` and `team`, empty for `user`. */
  readonly project: string;
  readonly text: string;
  /** Of an anti-pattern: the error that it resolves; else empty. Searched like the text. */
  readonly resolves: string;
  /** Who said it: `user`, `model`, `consolidation`, `dream`, `import`. */
  readonly origin: "user" | "model" | "consolidation" | "dream" | "import";
  /** The session had taken in text of strangers when it was written: recalled as information only, never as instruction. */
  readonly untrusted: boolean;
  /** 0 to 1. */
  readonly confidence: number;
  readonly state: MemoryState;
  readonly evidence: readonly MemoryEvidence[];
  /** Milliseconds since the epoch, by the store's clock. */
  readonly created_at: number;
  /** When it was last learned, confirmed or recalled: decay counts from here. */
  readonly used_at: number;
  readonly uses: number;
  /** The memory that took its place; null while it stands. */
  readonly superseded_by: MemoryId | null;
}

/** What a journal has in place of a memory's text, or of the error that it resolves. */
export function memoryToken(id: MemoryId, of: "text" | "resolves" = "text"): string {
  return of === "text" ? `[memory:${id}]` : `[memory:${id}:resolves]`;
}

const TOKEN_START = "[memory:mem_";
const TOKEN = /\[memory:(mem_[a-z0-9]{4,60})(:resolves)?\]/g;

export function replaceMemoryTokens(text: string, textOf: (id: MemoryId, of: "text" | "resolves") => string): string {
  if (!text.includes(TOKEN_START)) return text;
  // the pattern is that of an id
  return text.replace(TOKEN, (_, id: string, of?: string) =>
    textOf(id as MemoryId, of === undefined ? "text" : "resolves"),
  );
}

/** Memories that a text stands for, as often as they occur. */
export function memoryTokensIn(text: string): readonly MemoryId[] {
  if (!text.includes(TOKEN_START)) return [];
  return [...text.matchAll(TOKEN)].map(([, id]) => id as MemoryId); // as above
}

/** The name under which a model writes memories. */
export const REMEMBER_TOOL = "remember";

/** Who says in a conversation what was recalled. */
export const RECALL_ORIGIN = { from: "belay", by: "memory" } as const;

/** Of the parts of one recall with all texts put in, in UTF-8. */
export const RECALLED_BYTES_MAX = 2_400;

/** Of one text, in UTF-8: a character takes three bytes at most, and two characters four. */
export const MEMORY_BYTES_MAX: number = 3 * MEMORY_CHARS_MAX;
