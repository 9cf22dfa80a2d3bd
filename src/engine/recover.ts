/**
 * What a run does first when an older one was cut off (G2): the old process tree is proven dead; a call that changed
 * nothing, or that was confined and whose changes can be undone, is undone and runs again; any other is reported as
 * `interrupted` and never repeated silently.
 */
import { textPart } from "../kernel/content.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { ModelCallId, ToolCallId } from "../kernel/ids.ts";
import { NO_MONEY } from "../kernel/money.ts";
import type { ProcessIdentity } from "../kernel/process-identity.ts";
import type { SessionState, ToolCall } from "../kernel/state.ts";
import type { Step } from "../kernel/step.ts";
import { NO_USAGE } from "../kernel/usage.ts";
import { openCall } from "./judge-tools.ts";
import type { Drive } from "./run.ts";
import { leaveAsItWas } from "./verify.ts";

type RecoverStep = Extract<Step, { readonly kind: "recover" }>;

/** How many changed paths outside the tracked scope are named. */
const NAMED_PATHS_MAX = 5;

export async function recover(step: RecoverStep, run: Drive): Promise<readonly Draft[]> {
  const loose = run.state().processes.map((entry) => entry.process);
  const deaths = await endAll(loose, run);
  // A verification that was cut off: what it left must not become the work.
  if (loose.length > 0) await leaveAsItWas(run);
  const calls: Draft[] = [];
  let unprovable = deaths.unprovable;
  for (const id of step.calls) {
    const recovered = await recoverCall(id, run);
    calls.push(...recovered.drafts);
    unprovable += recovered.unprovable;
  }
  const processes = step.calls.reduce((sum, id) => sum + openCall(run.state(), id).processes.length, loose.length);
  return [
    ...(step.model === null ? [] : lostAnswer(step.model, run.state())),
    ...calls,
    { kind: "RecoveryFinished", data: { processes, unprovable } },
  ];
}

export function lostAnswer(call: ModelCallId, { reserved }: SessionState): readonly Draft[] {
  return [
    {
      kind: "ModelCallFailed",
      data: {
        call,
        kind: "interrupted",
        message: "belay was stopped while the answer was under way.",
        http: null,
        request_id: null,
        retry_after_ms: null,
        partial: "",
        usage: null,
        duration_ms: 0,
      },
    },
    {
      kind: "BudgetSettled",
      data: {
        call,
        usage: NO_USAGE,
        cost: NO_MONEY,
        price: null,
        unknown_tokens: reserved?.call === call ? reserved.tokens : 0,
        unknown_cost: reserved?.call === call ? reserved.cost : NO_MONEY,
      },
    },
  ];
}

interface Recovered {
  readonly drafts: readonly Draft[];
  /** Of its processes, how many could not be proven dead. */
  readonly unprovable: number;
}

async function recoverCall(id: ToolCallId, run: Drive): Promise<Recovered> {
  const call = openCall(run.state(), id);
  const { unprovable } = await endAll(call.processes, run);
  if (call.effect === "read") return { drafts: [{ kind: "ToolRequeued", data: { call: id, note: null } }], unprovable };
  const doubt = unprovable > 0 ? "its processes could not be proven dead" : await whyNotUndone(call, run);
  return { drafts: doubt === null ? await undo(call, run) : [interrupted(call, doubt)], unprovable };
}

/** Null when everything the call can have changed will be undone by a rollback. */
async function whyNotUndone(call: ToolCall, run: Drive): Promise<string | null> {
  const { started } = call;
  if (started === null || started.tree === null || started.file_time === null)
    return "there is no snapshot from before it";
  if (run.config().workspace.mode === "in_place") return "nothing is undone by itself in the user's own files";
  if (!started.confined) return "it was not confined: it could have reached the network or files outside the workspace";
  const workspace = await run.workspace();
  const changed = await workspace.untrackedChangedSince(started.file_time, NAMED_PATHS_MAX);
  return changed.length === 0 ? null : `it changed files that are not tracked (${changed.join(", ")})`;
}

async function undo(call: ToolCall, run: Drive): Promise<readonly Draft[]> {
  const tree = call.started?.tree;
  if (tree == null) return [interrupted(call, "there is no snapshot from before it")];
  const workspace = await run.workspace();
  const restored = await workspace.restore(tree);
  await workspace.resetScratch();
  const { call: id, name } = call.part;
  const reason = `belay was stopped in the middle of \`${name}\`; ${restored.length === 1 ? "one changed file was" : `${restored.length} changed files were`} set back and it ran again. $HOME and /tmp were emptied, as after a reboot.`;
  return [
    { kind: "RolledBack", data: { reason, tree, from: null, call: id, checkpoint: null } },
    { kind: "ToolRequeued", data: { call: id, note: call.processes.length === 0 ? null : reason } },
  ];
}

function interrupted(call: ToolCall, doubt: string): Draft {
  const say =
    `belay was stopped while this ran, and it was not repeated because ${doubt}. ` +
    "What it did is unknown: look at the state of things before you repeat any of it.";
  return {
    kind: "ToolFinished",
    data: {
      call: call.part.call,
      status: "interrupted",
      content: [textPart(`interrupted: outcome unknown. ${say}`, { from: "belay" })],
      output: null,
      exit: null,
      duration_ms: 0,
    },
  };
}

async function endAll(processes: readonly ProcessIdentity[], run: Drive): Promise<{ readonly unprovable: number }> {
  const ends = await Promise.all(processes.map((process) => run.host.endProcess(process)));
  return { unprovable: ends.filter((end) => end === "unprovable").length };
}
