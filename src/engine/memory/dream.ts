/**
 * A dream: memories are looked through between sessions, and what `memory/dream.ts` plans is done in steps.
 *
 * Z1: one at a time (`dream-lease.ts`): a second one changes nothing. One that lost its lease stops before its next step.
 * Z2: it may be stopped between two steps; each step is whole, and what was done stays.
 * Z3: what was changed or forgotten by others since it was read is left alone.
 */
import type { PrincipalId, TenantId } from "../../kernel/ids.ts";
import type { Memory } from "../../kernel/memory.ts";
import { canonicalJson } from "../../kernel/json.ts";
import { behind, COMPARISONS_MAX, type DreamPlan, planDream, type Proposal, widenings } from "../../memory/dream.ts";
import { MEMORIES_MAX, type Memories, type MemoryView } from "../../store/memories.ts";
import type { Store } from "../../store/port.ts";
import type { Host } from "../host.ts";
import { beginDream, endDream, goOnDreaming, readDream } from "./dream-lease.ts";
import type { DreamModel, ModelDreamed } from "./dream-model.ts";

/** Memories that are changed in one step. */
const STEP = 100;
const EVERY_STATE = ["pending", "proposed", "active", "superseded"] as const;

export interface DreamRequest {
  readonly of: { readonly tenant: TenantId; readonly principal: PrincipalId };
  /** Besides the person's own. */
  readonly projects: readonly string[];
  /** Says who dreams: new and random for each. */
  readonly owner: string;
  /** False: only says what it would do. */
  readonly apply: boolean;
  /** A person said yes to what is proposed, but for what strangers had a part in: that is approved one by one. */
  readonly applyProposals: boolean;
  readonly signal: AbortSignal;
  /** Of each place, the newest. Default all. */
  readonly items?: number;
  /** Default `COMPARISONS_MAX`. */
  readonly comparisons?: number;
  /** Is asked about what is alike when the rest is done. Default none: a dream needs no model. */
  readonly model?: DreamModel;
}

export interface DreamedPlace {
  /** Null: the person's own. */
  readonly project: string | null;
  readonly plan: DreamPlan;
  /** Memories that changed or went elsewhere since they were read, and were left alone. */
  readonly left_alone: number;
}

export type Dreamed =
  | { readonly status: "busy"; readonly until: number }
  | {
      /** `canceled` and `lost`: the places that are named were done. */
      readonly status: "done" | "canceled" | "lost";
      readonly places: readonly DreamedPlace[];
      /** What holds in several projects. */
      readonly widen: readonly Proposal[];
      /** What a model had a part in; null where none was to be asked, or the dream ended before. */
      readonly model: ModelDreamed | null;
      /** As they were, by id. */
      readonly memories: ReadonlyMap<string, Memory>;
    };

export async function dream(host: Pick<Host, "store" | "ids">, request: DreamRequest): Promise<Dreamed> {
  const { store } = host;
  const { tenant } = request.of;
  if (!request.apply) return dreaming(host, request);
  if (!(await beginDream(store, tenant, request.owner))) {
    return { status: "busy", until: (await readDream(store, tenant)).until };
  }
  let whole = false;
  try {
    const dreamed = await dreaming(host, request);
    whole = dreamed.status === "done";
    return dreamed;
  } finally {
    await endDream(store, tenant, request.owner, whole);
  }
}

async function dreaming({ store, ids }: Pick<Host, "store" | "ids">, request: DreamRequest): Promise<Dreamed> {
  const { of, projects, signal, items = MEMORIES_MAX, comparisons = COMPARISONS_MAX } = request;
  const memories = new Map<string, Memory>();
  const places: DreamedPlace[] = [];
  const shelves: (readonly Memory[])[] = [];
  const now = await store.now();
  const ended = (status: "done" | "canceled" | "lost", model: ModelDreamed | null = null): Dreamed => ({
    status,
    places,
    widen: widenings(shelves.slice(1), shelves[0] ?? []),
    model,
    memories,
  });
  for (const project of [null, ...projects]) {
    if (signal.aborted) return ended("canceled");
    const found = await listed(store, { ...of, project }, items);
    for (const memory of found) memories.set(memory.id, memory);
    const plan = planDream({ memories: found, now, comparisons });
    shelves.push(found);
    const step = request.apply
      ? await applied(store, plan, found, request)
      : { status: "done" as const, left_alone: 0 };
    places.push({ project, plan, left_alone: step.left_alone });
    if (step.status !== "done") return ended(step.status);
  }
  const dreamed = ended("done");
  if (request.apply && request.applyProposals && dreamed.status !== "busy") {
    for (const proposal of [...places.flatMap(({ plan }) => plan.proposed), ...dreamed.widen])
      await applyProposal(store, proposal, { of, now, mint: () => ids.memory() });
  }
  if (request.model === undefined) return dreamed;
  const left: Memory[] = [];
  for (const [i, project] of [null, ...projects].entries())
    left.push(
      ...(request.apply ? await listed(store, { ...of, project }, items) : planned(shelves[i], places[i]?.plan)),
    );
  const { dreamWithModel } = await import("./dream-model.ts"); // few dreams ask a model, and every run loads this file
  const { status, model } = await dreamWithModel(store, { ...request, model: request.model, memories: left, now });
  return ended(status, model);
}

/** As the plan would leave them. */
function planned(found: readonly Memory[] = [], plan?: DreamPlan): readonly Memory[] {
  const put = new Map(plan?.put.map((memory) => [memory.id, memory]));
  const gone = new Set(plan?.forget);
  return found.flatMap((memory) => (gone.has(memory.id) ? [] : (put.get(memory.id) ?? memory)));
}

async function listed(store: Memories, view: MemoryView, items: number): Promise<readonly Memory[]> {
  const scopes = view.project === null ? (["user"] as const) : (["project", "team"] as const);
  const each = await Promise.all(
    scopes.map((scope) => store.listMemories({ ...view, scopes: [scope], states: EVERY_STATE }, items)),
  );
  return each.flat();
}

interface Step {
  readonly status: "done" | "canceled" | "lost";
  readonly left_alone: number;
}

async function applied(store: Store, plan: DreamPlan, found: readonly Memory[], request: DreamRequest): Promise<Step> {
  const before = new Map(found.map((memory) => [memory.id, canonicalJson(memory)]));
  const put = new Map(plan.put.map((memory) => [memory.id, memory]));
  const ids = [...put.keys(), ...plan.forget];
  let left_alone = 0;
  for (let at = 0; at < ids.length; at += STEP) {
    if (request.signal.aborted) return { status: "canceled", left_alone };
    if (!(await goOnDreaming(store, request.of.tenant, request.owner))) return { status: "lost", left_alone };
    const step = ids.slice(at, at + STEP);
    // Z3.
    const present = await store.getMemories(request.of, step);
    const same = present.filter((memory) => canonicalJson(memory) === before.get(memory.id)).map(({ id }) => id);
    left_alone += step.length - same.length;
    const revise = same.flatMap((id) => put.get(id) ?? []);
    await store.changeMemories(request.of, { put: [], revise, forget: same.filter((id) => !put.has(id)), used: [] });
  }
  return { status: "done", left_alone };
}

interface Applying {
  readonly of: DreamRequest["of"];
  readonly now: number;
  readonly mint: () => Memory["id"];
}

async function applyProposal(store: Memories, proposal: Proposal, { of, now, mint }: Applying): Promise<void> {
  const ids = proposal.kind === "supersede" ? [proposal.older, proposal.newer] : [proposal.memory];
  const present = await store.getMemories(of, ids);
  const memory = present.find(({ id }) => id === ids[0]);
  if (memory === undefined || present.length < ids.length) return;
  const done = appliedProposal(proposal, memory, now, mint);
  if (done === null) return;
  const changes = done.id === memory.id ? { put: [], revise: [done] } : { put: [done] };
  await store.changeMemories(of, { ...changes, forget: [], used: [] });
}

function appliedProposal(proposal: Proposal, memory: Memory, now: number, mint: Applying["mint"]): Memory | null {
  switch (proposal.kind) {
    case "supersede":
      return memory.state === "active" ? behind(memory, proposal.newer, now) : null;
    case "widen":
      return {
        ...memory,
        id: mint(),
        scope: "user",
        project: "",
        origin: "dream",
        created_at: now,
        used_at: now,
        uses: 0,
      };
    case "approve":
      return memory.state === "proposed" && !memory.untrusted ? { ...memory, state: "active", used_at: now } : null;
  }
}
