/** Which model a session asks next, and which one may take over. */
import type { SessionConfig } from "./config.ts";
import type { ErrorKind } from "./error-kind.ts";
import { type ChosenModel, type FallbackReason, sameModel } from "./model-policy.ts";
import type { SessionState } from "./state.ts";

/** The model of the next call: the one that took over in this run, else that of the phase, else the session's. */
export function modelInUse(state: Pick<SessionState, "config" | "phase" | "using">): ChosenModel {
  const { config, phase, using } = state;
  if (using !== null) return { provider: using.provider, model: using.model };
  const ofPhase =
    phase !== null && config && Object.hasOwn(config.models.phases, phase) ? config.models.phases[phase] : undefined;
  return ofPhase ?? { provider: config?.provider ?? "", model: config?.model ?? "" };
}

const REASONS: { readonly [Kind in ErrorKind]?: FallbackReason } = {
  overloaded: "overloaded",
  server_error: "overloaded",
  timeout: "overloaded",
  stream_idle: "overloaded",
  circuit_open: "overloaded",
  rate_limit: "rate_limit",
  not_found: "not_found",
  refusal: "refusal",
  content_filter: "refusal",
  budget_exceeded: "budget",
};

/** The next model, where this failure lets one take over; null where none may or none is left. */
export function nextModel(state: Pick<SessionState, "config" | "using">, kind: ErrorKind): ChosenModel | null {
  const policy = state.config?.models;
  const reason = REASONS[kind];
  if (policy === undefined || reason === undefined || !policy.fallback_on.includes(reason)) return null;
  return policy.fallback[state.using === null ? 0 : state.using.fallback + 1] ?? null;
}

/** The phase of a run: the one that was reached of those that were planned, else by what it may do; null where nothing hangs on phases. */
export function phaseOfRun(
  { permission_mode, models, budget, phases }: SessionConfig,
  present: string | null,
): string | null {
  const [first] = phases;
  if (first !== undefined) return phases.find(({ name }) => name === present)?.name ?? first.name;
  const hangs = Object.keys(models.phases).length > 0 || budget.caps.some(({ scope }) => scope.startsWith("phase:"));
  if (permission_mode === "plan") return "plan";
  return hangs ? "work" : null;
}

/** What is kept of the conversation's counts and thinking when the model of the next call is another: both are the old one's own. */
export function afterModelChange(before: SessionState, after: SessionState): SessionState {
  if (sameModel(modelInUse(before), modelInUse(after))) return after;
  return { ...after, thinking_from: after.messages.length, counted: null };
}
