/**
 * `.belay/CONTINUITY.md` of the workspace: what people and the model find of the session's task, state, lessons and queue. It is
 * written from the journal's fold alone, so a copy that is old, damaged or gone is right again at the next turn.
 *
 * K3: that it cannot be written ends nothing: the session says so once, and says when it can be written again.
 */
import { renderContinuity } from "../context/continuity.ts";
import type { Draft } from "../kernel/events/index.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionState } from "../kernel/state.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { Drive } from "./run.ts";

const SUBSYSTEM = "continuity";

type Continuing = Pick<Drive, "state" | "workspace" | "record">;

/** As a turn begins. Nothing where no workspace is made yet. */
export async function writeContinuity(run: Continuing): Promise<void> {
  if (run.state().workspace === null) return;
  await run.record(await continuityDrafts(await run.workspace(), run.state()));
}

/** When a run has ended: its journal is closed to news, and what is left there says how it ended. */
export async function leaveContinuity(run: Continuing): Promise<void> {
  if (run.state().workspace === null) return;
  try {
    await (await run.workspace()).note(renderContinuity(run.state()));
  } catch (error) {
    // Who lost the session in between writes nothing, and the run has ended all the same.
    if (!(error instanceof HarnessError)) throw error;
  }
}

/** K3. Writes it, and hands back what the journal has not heard yet. */
export async function continuityDrafts(workspace: Workspace, state: SessionState): Promise<readonly Draft[]> {
  const end = await workspace.note(renderContinuity(state));
  const known = state.health[SUBSYSTEM];
  if (typeof end === "object") {
    const reason = `.belay/CONTINUITY.md is not kept: ${end.refused}`;
    if (known?.status === "degraded" && known.reason === reason) return [];
    return [{ kind: "HealthChanged", data: { subsystem: SUBSYSTEM, status: "degraded", reason } }];
  }
  if (known === undefined || known.status === "ok") return [];
  return [
    {
      kind: "HealthChanged",
      data: { subsystem: SUBSYSTEM, status: "ok", reason: ".belay/CONTINUITY.md is kept again" },
    },
  ];
}
