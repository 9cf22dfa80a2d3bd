/** Memories with only the facts that matter to a test. */
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type MemoryId, parseMemoryId, type SessionId } from "../../src/kernel/ids.ts";
import type { Memory, MemoryEvidence } from "../../src/kernel/memory.ts";
import { givenMemory } from "../../src/testing/store-contract/given-memory.ts";

export const DAY: number = 24 * 60 * 60_000;
/** A fixed now for what is pure. */
export const NOW: number = Date.parse("2026-06-01T12:00:00Z");
export const OF = { tenant: LOCAL_TENANT, principal: LOCAL_PRINCIPAL } as const;

export function memoryId(name: string): MemoryId {
  return parseMemoryId(`mem_${name.padEnd(4, "0")}`);
}

/** @param days how long ago it was written and last used */
export function memory(name: string, text: string, facts: Partial<Memory> & { readonly days?: number } = {}): Memory {
  const { days = 0, ...rest } = facts;
  const at = NOW - days * DAY;
  const said = { text, origin: "model", confidence: 0.7, created_at: at, used_at: at } as const;
  return givenMemory({ ...OF, id: memoryId(name), ...said, ...rest }, "p");
}

export function learnedIn(...sessions: readonly string[]): readonly MemoryEvidence[] {
  return sessions.map((session) => ({ session: `ses_${session}` as SessionId, seq: 1 })); // a session's name, for a test
}
