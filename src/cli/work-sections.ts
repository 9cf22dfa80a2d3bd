/** What the user's and the machine's settings may say about how a session works. */
import * as z from "zod";
import { LIMITS_MAX } from "../kernel/limits.ts";
import { PHASES_MAX } from "../kernel/work-policy.ts";
import { PHASE_PATTERN, REVIEW_EVERY_MAX } from "./work-options.ts";

const PHASE_WRONG = "It must be a name of small letters, digits, - and _, which begins with a letter, at most 40.";
const TOOLS_MAX = 100;
const INSTRUCTIONS_CHARS_MAX = 4_000;

const phaseName: z.ZodString = z.string().regex(PHASE_PATTERN, PHASE_WRONG);

export const phaseDefinition = z.strictObject({
  name: phaseName.describe("What it is called"),
  tools: z
    .array(z.string().min(1).max(200))
    .max(TOOLS_MAX)
    .optional()
    .describe("The only tools it may use; without it all"),
  read_only: z.boolean().optional().describe("It changes nothing"),
  instructions: z.string().max(INSTRUCTIONS_CHARS_MAX).optional().describe("What the model is told when it begins"),
});

export type PhaseDefinition = z.infer<typeof phaseDefinition>;

/** Of one that is built in, or of the settings; or one of its own. */
export const phaseList = z
  .array(z.union([phaseName, phaseDefinition], "It must be the name of a phase, or an object with a name."))
  .max(PHASES_MAX)
  .refine(
    (list) => new Set(list.map((one) => (typeof one === "string" ? one : one.name))).size === list.length,
    "It names a phase twice.",
  );

export const reviewEvery = z.int().min(1).max(REVIEW_EVERY_MAX);

const turns = z.int().max(LIMITS_MAX.turns);

export const WORK_SECTIONS = {
  context: z.strictObject({
    window: z.int().positive().max(LIMITS_MAX.tokens).optional(),
    threshold: z.number().min(0.1).max(0.95).optional(),
    weigh_every: turns.min(1).optional(),
    compact_every: turns.min(5).nullable().optional(),
    summary: z.boolean().optional(),
  }),
  phases: phaseList,
  agents: z.strictObject({
    depth: z.int().min(0).max(3).optional(),
    width: z.int().min(1).max(20).optional(),
    total: z.int().min(0).max(1_000).optional(),
  }),
  memory: z.strictObject({ recall: z.int().min(0).max(50).optional(), remember: z.boolean().optional() }),
  review_every: reviewEvery.nullable(),
};

/** Only what was said. */
export interface WorkSettings {
  readonly context: z.infer<typeof WORK_SECTIONS.context>;
  readonly phases: z.infer<typeof phaseList> | null;
  readonly agents: z.infer<typeof WORK_SECTIONS.agents>;
  readonly memory: z.infer<typeof WORK_SECTIONS.memory>;
  readonly review_every: number | null;
}

type Said = {
  readonly [K in keyof WorkSettings]?: WorkSettings[K] | undefined;
};

export function mergedWork(theirs: Said, own: Said): WorkSettings {
  return {
    context: { ...theirs.context, ...own.context },
    phases: own.phases ?? theirs.phases ?? null,
    agents: { ...theirs.agents, ...own.agents },
    memory: { ...theirs.memory, ...own.memory },
    review_every: own.review_every === undefined ? (theirs.review_every ?? null) : own.review_every,
  };
}
