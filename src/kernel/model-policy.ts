/** Which models a session may use, and when it goes from one to the next. */
import * as z from "zod";
import { lazy } from "./lazy.ts";

const chosenModelSchema = lazy(() => z.object({ provider: z.string(), model: z.string() }));

export type ChosenModel = Readonly<z.infer<ReturnType<typeof chosenModelSchema>>>;

export function sameModel(a: ChosenModel, b: ChosenModel): boolean {
  return a.provider === b.provider && a.model === b.model;
}

/** Why a session may go to its next model. Never for credentials or billing: another model would hide what a person has to mend. */
export const FALLBACK_REASONS = ["overloaded", "rate_limit", "not_found", "refusal", "budget"] as const;
export type FallbackReason = (typeof FALLBACK_REASONS)[number];

export const modelPolicySchema = lazy(() =>
  z.object({
    /** In the order in which they are tried when the one in use cannot go on; kept until the run ends. */
    fallback: z.array(chosenModelSchema()),
    fallback_on: z.array(z.enum(FALLBACK_REASONS)),
    /** A wait for the rate that is longer than this goes to the next model instead, where one may take over. Milliseconds. */
    patience_ms: z.int().nonnegative(),
    /** By name of the phase, the skill or the kind of sub-agent: instead of the session's own model. */
    phases: z.record(z.string(), chosenModelSchema()),
    skills: z.record(z.string(), chosenModelSchema()),
    sub_agents: z.record(z.string(), chosenModelSchema()),
  }),
);

export type ModelPolicy = Readonly<z.infer<ReturnType<typeof modelPolicySchema>>>;

export const PATIENCE_MS_DEFAULT = 30_000;

export const NO_FALLBACK: ModelPolicy = {
  fallback: [],
  fallback_on: ["overloaded", "rate_limit", "not_found"],
  patience_ms: PATIENCE_MS_DEFAULT,
  phases: {},
  skills: {},
  sub_agents: {},
};
