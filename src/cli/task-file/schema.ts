/** What a task file may say. Printed as JSON Schema by `belay check --schema`, for editors and for those who write such files by program. */
import * as z from "zod";
import { LIMITS_MAX } from "../../kernel/limits.ts";
import { lazy } from "../../kernel/lazy.ts";
import { readMoney, readTokens } from "../amount.ts";
import { phaseList, reviewEvery } from "../work-sections.ts";

const TEXT_CHARS_MAX = 20_000;
const LINE_CHARS_MAX = 2_000;
const LIST_MAX = 100;
const MINUTE_MS = 60_000;

/** What a task is about; the model is told. */
export const TASK_KINDS = ["fix", "feature", "refactor", "test", "docs", "upgrade", "investigate", "chore"] as const;

const line = z.string().trim().min(1).max(LINE_CHARS_MAX);
const lines = z.array(line).max(LIST_MAX);

const money = z.union([z.string(), z.number()]).refine((said) => "value" in readMoney(String(said)), {
  error: ({ input }) => wrongOf(readMoney(String(input))),
});
const tokens = z.union([z.string(), z.int().positive()]).refine((said) => "value" in readTokens(String(said)), {
  error: ({ input }) => wrongOf(readTokens(String(input))),
});

function wrongOf(read: { readonly value: unknown } | { readonly wrong: string }): string {
  return "wrong" in read ? read.wrong : "";
}

export const limitsSchema = lazy(() =>
  z.strictObject({
    turns: z.int().min(1).max(LIMITS_MAX.turns).optional().describe("Turns of the model"),
    minutes: z
      .int()
      .min(1)
      .max(LIMITS_MAX.active_ms / MINUTE_MS)
      .optional()
      .describe("Minutes at work"),
    cost: money.optional().describe("Dollars, such as 2.00"),
    tokens: tokens.optional().describe("Tokens read and written, such as 500k"),
  }),
);

export const taskSchema = lazy(() =>
  z.strictObject({
    kind: z.enum(TASK_KINDS).describe("What kind of work it is"),
    objective: z
      .string()
      .trim()
      .min(1)
      .max(TEXT_CHARS_MAX)
      .describe("What is to be true when it is done, in whole sentences"),
    inputs: lines.describe(
      "Files and globs that the work is about, relative to where belay is started; a file's text goes with the task",
    ),
    success_criteria: lines.describe("Commands that all succeed when it is done, and not before"),
    limits: limitsSchema().describe("At least one bound"),
    constraints: lines.optional().describe("What must not be done, or must stay as it is"),
    phases: phaseList.optional().describe("Phases that it goes through: explore, plan, implement, verify, or your own"),
    review_every: reviewEvery.optional().describe("After so many turns a person looks before it goes on"),
    model: line.optional().describe("provider/model, a name that means its provider, or an alias"),
    allowed_tools: lines.optional().describe("The only tools that may be used"),
  }),
);

export type TaskFile = Readonly<z.infer<ReturnType<typeof taskSchema>>>;

export function taskJsonSchema(): unknown {
  return { title: "A task of belay", ...z.toJSONSchema(taskSchema(), { io: "input", unrepresentable: "any" }) };
}
