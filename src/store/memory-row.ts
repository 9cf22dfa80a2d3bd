/** A memory as the SQL back-ends keep it, and as the port has it. */
import type { MemoryId, PrincipalId, TenantId } from "../kernel/ids.ts";
import type { Memory, MemoryKind, MemoryScope, MemoryState } from "../kernel/memory.ts";
import { corrupt } from "./refusal.ts";
import { wordsOf } from "./search-words.ts";

/** What is looked at by queries. */
export interface MemoryColumns {
  readonly tenant: string;
  readonly principal: string;
  readonly id: string;
  readonly kind: string;
  readonly scope: string;
  readonly project: string;
  readonly state: string;
  readonly created_at: number;
  readonly used_at: number;
  readonly uses: number;
}

/** The rest, as JSON: every text comes back to the letter, also one that a database's own text type would not take. */
type MemoryBody = Pick<
  Memory,
  "text" | "resolves" | "origin" | "untrusted" | "confidence" | "evidence" | "superseded_by"
>;

export function memoryColumns(memory: Memory): MemoryColumns {
  const { tenant, principal, id, kind, scope, project, state, created_at, used_at, uses } = memory;
  return { tenant, principal, id, kind, scope, project, state, created_at, used_at, uses };
}

export function memoryBody(memory: Memory): string {
  const { text, resolves, origin, untrusted, confidence, evidence, superseded_by } = memory;
  const body: MemoryBody = { text, resolves, origin, untrusted, confidence, evidence, superseded_by };
  return JSON.stringify(body);
}

export function memoryWords({ text, resolves }: Pick<Memory, "text" | "resolves">): readonly string[] {
  return [...wordsOf(text), ...wordsOf(resolves)];
}

/** @throws HarnessError `store_corrupt` */
export function memoryOf(row: MemoryColumns & { readonly body: string }): Memory {
  const body = bodyOf(row);
  return {
    // The casts put the brands and unions back on that `changeMemories` was given.
    tenant: row.tenant as TenantId,
    principal: row.principal as PrincipalId,
    id: row.id as MemoryId,
    kind: row.kind as MemoryKind,
    scope: row.scope as MemoryScope,
    project: row.project,
    state: row.state as MemoryState,
    created_at: row.created_at,
    used_at: row.used_at,
    uses: row.uses,
    ...body,
  };
}

function bodyOf({ id, body }: { readonly id: string; readonly body: string }): MemoryBody {
  try {
    return JSON.parse(body) as MemoryBody; // written by `memoryBody`
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Without the parser's message: it quotes the text.
    throw corrupt(`The memory ${id} is damaged.`);
  }
}
