/** Who sees a memory, who may change it, and how many there may be: one place for every back-end. */
import { HarnessError, invariant } from "../kernel/harness-error.ts";
import { type Memory, MEMORY_CHARS_MAX, MEMORY_EVIDENCE_MAX } from "../kernel/memory.ts";
import { MEMORIES_MAX, MEMORY_CHANGES_MAX, type MemoryChanges, type MemoryView } from "./memories.ts";

/** Who asks. */
export type MemoryAsker = Pick<MemoryView, "tenant" | "principal">;

/** What is counted together for `MEMORIES_MAX`. `principal` is null where it is everybody's. */
export interface MemoryPlace {
  readonly scope: Memory["scope"];
  readonly project: string;
  readonly principal: Memory["principal"] | null;
}

/** What the rule looks at in a memory that is there. */
export type KnownMemory = Pick<Memory, "tenant" | "principal" | "scope" | "project">;

/** M1. */
export function isVisible(of: MemoryAsker, memory: KnownMemory): boolean {
  return memory.tenant === of.tenant && (memory.scope === "team" || memory.principal === of.principal);
}

/** M1, and what the view asks for. */
export function isInView(view: MemoryView, memory: KnownMemory & Pick<Memory, "kind" | "state">): boolean {
  return (
    isVisible(view, memory) &&
    (memory.scope === "user" || memory.project === view.project) &&
    (view.scopes?.includes(memory.scope) ?? true) &&
    (view.kinds?.includes(memory.kind) ?? true) &&
    statesOf(view).includes(memory.state)
  );
}

export function statesOf(view: MemoryView): readonly Memory["state"][] {
  return view.states ?? ["active"];
}

/** One memory to be written. */
export interface MemoryPut {
  readonly memory: Memory;
  /** Only where it is there already. */
  readonly revise: boolean;
}

/**
 * What is to be written, each memory once: the last one of an id counts.
 * Messages hold no text of a memory: it may be a secret.
 */
export function requireChanges(
  of: MemoryAsker,
  { put, revise = [], forget, used }: MemoryChanges,
): readonly MemoryPut[] {
  const most = Math.max(put.length, revise.length, forget.length, used.length);
  invariant(most <= MEMORY_CHANGES_MAX, `a change of memories has at most ${MEMORY_CHANGES_MAX} of a sort`);
  const puts = new Map<Memory["id"], MemoryPut>();
  for (const memory of put) puts.set(memory.id, { memory, revise: false });
  for (const memory of revise) puts.set(memory.id, { memory, revise: !puts.has(memory.id) });
  for (const { memory } of puts.values()) requireMemory(of, memory);
  return [...puts.values()];
}

function requireMemory(of: MemoryAsker, memory: Memory): void {
  const { text, resolves, confidence, evidence, scope, project } = memory;
  const short = text.length <= MEMORY_CHARS_MAX && resolves.length <= MEMORY_CHARS_MAX;
  invariant(short, `a memory has at most ${MEMORY_CHARS_MAX} characters`);
  invariant(evidence.length <= MEMORY_EVIDENCE_MAX, `a memory has at most ${MEMORY_EVIDENCE_MAX} pieces of evidence`);
  invariant(confidence >= 0 && confidence <= 1, "the confidence of a memory is 0 to 1");
  invariant(
    (scope === "user") === (project === ""),
    "a memory has a project exactly when its scope is told apart by one",
  );
  invariant(memory.tenant === of.tenant, "invariant M1: a memory is put by its own tenant");
}

/**
 * Whether a memory may be put where `known` is, or anew. Who shares a memory may change it; its author stays, and only its author
 * may take it out of what is shared.
 * @returns the place in which there is one more after it, or null
 */
export function requireMayPut(of: MemoryAsker, known: KnownMemory | null, memory: Memory): MemoryPlace | null {
  const moves = known === null || memory.scope !== known.scope || memory.project !== known.project;
  const own = memory.principal === of.principal;
  const mayPut = known === null ? own : isVisible(of, known) && memory.principal === known.principal && (own || !moves);
  if (!mayPut) {
    throw new HarnessError("usage", `The memory ${memory.id} is somebody else's.`, "Write a new one beside it.");
  }
  return moves ? placeOf(memory) : null;
}

function placeOf({ scope, project, principal }: Memory): MemoryPlace {
  return { scope, project, principal: scope === "team" ? null : principal };
}

/** Each place once. */
export function placesOf(places: readonly (MemoryPlace | null)[]): readonly MemoryPlace[] {
  const known = new Map(places.flatMap((place) => (place ? [[JSON.stringify(place), place] as const] : [])));
  return [...known.values()];
}

export function refuseTooMany(place: MemoryPlace, count: number): void {
  if (count <= MEMORIES_MAX) return;
  throw new HarnessError(
    "store_full",
    `There are ${MEMORIES_MAX} memories of scope ${place.scope} already, as many as are kept.`,
    "Forget some with `belay memory forget`, or let `belay dream` drop what has decayed.",
  );
}
