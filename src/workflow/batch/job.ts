/**
 * One job of a batch: a line of the user's file as it is checked, and the request that it comes to.
 *
 * `{"id"?, "prompt" | "messages", "system"?, "max_tokens"?, "model"?, "json"?}`; any other member is a mistake that is named.
 */
import * as z from "zod";
import { type Message, textPart } from "../../kernel/content.ts";
import { lazy } from "../../kernel/lazy.ts";
import type { ModelRequest } from "../../model/model.ts";

/** What a job may answer at most when nobody says otherwise, in tokens. */
export const JOB_OUTPUT_TOKENS_DEFAULT = 2_048;
const OUTPUT_TOKENS_MAX = 1_000_000;
const ID_CHARS_MAX = 256;
/** Of a bad line, what is said of it. Characters. */
const PROBLEM_CHARS_MAX = 160;

const message = lazy(() => z.strictObject({ role: z.enum(["user", "assistant"]), content: z.string().min(1) }));

const jobLine = lazy(() =>
  z
    .strictObject({
      id: z.string().min(1).max(ID_CHARS_MAX).optional(),
      prompt: z.string().min(1).optional(),
      messages: z.array(message()).min(1).optional(),
      system: z.string().optional(),
      max_tokens: z.int().positive().max(OUTPUT_TOKENS_MAX).optional(),
      model: z.string().min(1).optional(),
      json: z.boolean().optional(),
    })
    .refine(({ prompt, messages }) => (prompt === undefined) !== (messages === undefined), {
      error: 'it needs either "prompt" or "messages"',
    })
    .refine(({ messages = [] }) => messages.every(({ role }, at) => (role === "user") === (at % 2 === 0)), {
      error: 'roles in "messages" must alternate, beginning with "user"',
    })
    .refine(({ messages }) => messages?.at(-1)?.role !== "assistant", {
      error: 'the last of "messages" must be of the role "user"',
    }),
);

export interface Job {
  /** The user's own, or `line-N`. */
  readonly id: string;
  /** As the provider calls it. */
  readonly model: string;
  readonly system: string;
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: string }[];
  readonly max_tokens: number;
  /** The answer is to be JSON: its result holds the value. */
  readonly json: boolean;
}

export interface JobProblem {
  /** Of the user's file, from 1. */
  readonly line: number;
  readonly problem: string;
}

export interface JobDefaults {
  readonly model: string;
  readonly system: string;
  readonly max_tokens: number;
  /** The model that a job names, without the provider; null where it is none of this batch's provider. */
  readonly modelOf: (name: string) => string | null;
}

/** @param text null: too long to be read */
export function parseJob(text: string | null, line: number, defaults: JobDefaults): Job | JobProblem {
  const bad = (problem: string): JobProblem => ({ line, problem: problem.slice(0, PROBLEM_CHARS_MAX) });
  if (text === null) return bad("it is too long");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return bad(`it is no JSON: ${error.message}`);
  }
  const parsed = jobLine().safeParse(value);
  if (!parsed.success) return bad(firstProblem(parsed.error));
  const { id, prompt, messages, system, max_tokens, model, json } = parsed.data;
  const named = model === undefined ? defaults.model : defaults.modelOf(model);
  if (named === null) return bad(`the model "${model ?? ""}" is not one of this batch's provider`);
  return {
    id: id ?? `line-${line}`,
    model: named,
    system: system ?? defaults.system,
    messages: messages ?? [{ role: "user", content: prompt ?? "" }],
    max_tokens: max_tokens ?? defaults.max_tokens,
    json: json ?? false,
  };
}

export function isProblem(job: Job | JobProblem): job is JobProblem {
  return "problem" in job;
}

function firstProblem({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined) return "it is no job";
  return issue.path.length === 0 ? issue.message : `"${issue.path.join(".")}": ${issue.message}`;
}

export function requestOf(job: Job): ModelRequest {
  return {
    model: job.model,
    system: job.system,
    tools: [],
    messages: job.messages.map(({ role, content }): Message =>
      role === "user"
        ? { role, parts: [textPart(content, { from: "user" })] }
        : { role, parts: [textPart(content, { from: "model" })] },
    ),
    thinking_from: 0,
    max_tokens: job.max_tokens,
    thinking_tokens: null,
  };
}

/** The marker and the job's place in the file of jobs: `[A-Za-z0-9_-]{1,64}`. */
export function customId(marker: string, n: number): string {
  return `${marker}-${n.toString(36)}`;
}

/** The job that a custom id names; null where it is none of that submission. */
export function jobNamed(marker: string, custom_id: string): number | null {
  if (!custom_id.startsWith(`${marker}-`)) return null;
  const rest = custom_id.slice(marker.length + 1);
  const n = Number.parseInt(rest, 36);
  return Number.isSafeInteger(n) && n.toString(36) === rest ? n : null;
}
