/** What the `remember` tool does: what was stored as pending with the model's answer becomes known to later sessions. */
import type { Draft } from "../../kernel/events/index.ts";
import type { MemoryId } from "../../kernel/ids.ts";
import { type Memory, type MemoryScope, memoryToken, memoryTokensIn } from "../../kernel/memory.ts";
import type { ToolCall } from "../../kernel/state.ts";
import type { KeptMemory, MemoryKeeper } from "../../tool/tool.ts";
import type { Drive } from "../run.ts";
import { writesMemories } from "./references.ts";
import { placed } from "./supersede.ts";

/** What a model says of itself. A person, or more sessions, make more of it. */
const MODEL_CONFIDENCE = 0.7;

type Wanted = Parameters<MemoryKeeper["keep"]>[0];

/** Null where the session writes none. */
export function memoryKeeper(call: ToolCall, run: Drive): MemoryKeeper | null {
  return writesMemories(run) ? { keep: (wanted) => keep(wanted, call, run) } : null;
}

async function keep(wanted: Wanted, call: ToolCall, run: Drive): ReturnType<MemoryKeeper["keep"]> {
  const [id] = memoryTokensIn(wanted.reference);
  const state = run.state();
  const { project } = run.config().memory;
  const scope: MemoryScope = wanted.scope ?? (project === "" ? "user" : "project");
  if (id === undefined || wanted.reference !== memoryToken(id))
    return problem("This answer asked for too many memories. Ask again for this one.");
  if (scope !== "user" && project === "")
    return problem("This directory is no project with memories of its own. Use the scope user.");
  const [pending] = await run.host.store.getMemories(state, [id]);
  if (pending === undefined) return problem(`${id} was forgotten. Go on without.`);
  // A repeated call finds what it has done; a reference to somebody else's memory changes nothing of it.
  if (!pending.evidence.some(({ session }) => session === state.session)) return problem(`${id} is known already.`);
  if (pending.state === "superseded") return problem(`${id} is known already, and a newer one stands for it.`);
  const untrusted = pending.untrusted || state.label.untrusted.length > 0;
  const now = await run.host.store.now();
  const { memory, older, supersedes } = await placed(
    {
      ...pending,
      kind: wanted.kind,
      scope,
      project: scope === "user" ? "" : project,
      untrusted,
      state: untrusted ? "proposed" : "active",
      confidence: MODEL_CONFIDENCE,
      evidence: [{ session: state.session, seq: call.asked_seq }],
      created_at: now,
      used_at: now,
    },
    run.host.store,
  );
  // What was forgotten meanwhile stays away.
  await run.host.store.changeMemories(state, { put: [], revise: [memory, ...older], forget: [], used: [] });
  await run.record([written(memory, call, supersedes)]);
  return {
    ok: true,
    memory: id,
    scope,
    state: untrusted ? "proposed" : "active",
    supersedes: supersedes.length,
  } satisfies KeptMemory;
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text };
}

export function written(memory: Memory, call: ToolCall | null, supersedes: readonly MemoryId[]): Draft {
  const { id, kind, scope, untrusted, confidence, state } = memory;
  return {
    kind: "MemoryWritten",
    data: {
      memory: id,
      kind,
      scope,
      call: call?.part.call ?? null,
      untrusted,
      confidence,
      state: state === "active" ? "active" : "proposed",
      supersedes: [...supersedes],
    },
  };
}
