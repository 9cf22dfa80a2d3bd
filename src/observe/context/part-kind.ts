/** What a part of a prompt is, for people: by who said it, by the table of what a run began with, by the marks around its text. */
import { isReceipt } from "../../kernel/compaction.ts";
import type { ContentPart, Message, PlainPart } from "../../kernel/content.ts";
import { hashOf } from "../../kernel/envelope.ts";
import type { EventData } from "../../kernel/events/index.ts";

/** In the order in which a prompt has them. */
export const CONTEXT_KINDS = [
  "system",
  "tools",
  "instructions",
  "rules",
  "skills",
  "agents",
  "environment",
  "memory",
  "continuity",
  "summary",
  "file",
  "task",
  "note",
  "answer",
  "thinking",
  "call",
  "result",
  "receipt",
] as const;
/** `note`: what belay said by the way. `call`, `result`: of a tool. `receipt`: a line that stands in for an old result. */
export type ContextKind = (typeof CONTEXT_KINDS)[number];

export interface NamedKind {
  readonly kind: ContextKind;
  /** Of a call or a result its tool, of a file its path; empty where the kind says all. */
  readonly name: string;
}

type AssembledRow = EventData<"ContextAssembled">["parts"][number];

/** Rows of the table of what runs began with, by the hash of their text. */
export type KnownTexts = ReadonlyMap<string, NamedKind>;

export function knownTexts(before: KnownTexts, rows: readonly AssembledRow[]): KnownTexts {
  return new Map([...before, ...rows.map(({ hash, kind, name }) => [hash, named(kind, name)] as const)]);
}

/** What always has one name needs none. */
function named(kind: AssembledRow["kind"], name: string): NamedKind {
  return { kind, name: NAMED.has(kind) ? name : "" };
}

const NAMED: ReadonlySet<ContextKind> = new Set(["instructions", "rules", "file", "memory"]);

export function kindOf(part: ContentPart, role: Message["role"], known: KnownTexts): NamedKind {
  switch (part.type) {
    case "thinking":
    case "redacted_thinking":
      return { kind: "thinking", name: "" };
    case "tool_use":
      return { kind: "call", name: part.name };
    case "tool_result":
      return isReceipt(part) ? { kind: "receipt", name: "" } : { kind: "result", name: part.origin.by ?? "" };
    case "image":
    case "text":
      return role === "assistant" ? { kind: "answer", name: "" } : plainKind(part, known);
  }
}

function plainKind(part: PlainPart, known: KnownTexts): NamedKind {
  const found = known.get(part.type === "text" ? hashOf(part.text) : part.blob);
  if (found !== undefined) return found;
  const { from, by = "" } = part.origin;
  const text = part.type === "text" ? part.text : "";
  switch (from) {
    case "user":
      return { kind: "task", name: "" };
    case "model":
      return { kind: by === "summary" ? "summary" : "answer", name: "" };
    case "belay":
      return { kind: BELAYS.get(by) ?? marked(text) ?? "note", name: "" };
    case "workspace":
    case "web":
    case "mcp":
    case "tool": {
      const kind = marked(text) ?? "file";
      return { kind, name: NAMED.has(kind) ? by : "" };
    }
  }
}

/** Names of belay's own parts. */
const BELAYS: ReadonlyMap<string, ContextKind> = new Map([
  ["memory", "memory"],
  ["continuity", "continuity"],
  ["environment", "environment"],
  ["instructions", "instructions"],
  ["rules", "rules"],
  ["skills", "skills"],
  ["agents", "agents"],
  ["receipt", "receipt"],
  ["phase", "note"],
]);

/** Texts that stand between marks say what they are. */
function marked(text: string): ContextKind | undefined {
  const [, mark = ""] = /^<([a-z]{1,20})\b/.exec(text) ?? [];
  return MARKS.get(mark);
}

const MARKS: ReadonlyMap<string, ContextKind> = new Map([
  ["environment", "environment"],
  ["instructions", "instructions"],
  ["rule", "rules"],
  ["skills", "skills"],
  ["agents", "agents"],
  ["memory", "memory"],
  ["memories", "memory"],
  ["continuity", "continuity"],
  ["summary", "summary"],
  ["file", "file"],
]);
