/** What every part of a context costs: an estimate in tokens, made before anything is sent, the same on every machine. */
import { textTokens } from "../kernel/bound.ts";
import type { PlainPart } from "../kernel/content.ts";
import { hashOf } from "../kernel/envelope.ts";

/** An image of the size to which providers scale down. */
const IMAGE_TOKENS = 1_600;

/** Before the task stands what belay itself always says; the working context is all that a run begins with. Tokens. */
export const CONTEXT_TARGETS: ContextTargets = { before_task: 2_500, working: 10_000 };
/** Parts that a warning names. */
const BIGGEST_NAMED = 3;

export type PartKind =
  | "system"
  | "tools"
  | "instructions"
  | "rules"
  | "skills"
  | "environment"
  | "memory"
  | "continuity"
  | "file"
  | "task"
  | "agents";

/** One row of the table of what a run begins with. */
export interface AssembledPart {
  readonly name: string;
  readonly kind: PartKind;
  /** As estimated. */
  readonly tokens: number;
  readonly bytes: number;
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
  /** Who wrote it, for people: `belay`, `user`, `workspace AGENTS.md`. */
  readonly origin: string;
}

export interface ContextTargets {
  readonly before_task: number;
  readonly working: number;
}

export interface TargetPassed {
  readonly what: keyof ContextTargets;
  readonly tokens: number;
  readonly target: number;
  /** The largest first. */
  readonly biggest: readonly { readonly name: string; readonly tokens: number }[];
}

/** @param hash of what the row stands for, when that is not the text itself */
export function rowOf(
  kind: PartKind,
  name: string,
  text: string,
  { origin, hash = hashOf(text) }: { readonly origin: string; readonly hash?: string },
): AssembledPart {
  return { name, kind, tokens: textTokens(text), bytes: Buffer.byteLength(text, "utf8"), hash, origin };
}

export function rowOfPart(kind: PartKind, name: string, part: PlainPart): AssembledPart {
  const { from, by } = part.origin;
  const origin = by === undefined ? from : `${from} ${by}`;
  if (part.type === "text") return rowOf(kind, name, part.text, { origin });
  return { name, kind, tokens: IMAGE_TOKENS, bytes: 0, hash: part.blob, origin };
}

/** What a project says, what comes with the task and what is remembered is no part of what belay itself always puts before it. */
const NOT_OURS: ReadonlySet<PartKind> = new Set([
  "instructions",
  "rules",
  "skills",
  "task",
  "file",
  "memory",
  "continuity",
]);

/** The first target that is passed; null where both hold. */
export function overTarget(
  parts: readonly AssembledPart[],
  targets: ContextTargets = CONTEXT_TARGETS,
): TargetPassed | null {
  const before = parts.filter(({ kind }) => !NOT_OURS.has(kind));
  return passed("before_task", before, targets) ?? passed("working", parts, targets);
}

function passed(
  what: keyof ContextTargets,
  parts: readonly AssembledPart[],
  targets: ContextTargets,
): TargetPassed | null {
  const target = targets[what];
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0);
  if (tokens <= target) return null;
  const biggest = parts
    .toSorted((a, b) => b.tokens - a.tokens || (a.name < b.name ? -1 : 1))
    .slice(0, BIGGEST_NAMED)
    .map((part) => ({ name: part.name, tokens: part.tokens }));
  return { what, tokens, target, biggest };
}
