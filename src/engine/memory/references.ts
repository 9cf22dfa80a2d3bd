/**
 * What a model wants remembered is put into the store before its answer is sealed, and the journal gets a reference in its place: so
 * that to forget it once is to forget it everywhere.
 *
 * F1: no text of a `remember` call reaches the journal: it is stored as `pending` first, and its token is sealed.
 * F2: where an answer says these words, or those of a memory that it was shown, in its prose or thinking, they are the token, too.
 * F3: what is no memory (too long, empty, in a session that writes none) stays as it is: its call is answered with why.
 */
import type { ModelPart, ToolUsePart } from "../../kernel/content.ts";
import type { Json, JsonObject } from "../../kernel/json.ts";
import {
  type Memory,
  MEMORY_CHARS_MAX,
  MEMORY_KINDS,
  MEMORY_SCOPES,
  memoryToken,
  memoryTokensIn,
  REMEMBER_TOOL,
} from "../../kernel/memory.ts";
import { neutralise } from "../../kernel/neutralise.ts";
import type { ModelAnswer } from "../../model/model.ts";
import type { Drive } from "../run.ts";

/** Shorter words occur by themselves. Characters. */
const VERBATIM_CHARS_MIN = 20;
/** Memories of one answer; what is beyond stays in the journal, and its calls are refused. */
export const REMEMBERED_PER_ANSWER = 20;

interface Replacement {
  readonly text: string;
  readonly token: string;
}

/** F1. The answer as it may be sealed. @param shown what the request held of memories: quoted word for word, it is a reference again */
export async function withReferences(
  answer: ModelAnswer,
  run: Drive,
  shown: readonly Pick<Memory, "id" | "text">[],
): Promise<ModelAnswer> {
  if (!answer.ok) return answer;
  const calls = answer.parts
    .filter(isRemember)
    .filter(({ input }) => writesMemories(run) && isMemory(input))
    .slice(0, REMEMBERED_PER_ANSWER);
  const quoted = shown.flatMap((memory) => replacementsOf({ text: memory.text }, memory));
  if (calls.length === 0)
    return quoted.length === 0 ? answer : { ...answer, parts: answer.parts.map((part) => withTokens(part, quoted)) };
  const kept = new Map(calls.map((part) => [part, pendingOf(part.input, run)]));
  await run.redactor.flush(); // tokens of secrets that a text had are durable before what holds them
  const { tenant, principal } = run.state();
  await run.host.store.changeMemories({ tenant, principal }, { put: [...kept.values()], forget: [], used: [] });
  const replacements = [...quoted, ...[...kept].flatMap(([part, memory]) => replacementsOf(part.input, memory))];
  const parts = answer.parts.map((part): ModelPart => {
    const memory = part.type === "tool_use" ? kept.get(part) : undefined;
    const said = withTokens(part, replacements);
    return memory === undefined || said.type !== "tool_use" ? said : { ...said, input: inputOf(said.input, memory) };
  });
  return { ...answer, parts };
}

export function writesMemories({ host, config }: Pick<Drive, "host" | "config">): boolean {
  return config().memory.remember && host.tools.some(({ name }) => name === REMEMBER_TOOL);
}

function isRemember(part: ModelPart): part is ToolUsePart {
  return part.type === "tool_use" && part.name === REMEMBER_TOOL;
}

function isMemory({ text, resolves }: JsonObject): boolean {
  return isText(text) && text.trim() !== "" && (resolves === undefined || isText(resolves));
}

/** A reference is nobody's text: who writes one means the memory that it stands for. */
function isText(value: Json | undefined): value is string {
  return typeof value === "string" && value.trim().length <= MEMORY_CHARS_MAX && memoryTokensIn(value).length === 0;
}

function pendingOf(input: JsonObject, run: Drive): Memory {
  const { tenant, principal, session, seq, label } = run.state();
  const { project } = run.config().memory;
  const wanted = MEMORY_SCOPES.find((scope) => scope === input["scope"]) ?? "project";
  const scope = project === "" ? "user" : wanted;
  const now = run.host.clock.now();
  return {
    tenant,
    principal,
    id: run.host.ids.memory(),
    kind: MEMORY_KINDS.find((kind) => kind === input["kind"]) ?? "semantic",
    scope,
    project: scope === "user" ? "" : project,
    text: kept(input["text"], run),
    resolves: kept(input["resolves"], run),
    origin: "model",
    untrusted: label.untrusted.length > 0,
    confidence: 0,
    state: "pending",
    evidence: [{ session, seq }],
    created_at: now,
    used_at: now,
    uses: 0,
    superseded_by: null,
  };
}

function kept(text: Json | undefined, { redactor }: Drive): string {
  return isText(text)
    ? redactor.redact(neutralise(text.trim()).text).text.slice(0, MEMORY_CHARS_MAX).toWellFormed()
    : "";
}

function inputOf(input: JsonObject, { id, resolves }: Memory): JsonObject {
  return { ...input, text: memoryToken(id), ...(resolves === "" ? {} : { resolves: memoryToken(id, "resolves") }) };
}

/** F2. What cannot be put back to the letter when it is sent stays: a provider checks what it signed. */
function replacementsOf({ text, resolves }: JsonObject, { id }: Pick<Memory, "id">): readonly Replacement[] {
  return [
    { text: isText(text) ? text.trim() : "", token: memoryToken(id) },
    { text: isText(resolves) ? resolves.trim() : "", token: memoryToken(id, "resolves") },
  ].filter((one) => one.text.length >= VERBATIM_CHARS_MIN && neutralise(one.text).text === one.text);
}

function withTokens(part: ModelPart, replacements: readonly Replacement[]): ModelPart {
  const replaced = (text: string): string =>
    replacements.reduce((all, one) => all.replaceAll(one.text, () => one.token), text);
  if (part.type === "redacted_thinking") return part;
  const opaque =
    part.opaque === undefined ? {} : { opaque: { ...part.opaque, data: mapTexts(part.opaque.data, replaced) } };
  return part.type === "tool_use" ? { ...part, ...opaque } : { ...part, text: replaced(part.text), ...opaque };
}

export function mapTexts(data: JsonObject, change: (text: string) => string): JsonObject {
  const mapped = (value: Json): Json => {
    if (typeof value === "string") return change(value);
    if (typeof value !== "object" || value === null) return value;
    return isList(value) ? value.map(mapped) : mapTexts(value, change);
  };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, mapped(value)]));
}

/** `Array.isArray` knows no list that may not be changed. */
function isList(value: JsonObject | readonly Json[]): value is readonly Json[] {
  return Array.isArray(value);
}
