/** What a run leaves behind, before it ends: taken from its folded state by rule (`memory/consolidate.ts`). */
import type { Draft } from "../../kernel/events/index.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { Memory } from "../../kernel/memory.ts";
import type { Outcome } from "../../kernel/outcome.ts";
import { consolidate, type Learned } from "../../memory/consolidate.ts";
import { joinedEvidence } from "../../memory/dream.ts";
import { normalised, termsOf } from "../../memory/terms.ts";
import type { Drive } from "../run.ts";
import { written } from "./keeper.ts";
import { writesMemories } from "./references.ts";
import { placed } from "./supersede.ts";

/** Of a run that went wrong nothing is learned but by its own journal. */
const LEARNS_NOTHING: ReadonlySet<Outcome> = new Set<Outcome>(["failed", "refused", "loop_detected", "canceled"]);
/** What is known already is looked for among so many. */
const KNOWN_HITS_MAX = 10;

/** The events to be stored with the end of the run. Without a project of its own a session leaves nothing by itself. */
export async function learnedDrafts(outcome: Outcome, run: Drive): Promise<readonly Draft[]> {
  const { memory, agents } = run.config();
  if (LEARNS_NOTHING.has(outcome) || memory.project === "" || agents.level > 0 || !writesMemories(run)) return [];
  const { continuity, messages, turn, label, run: going } = run.state();
  const since_turn = turn - (going?.turns ?? 0);
  const learned = consolidate({ continuity, messages, since_turn, untrusted: label.untrusted.length > 0 });
  const drafts: Draft[] = [];
  try {
    for (const one of learned) drafts.push(...(await keepLearned(one, run)));
    return drafts;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    const reason = `Not all that the run learned was kept: ${error.message}`;
    return [...drafts, { kind: "HealthChanged", data: { subsystem: "memory", status: "degraded", reason } }];
  }
}

async function keepLearned(learned: Learned, run: Drive): Promise<readonly Draft[]> {
  const { tenant, principal, session, seq, label } = run.state();
  const { store } = run.host;
  const { project } = run.config().memory;
  const evidence = [{ session, seq }];
  const view = {
    tenant,
    principal,
    project,
    scopes: ["project"],
    states: ["active", "proposed", "superseded"],
  } as const;
  const hits = await store.searchMemories(view, termsOf(learned.text).join(" "), KNOWN_HITS_MAX);
  const known = hits.find(
    ({ memory }) => memory.kind === learned.kind && normalised(memory.text) === normalised(learned.text),
  );
  if (known !== undefined) {
    // What strangers had a part in makes nothing stronger that they had none in.
    if (label.untrusted.length > 0 && !known.memory.untrusted) return [];
    const confirmed = { ...known.memory, evidence: joinedEvidence([known.memory.evidence, evidence]) };
    await store.changeMemories(
      { tenant, principal },
      { put: [], revise: [confirmed], forget: [], used: [confirmed.id] },
    );
    return [];
  }
  const now = await store.now();
  const found: Memory = {
    ...learned,
    tenant,
    principal,
    id: run.host.ids.memory(),
    scope: "project",
    project,
    origin: "consolidation",
    untrusted: label.untrusted.length > 0,
    evidence,
    created_at: now,
    used_at: now,
    uses: 0,
    superseded_by: null,
  };
  const { memory, older, supersedes } = await placed(found, store);
  await store.changeMemories({ tenant, principal }, { put: [memory], revise: older, forget: [], used: [] });
  return [written(memory, null, supersedes)];
}
