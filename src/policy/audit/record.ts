/** What an audit needs of one session's journal. Made by `observe/permissions`, judged here. */
import type { JsonObject } from "../../kernel/json.ts";
import type { PermissionMode, PermissionRule } from "../../kernel/permissions.ts";

export interface JudgedCall {
  /** As rules name it. */
  readonly tool: string;
  readonly input: JsonObject;
  /** `stopped`: by a rule, a mode or a label, or because nobody was there to be asked. `waiting`: not answered when the journal ends. */
  readonly end: "allowed" | "approved" | "refused" | "stopped" | "waiting";
  /** The rule that decided. */
  readonly rule: PermissionRule | null;
  /** What was judged by itself. */
  readonly parts: readonly { readonly text: string; readonly allowed: boolean; readonly rule: string | null }[];
  readonly mode: PermissionMode;
  /** It would have acted outside, or on what outlives the session. */
  readonly sink: boolean;
  /** Text that reads like instructions had come in before. */
  readonly after_injection: boolean;
}

/** The rules of a session became others while it went on. */
export interface RuleChange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Sentences: what lets more through since then. */
  readonly loosened: readonly { readonly rule: PermissionRule | null; readonly what: string }[];
  /** A person's yes that was to be remembered; else settings that were read anew. */
  readonly by_person: boolean;
  readonly after_injection: boolean;
}

export interface SessionRecord {
  readonly session: string;
  /** Of the project that is audited. */
  readonly here: boolean;
  readonly calls: readonly JudgedCall[];
  readonly changes: readonly RuleChange[];
  /** Those that were in force at some time of it. */
  readonly rules: readonly PermissionRule[];
}
