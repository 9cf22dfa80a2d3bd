/**
 * The lock file of a project's prompts: what was accepted, by hash, so that a change of behaviour is a change that somebody saw. Of
 * belay's own prompts it holds the text as well, since that stands nowhere else in the repository; a project's own files have their
 * history already.
 *
 * L1: the same prompts make the same bytes: sorted, nothing of the machine or the day.
 * L2: a text in it that is not what its hash says is an error, and never taken for what was accepted.
 */
import * as z from "zod";
import { hashOf } from "../kernel/envelope.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { lazy } from "../kernel/lazy.ts";

/** At the top of the repository. */
export const LOCK_FILE = "belay.prompts.lock";
/** Bytes. */
export const LOCK_BYTES_MAX: number = 4 * 1024 * 1024;
export const LOCKED_PROMPTS_MAX = 2_000;
const VERSION = 1;
const REMEDY = "Make it anew with `belay prompts lock`, and look at the difference before you commit it.";
const NAME_CHARS_MAX = 4_096;

/**
 * - `system`: a part of the system prompt, or the order of all. `tool`: the schema of one, or their order.
 * - `instructions`, `rule`, `skill`, `agent`: the project's files of that kind. `prompt`: what its settings name.
 */
export const PROMPT_KINDS = ["system", "tool", "instructions", "rule", "skill", "agent", "prompt"] as const;
export type PromptKind = (typeof PROMPT_KINDS)[number];

/** What stands for the order of the parts of a kind: its text is their names. */
export const ORDER = "order";

export interface LockedPrompt {
  readonly kind: PromptKind;
  /** Of a project's file: its path. */
  readonly name: string;
  /** SHA-256, in hex: of a file's bytes, of a text, of a tool's schema as it is sent. */
  readonly hash: string;
  /** As estimated. */
  readonly tokens: number;
  /** Of belay's own prompts. */
  readonly text: string | null;
}

export interface LockDifference {
  readonly changed: readonly {
    readonly kind: PromptKind;
    readonly name: string;
    readonly from: string;
    readonly to: string;
  }[];
  readonly added: readonly Identified[];
  readonly removed: readonly Identified[];
}

type Identified = Pick<LockedPrompt, "kind" | "name" | "hash">;

const fileSchema = lazy(() =>
  z.strictObject({
    version: z.literal(VERSION),
    accept: z.string(),
    prompts: z
      .array(
        z.strictObject({
          kind: z.enum(PROMPT_KINDS),
          name: z.string().min(1).max(NAME_CHARS_MAX),
          hash: z.string().regex(/^[0-9a-f]{64}$/),
          tokens: z.int().nonnegative(),
          text: z.array(z.string()).optional(),
        }),
      )
      .max(LOCKED_PROMPTS_MAX),
  }),
);

/** L1. */
export function lockText(prompts: readonly LockedPrompt[]): string {
  const file = {
    version: VERSION,
    accept: "belay prompts lock",
    prompts: sorted(prompts).map(({ kind, name, hash, tokens, text }) => ({
      ...{ kind, name, hash, tokens },
      ...(text === null ? {} : { text: text.split("\n") }),
    })),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** @throws HarnessError `config_invalid` */
export function readLock(said: string): readonly LockedPrompt[] {
  if (/^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/m.test(said)) throw unusable("it has the marks of a merge conflict");
  const parsed = fileSchema().safeParse(jsonOf(said));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
    throw unusable(`it is no lock file of this version${place} (${issue?.message ?? "unknown"})`);
  }
  const prompts = parsed.data.prompts.map(({ text, ...one }) => ({ ...one, text: text?.join("\n") ?? null }));
  const known = new Set<string>();
  for (const prompt of prompts) {
    if (known.has(keyOf(prompt))) throw unusable(`it names ${keyOf(prompt)} twice`);
    known.add(keyOf(prompt));
    if (prompt.text !== null && hashOfText(prompt.kind, prompt.name, prompt.text) !== prompt.hash)
      throw unusable(`the text of ${keyOf(prompt)} is not what its hash says: it was edited by hand`); // L2
  }
  return prompts;
}

/** As a lock file has it. Null for a tool's text that is no JSON. */
export function hashOfText(kind: PromptKind, name: string, text: string): string | null {
  if (kind !== "tool" || name === ORDER) return hashOf(text);
  try {
    return hashOf(JSON.stringify(JSON.parse(text)));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function lockDifference(locked: readonly Identified[], present: readonly Identified[]): LockDifference {
  const before = new Map(locked.map((one) => [keyOf(one), one]));
  const now = new Map(present.map((one) => [keyOf(one), one]));
  return {
    changed: sorted(present).flatMap(({ kind, name, hash }) => {
      const from = before.get(keyOf({ kind, name }))?.hash;
      return from === undefined || from === hash ? [] : [{ kind, name, from, to: hash }];
    }),
    added: sorted(present).filter((one) => !before.has(keyOf(one))),
    removed: sorted(locked).filter((one) => !now.has(keyOf(one))),
  };
}

export function isSame({ changed, added, removed }: LockDifference): boolean {
  return changed.length + added.length + removed.length === 0;
}

/** `tool bash` */
export function keyOf({ kind, name }: Pick<LockedPrompt, "kind" | "name">): string {
  return `${kind} ${name}`;
}

function sorted<P extends Pick<LockedPrompt, "kind" | "name">>(prompts: readonly P[]): readonly P[] {
  return prompts.toSorted(
    (a, b) =>
      PROMPT_KINDS.indexOf(a.kind) - PROMPT_KINDS.indexOf(b.kind) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
}

function jsonOf(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unusable("it is no JSON");
  }
}

/** It is not repeated what the file says: a link may have led to a secret. */
function unusable(why: string): HarnessError {
  return new HarnessError("config_invalid", `${LOCK_FILE} cannot be used: ${why}.`, REMEDY);
}

export function unusableLock(why: string): HarnessError {
  return unusable(why);
}
