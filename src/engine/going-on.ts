/** What a resume says besides its message: that a person looked at the work, or that another task begins with a fresh conversation. */
import { planFresh } from "../context/plan-compaction.ts";
import type { SessionConfig } from "../kernel/config.ts";
import type { Draft } from "../kernel/events/index.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionState } from "../kernel/state.ts";
import { phaseDrafts, phasesAnew } from "./next-phase.ts";

export interface Review {
  /** Who looked. */
  readonly by: string;
  /** What they said about it; it is handed in as a message, too. Null: nothing. */
  readonly remark: string | null;
}

/** @throws HarnessError `usage` where a review is due and was not given, or was given where there was nothing to review */
export function reviewDrafts(state: SessionState, config: SessionConfig, review: Review | null): readonly Draft[] {
  const { session, end } = state;
  if (review === null) {
    if (end?.outcome === "needs_review") throw notReviewed(session);
    return [];
  }
  if (end?.outcome !== "needs_review" && (end?.outcome === "completed" || config.review_every === null)) {
    throw new HarnessError(
      "usage",
      `Session ${session} waits for no review: ${end === null ? "it has none planned" : `it ended as ${end.outcome}`}.`,
      `Go on with \`belay resume ${session}\`, and say what more with --message.`,
    );
  }
  return [{ kind: "ReviewGiven", actor: "user", data: { by: review.by, remark: review.remark } }];
}

function notReviewed(session: string): HarnessError {
  return new HarnessError(
    "usage",
    `Session ${session} waits for a review: a person looks at what was done before it goes on.`,
    `See it with \`belay sessions show ${session} --review\`; then \`belay resume ${session} --approve\`, or say what to do ` +
      `otherwise with \`belay resume ${session} --message "…"\`.`,
  );
}

/** Nothing of the conversation stays but what must not be forgotten. @throws HarnessError `usage` in the middle of a step */
export function freshDrafts(state: SessionState): readonly Draft[] {
  if (state.batch.length > 0) {
    throw new HarnessError(
      "usage",
      `Session ${state.session} stopped in the middle of a step: ${state.batch.map(({ part }) => part.name).join(", ")}.`,
      `Finish it with \`belay resume ${state.session}\`, or start another session with \`belay run\`.`,
    );
  }
  return [{ kind: "ContextCompacted", data: planFresh(state) }];
}

/** More to do after all phases is done in all of them; else the phase goes on where it was. */
export function resumedPhase(
  { phase, end }: SessionState,
  config: SessionConfig,
  { more, fresh }: { readonly more: boolean; readonly fresh: boolean },
): readonly Draft[] {
  const anew = config.phases.length > 0 && (fresh || (more && end?.outcome === "completed"));
  return anew ? phasesAnew(phase, config) : phaseDrafts(phase, config);
}
