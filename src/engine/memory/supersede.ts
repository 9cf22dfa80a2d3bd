/** A memory on its way in, and what it takes the place of. */
import type { MemoryId } from "../../kernel/ids.ts";
import type { Memory } from "../../kernel/memory.ts";
import { contradiction } from "../../memory/contradiction.ts";
import { behind, CONFIDENCE_MAX, joinedEvidence } from "../../memory/dream.ts";
import { RIVALS } from "../../memory/rivals.ts";
import { normalised, termsOf } from "../../memory/terms.ts";
import type { Memories } from "../../store/memories.ts";

/** Older ones that are looked at, of each search. */
const CANDIDATES_MAX = 30;
/** Families of things (`memory/rivals.ts`) whose other members are looked for. */
const FAMILIES_MAX = 3;

export interface Placed {
  readonly memory: Memory;
  /** New versions of what it takes the place of: for `revise`, as any of them may have been forgotten meanwhile. */
  readonly older: readonly Memory[];
  readonly supersedes: readonly MemoryId[];
}

/** What says the same is one from now on; what is contradicted stands behind it. Only what is active takes a place. */
export async function placed(memory: Memory, store: Memories): Promise<Placed> {
  if (memory.state !== "active") return { memory, older: [], supersedes: [] };
  const older = (await candidates(memory, store)).filter(({ id }) => id !== memory.id);
  const same = older.filter((one) => isSame(memory, one));
  const against = older.filter((one) => !same.includes(one) && contradiction(memory, one)?.certainty === "clear");
  const replaced = [...same, ...against].map((one) => behind(one, memory.id, memory.used_at));
  return { memory: joinedWith(memory, same), older: replaced, supersedes: replaced.map(({ id }) => id) };
}

async function candidates(memory: Memory, store: Memories): Promise<readonly Memory[]> {
  const { tenant, principal } = memory;
  const view = { tenant, principal, project: memory.project === "" ? null : memory.project, scopes: [memory.scope] };
  const terms = termsOf(`${memory.text} ${memory.resolves}`);
  const rivals = RIVALS.filter((family) => terms.some((term) => family.has(term))).slice(0, FAMILIES_MAX);
  const found: Memory[] = [];
  // One search each: of a long query only some words are looked for, and these are not to push each other out.
  for (const query of [terms, ...rivals.map((family) => [...family])].filter((words) => words.length > 0))
    for (const hit of await store.searchMemories(view, query.join(" "), CANDIDATES_MAX)) found.push(hit.memory);
  return [...new Map(found.map((one) => [one.id, one])).values()];
}

function isSame(memory: Memory, older: Memory): boolean {
  return (
    older.kind === memory.kind &&
    older.untrusted === memory.untrusted &&
    normalised(older.text) === normalised(memory.text) &&
    normalised(older.resolves) === normalised(memory.resolves)
  );
}

function joinedWith(memory: Memory, same: readonly Memory[]): Memory {
  if (same.length === 0) return memory;
  const doubt = [memory, ...same].reduce((product, { confidence }) => product * (1 - confidence), 1);
  return {
    ...memory,
    confidence: Math.max(memory.confidence, Math.min(CONFIDENCE_MAX, 1 - doubt)),
    evidence: joinedEvidence([memory, ...same].map(({ evidence }) => evidence)),
    uses: same.reduce((sum, { uses }) => sum + uses, memory.uses),
  };
}
