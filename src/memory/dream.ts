/**
 * What a dream makes of the memories of one person in one project: duplicates become one, what is contradicted stands behind what
 * took its place, what has decayed is dropped, what recurs counts more, and what would change behaviour is proposed. Pure: a dream of
 * the same memories at the same time comes to the same, and a second one right after it changes nothing.
 *
 * R1: nothing becomes active by a dream. A proposal is applied when a person says so.
 * R2: what strangers had a part in is never merged with what they had none in, and never counts more.
 * R3: at most `COMPARISONS_MAX` pairs are looked at; what was not reached is left for the next dream, and the plan says so.
 */
import type { MemoryId } from "../kernel/ids.ts";
import { type Memory, MEMORY_EVIDENCE_MAX, type MemoryEvidence } from "../kernel/memory.ts";
import { contradiction } from "./contradiction.ts";
import { neighbours } from "./duplicates.ts";
import { expired, surplus } from "./retention.ts";
import { strengthOf } from "./score.ts";
import { likeness, normalised, wordingOf } from "./terms.ts";

/** Pairs that one dream looks at. */
export const COMPARISONS_MAX = 200_000;
/** Proposals of one dream: more are not read. */
export const PROPOSALS_MAX = 20;
/** From this likeness on two texts say the same. */
const DUPLICATE_LIKENESS = 0.8;
/** Sessions that a memory has to come from to recur. */
export const RECURS_SESSIONS = 3;
/** What so many independent sessions make of it: 3 come to 0.65. Never to certainty. */
const CONFIDENCE_BASE = 0.5;
const CONFIDENCE_PER_SESSION = 0.05;
export const CONFIDENCE_MAX = 0.95;

export interface Merge {
  readonly into: MemoryId;
  readonly from: readonly MemoryId[];
  readonly reason: string;
}
export interface Superseding {
  readonly newer: MemoryId;
  readonly older: MemoryId;
  readonly reason: string;
}
export interface Drop {
  readonly memory: MemoryId;
  readonly reason: string;
}
export interface Promotion {
  readonly memory: MemoryId;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}
/** `supersede`: perhaps the newer contradicts the older. `widen`: it holds in several projects. `approve`: it waits since it was written. */
export type Proposal =
  | { readonly kind: "supersede"; readonly newer: MemoryId; readonly older: MemoryId; readonly reason: string }
  | { readonly kind: "widen"; readonly memory: MemoryId; readonly reason: string }
  | { readonly kind: "approve"; readonly memory: MemoryId; readonly untrusted: boolean; readonly reason: string };

export interface DreamPlan {
  /** Memories that were looked at and stay as they are. */
  readonly kept: number;
  readonly merged: readonly Merge[];
  readonly superseded: readonly Superseding[];
  readonly dropped: readonly Drop[];
  readonly promoted: readonly Promotion[];
  readonly proposed: readonly Proposal[];
  /** False where the bound of comparisons was reached. */
  readonly complete: boolean;
  /** Whole new versions, and what goes. */
  readonly put: readonly Memory[];
  readonly forget: readonly MemoryId[];
}

export interface DreamRequest {
  /** Of every state. */
  readonly memories: readonly Memory[];
  readonly now: number;
  readonly comparisons?: number;
}

interface Dreaming {
  readonly now: number;
  readonly all: Map<MemoryId, Memory>;
  readonly changed: Set<MemoryId>;
  readonly forgotten: Set<MemoryId>;
  left: number;
}

export function planDream({ memories, now, comparisons = COMPARISONS_MAX }: DreamRequest): DreamPlan {
  const dreaming: Dreaming = {
    now,
    all: new Map(memories.map((memory) => [memory.id, memory])),
    changed: new Set(),
    forgotten: new Set(),
    left: comparisons,
  };
  const decayed = dropExpired(dreaming);
  const merged = mergeDuplicates(dreaming);
  const { superseded, likely } = contradictions(dreaming);
  const promoted = promote(dreaming);
  const dropped = [...decayed, ...dropSurplus(dreaming)];
  const proposed = [...waiting(dreaming), ...likely].slice(0, PROPOSALS_MAX);
  const put = [...dreaming.changed].flatMap((id) => (dreaming.forgotten.has(id) ? [] : (dreaming.all.get(id) ?? [])));
  const touched = new Set([...dreaming.changed, ...dreaming.forgotten]);
  return {
    kept: memories.filter(({ id }) => !touched.has(id)).length,
    merged,
    superseded,
    dropped,
    promoted,
    proposed,
    complete: dreaming.left > 0,
    put,
    forget: [...dreaming.forgotten],
  };
}

function active({ all, forgotten }: Dreaming): readonly Memory[] {
  return [...all.values()].filter(({ id, state }) => state === "active" && !forgotten.has(id));
}

function change(dreaming: Dreaming, memory: Memory): void {
  dreaming.all.set(memory.id, memory);
  dreaming.changed.add(memory.id);
}

function dropExpired(dreaming: Dreaming): readonly Drop[] {
  return [...dreaming.all.values()].flatMap((memory): Drop[] => {
    const reason = expired(memory, dreaming.now);
    if (reason === null) return [];
    dreaming.forgotten.add(memory.id);
    return [{ memory: memory.id, reason }];
  });
}

function dropSurplus(dreaming: Dreaming): readonly Drop[] {
  const places = Map.groupBy(active(dreaming), ({ scope, project }) => `${scope} ${project}`);
  return [...places.values()].flatMap((place) => {
    const [first] = place;
    if (first === undefined) return [];
    return surplus(place, first.scope, dreaming.now).map(({ id }): Drop => {
      dreaming.forgotten.add(id);
      return { memory: id, reason: `more than are kept of scope ${first.scope}; the weakest go` };
    });
  });
}

/** The strongest stays and has what the others knew; they stand behind it until they are dropped by age. */
function mergeDuplicates(dreaming: Dreaming): readonly Merge[] {
  const near = neighbours(active(dreaming));
  const merged: Merge[] = [];
  const ranked = active(dreaming).toSorted(
    (a, b) => keeperRank(b, dreaming) - keeperRank(a, dreaming) || b.created_at - a.created_at,
  );
  for (const { id } of ranked) {
    const keeper = dreaming.all.get(id);
    if (keeper?.state !== "active") continue;
    const same = near.of(keeper).flatMap((candidate) => {
      const other = dreaming.all.get(candidate.id);
      return other !== undefined && isDuplicate(keeper, other, dreaming) ? [other] : [];
    });
    if (same.length === 0) continue;
    change(dreaming, joined(keeper, same));
    for (const other of same) change(dreaming, behind(other, id, dreaming.now));
    merged.push({ into: id, from: same.map((other) => other.id), reason: "they say the same" });
  }
  return merged;
}

/** It stands behind another from now on: how long it is kept counts from here. */
export function behind(memory: Memory, superseded_by: MemoryId, now: number): Memory {
  return { ...memory, state: "superseded", superseded_by, used_at: now };
}

/** What a person wrote stays before what was learned, and the stronger before the weaker. */
function keeperRank(memory: Memory, { now }: Dreaming): number {
  return (memory.origin === "user" ? 10 : 0) + strengthOf(memory, now);
}

function isDuplicate(keeper: Memory, other: Memory, dreaming: Dreaming): boolean {
  if (other.state !== "active" || other.id === keeper.id) return false;
  if (other.kind !== keeper.kind || other.untrusted !== keeper.untrusted) return false; // R2
  if (other.principal !== keeper.principal) return false;
  const [a, b] = [wordingOf(keeper), wordingOf(other)];
  if (a.resolves !== b.resolves) return false;
  if (a.text === b.text) return true;
  if (dreaming.left <= 0) return false; // R3
  dreaming.left -= 1;
  return likeness(a.shingles, b.shingles) >= DUPLICATE_LIKENESS;
}

export function joined(keeper: Memory, others: readonly Memory[]): Memory {
  const all = [keeper, ...others];
  const doubt = all.reduce((product, { confidence }) => product * (1 - confidence), 1);
  return {
    ...keeper,
    confidence: Math.max(keeper.confidence, Math.min(CONFIDENCE_MAX, 1 - doubt)),
    evidence: joinedEvidence(all.map(({ evidence }) => evidence)),
    uses: all.reduce((sum, { uses }) => sum + uses, 0),
    used_at: Math.max(...all.map(({ used_at }) => used_at)),
  };
}

export function joinedEvidence(all: readonly (readonly MemoryEvidence[])[]): readonly MemoryEvidence[] {
  const each = new Map(all.flat().map((one) => [`${one.session} ${one.seq}`, one]));
  // An id of a session begins with its time.
  return [...each.values()]
    .sort((a, b) => (a.session < b.session ? -1 : a.session > b.session ? 1 : a.seq - b.seq))
    .slice(-MEMORY_EVIDENCE_MAX);
}

function contradictions(dreaming: Dreaming): {
  readonly superseded: readonly Superseding[];
  readonly likely: readonly Proposal[];
} {
  const near = neighbours(active(dreaming));
  const superseded: Superseding[] = [];
  const likely: Proposal[] = [];
  const newestFirst = active(dreaming).toSorted((a, b) => b.created_at - a.created_at);
  for (const newer of newestFirst) {
    if (dreaming.all.get(newer.id)?.state !== "active") continue;
    for (const { id } of near.of(newer)) {
      const older = dreaming.all.get(id);
      if (older?.state !== "active" || dreaming.left <= 0) continue;
      dreaming.left -= 1;
      const found = contradiction(newer, older);
      if (found === null) continue;
      const { certainty, reason } = found;
      if (certainty === "likely") likely.push({ kind: "supersede", newer: newer.id, older: id, reason });
      else {
        change(dreaming, behind(older, newer.id, dreaming.now));
        superseded.push({ newer: newer.id, older: id, reason });
      }
    }
  }
  return { superseded, likely };
}

function promote(dreaming: Dreaming): readonly Promotion[] {
  return active(dreaming).flatMap((memory): Promotion[] => {
    const sessions = sessionsOf(memory);
    if (memory.untrusted || sessions < RECURS_SESSIONS) return [];
    const to = Math.min(CONFIDENCE_MAX, CONFIDENCE_BASE + CONFIDENCE_PER_SESSION * sessions);
    if (to <= memory.confidence) return [];
    change(dreaming, { ...memory, confidence: to });
    return [{ memory: memory.id, from: memory.confidence, to, reason: `learned in ${sessions} sessions` }];
  });
}

export function sessionsOf({ evidence }: Pick<Memory, "evidence">): number {
  return new Set(evidence.map(({ session }) => session)).size;
}

/** R1. */
function waiting({ all, forgotten }: Dreaming): readonly Proposal[] {
  return [...all.values()]
    .filter(({ id, state }) => state === "proposed" && !forgotten.has(id))
    .map(({ id, untrusted, origin }) => {
      const why = untrusted
        ? "its session had taken in text of strangers"
        : `${origin} wrote what tells later sessions what to do`;
      return { kind: "approve", memory: id, untrusted, reason: why };
    });
}

/** Projects in which the same has to hold before it is proposed for all. */
const WIDE_PROJECTS = 2;

/** @param projects of each project the active memories of its own */
export function widenings(projects: readonly (readonly Memory[])[], users: readonly Memory[]): readonly Proposal[] {
  const known = new Set(users.map(({ text }) => normalised(text)));
  const found = new Map<string, Memory[]>();
  for (const memories of projects) {
    const own = new Map(memories.filter(isWidenable).map((memory) => [normalised(memory.text), memory]));
    for (const [text, memory] of own) found.set(text, [...(found.get(text) ?? []), memory]);
  }
  return [...found]
    .filter(([text, memories]) => memories.length >= WIDE_PROJECTS && !known.has(text))
    .slice(0, PROPOSALS_MAX)
    .flatMap(([, [first, ...others]]): Proposal[] =>
      first === undefined
        ? []
        : [{ kind: "widen", memory: first.id, reason: `it holds in ${others.length + 1} projects` }],
    );
}

function isWidenable({ scope, state, untrusted }: Memory): boolean {
  return scope === "project" && state === "active" && !untrusted;
}
