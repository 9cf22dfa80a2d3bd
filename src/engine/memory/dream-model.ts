/**
 * The part of a dream that a model is asked for: memories that are alike, in small groups, after all that is done without it.
 *
 * Y1: all it can bring about is that members of one group which it was shown become one, by the words of one of them. What it says beyond
 *     that is refused or proposed (`memory/model-answer.ts`); nothing it says makes a memory, a text or a trust.
 * Y2: whatever becomes of the model, what the dream did without it stands; what an earlier answer brought about does too.
 * Y3: what was changed or forgotten by others since it was read is left alone.
 */
import type { Clock } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { MemoryId, PrincipalId, SessionId, TenantId } from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import type { Memory } from "../../kernel/memory.ts";
import type { ChosenModel } from "../../kernel/model-policy.ts";
import { type AlikeGroup, alikeGroups } from "../../memory/alike.ts";
import { behind, joined, type Merge, PROPOSALS_MAX, type Superseding } from "../../memory/dream.ts";
import { type Believed, believed, pagesOf, pageText } from "../../memory/model-answer.ts";
import type { Store } from "../../store/port.ts";
import { DREAM_LEASE_MS, goOnDreaming } from "./dream-lease.ts";

/** Questions of one dream: what is left is for the next one. */
export const CALLS_MAX = 8;
/** Refusals that are named; all are counted. */
const REFUSED_SHOWN_MAX = 20;
/** Groups that were answered and are not shown again while their texts stay; the newest. */
const ASKED_MAX = 2_000;
const ASKED_KEY = "memory.dream.asked";

export type Said =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly canceled: boolean; readonly why: string };

/** Who is asked, and what for. */
export interface Asker {
  readonly model: ChosenModel;
  /** One question, by references to memories. Never throws but `HarnessError`. */
  ask(page: string, signal: AbortSignal): Promise<Said>;
  spent(): Spent;
}

export interface Spent {
  /** Whose journal has every call with its cost; null where none was made. */
  readonly session: SessionId | null;
  /** Dollars; null where the price is not known. */
  readonly cost_usd: number | null;
  /** What answers that were lost may have cost beyond that. */
  readonly unknown_cost_usd: number;
}

export interface DreamModel {
  readonly asker: Asker;
  readonly clock: Clock;
  /** Before each question. */
  readonly onAsk: (asking: { readonly call: number; readonly groups: number; readonly left: number }) => void;
}

export interface ModelDreamed extends Spent {
  readonly model: ChosenModel;
  /** Questions. */
  readonly calls: number;
  /** Groups with an answer that counts. */
  readonly answered: number;
  /** Groups that were not answered. */
  readonly left: number;
  readonly merged: readonly Merge[];
  /** In doubt: never done by a dream, whatever else is. */
  readonly proposed: readonly Superseding[];
  readonly refused: { readonly count: number; readonly reasons: readonly string[] };
  readonly left_alone: number;
  /** Why it was not asked further; null where it was asked all. */
  readonly stopped: string | null;
}

export interface ModelDreamRequest {
  readonly of: { readonly tenant: TenantId; readonly principal: PrincipalId };
  readonly owner: string;
  readonly apply: boolean;
  readonly signal: AbortSignal;
  readonly model: DreamModel;
  /** As they are when the rest is done. */
  readonly memories: readonly Memory[];
  readonly now: number;
}

interface Tally {
  calls: number;
  answered: number;
  left_alone: number;
  refused: number;
  readonly merged: Merge[];
  readonly proposed: Superseding[];
  readonly reasons: Set<string>;
}

type Status = "done" | "canceled" | "lost";
interface Ended {
  readonly status: Status;
  readonly model: ModelDreamed;
}

export async function dreamWithModel(store: Store, request: ModelDreamRequest): Promise<Ended> {
  const { asker, onAsk } = request.model;
  const known = await readAsked(store, request.of.tenant);
  const { groups, left } = alikeGroups(request.memories, new Set(known));
  const tally: Tally = {
    calls: 0,
    answered: 0,
    left_alone: 0,
    refused: 0,
    merged: [],
    proposed: [],
    reasons: new Set(),
  };
  const ended = (status: Status, stopped: string | null): Ended => {
    const { calls, answered, left_alone, merged, proposed, refused, reasons } = tally;
    const counts = { calls, answered, left_alone, left: groups.length - answered + left };
    const why = { count: refused, reasons: [...reasons].slice(0, REFUSED_SHOWN_MAX) };
    return {
      status,
      model: { model: asker.model, ...asker.spent(), ...counts, merged, proposed, refused: why, stopped },
    };
  };
  for (const page of pagesOf(groups)) {
    if (request.signal.aborted) return ended("canceled", CANCELED);
    if (tally.calls >= CALLS_MAX) return ended("done", `It is asked at most ${CALLS_MAX} times in one dream.`);
    tally.calls += 1;
    onAsk({ call: tally.calls, groups: page.length, left: groups.length - tally.answered });
    const said = await askedInLease(page, store, request);
    if (said === "lost") return ended("lost", LOST);
    if (!said.ok) return ended(said.canceled && request.signal.aborted ? "canceled" : "done", said.why);
    const found = believed(said.text, page);
    if (found === null) return ended("done", "Its answer was not the JSON that it was asked for.");
    if (request.apply && !(await goOnDreaming(store, request.of.tenant, request.owner))) return ended("lost", LOST);
    await take(found, tally, store, request);
  }
  return ended("done", null);
}

const CANCELED = "The dream was stopped.";
const LOST = "Another dream took over.";

/** The lease is kept while the model thinks: that may take longer than the lease. */
async function askedInLease(
  page: readonly AlikeGroup[],
  store: Store,
  { of, owner, apply, signal, model }: ModelDreamRequest,
): Promise<Said | "lost"> {
  const lost = new AbortController();
  const over = new AbortController();
  const kept = apply ? keepLease() : Promise.resolve();
  kept.catch(() => undefined); // awaited below
  async function keepLease(): Promise<void> {
    for (;;) {
      await model.clock.sleep(DREAM_LEASE_MS / 3, over.signal);
      if (over.signal.aborted) return;
      if (await goOnDreaming(store, of.tenant, owner)) continue;
      lost.abort("lost");
      return;
    }
  }
  try {
    const said = await model.asker.ask(pageText(page), AbortSignal.any([signal, lost.signal]));
    return lost.signal.aborted ? "lost" : said;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { ok: false, canceled: false, why: error.message }; // Y2
  } finally {
    over.abort("ended");
    await kept;
  }
}

/** Of one answer: each merge is one change of the store. */
async function take(found: Believed, tally: Tally, store: Store, request: ModelDreamRequest): Promise<void> {
  for (const { into, from } of found.merges) {
    if (request.apply && !(await merge(store, { into, from }, request))) {
      tally.left_alone += 1 + from.length;
      continue;
    }
    tally.merged.push({ into: into.id, from: from.map(({ id }) => id), reason: "they say the same in other words" });
  }
  for (const { newer, older } of found.contradictions.slice(0, PROPOSALS_MAX - tally.proposed.length))
    tally.proposed.push({ newer, older, reason: "only one of them can be true" });
  for (const reason of found.refused) tally.reasons.add(reason);
  tally.refused += found.refused.length;
  tally.answered += found.answered.length;
  if (request.apply) await addAsked(store, request.of.tenant, found.answered);
}

/** Y3. */
async function merge(
  store: Store,
  { into, from }: { readonly into: Memory; readonly from: readonly Memory[] },
  { of, now }: ModelDreamRequest,
): Promise<boolean> {
  const read = [into, ...from];
  const ids: readonly MemoryId[] = read.map(({ id }) => id);
  const present = new Map((await store.getMemories(of, ids)).map((memory) => [memory.id, canonicalJson(memory)]));
  if (read.some((memory) => present.get(memory.id) !== canonicalJson(memory))) return false;
  // That a model says so makes nothing more certain.
  const confidence = Math.max(...read.map((memory) => memory.confidence));
  const revise = [{ ...joined(into, from), confidence }, ...from.map((other) => behind(other, into.id, now))];
  await store.changeMemories(of, { put: [], revise, forget: [], used: [] });
  return true;
}

async function readAsked(store: Store, tenant: TenantId): Promise<readonly string[]> {
  return askedIn((await store.readCell(tenant, ASKED_KEY)).value);
}

/** A cell may be lost, and so may a write that another one was before: then it is asked once more. */
async function addAsked(store: Store, tenant: TenantId, groups: readonly AlikeGroup[]): Promise<void> {
  if (groups.length === 0) return;
  const { value, version } = await store.readCell(tenant, ASKED_KEY);
  const all = new Set([...askedIn(value), ...groups.map(({ hash }) => hash)]);
  const kept = JSON.stringify([...all].slice(-ASKED_MAX));
  await store.writeCell({ tenant, key: ASKED_KEY, expected: version, value: kept });
}

function askedIn(value: string | null): readonly string[] {
  if (value === null) return [];
  try {
    const all: unknown = JSON.parse(value);
    return Array.isArray(all) ? all.filter((one) => typeof one === "string") : [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}
