/** `belay prompts diff`: what became of prompts, as a unified diff. */
import { keyOf, LOCK_FILE, lockDifference, ORDER, type PromptKind } from "../../context/prompt-lock.ts";
import { textsOfSession } from "../../engine/repin.ts";
import { builtInTools } from "../../tool/registry.ts";
import type { Face } from "../face.ts";
import { presentPrompts, type ProjectPrompts } from "../project-prompts.ts";
import { requireLockFile } from "../prompt-lock-file.ts";
import { committedTexts } from "../prompt-history.ts";
import { findText, isWhole, lockedTexts, type NamedText, sessionTexts, textNamed, textsOf } from "../prompt-texts.ts";
import { chosenSession, withStore } from "../session-choice.ts";
import { paintFor } from "../view/paint.ts";
import { patchText } from "../view/patch.ts";
import { unifiedDiff } from "../view/unified-diff.ts";

export interface DiffOptions {
  readonly session?: string;
  readonly against?: string;
  readonly json?: true;
}

/** Where texts are taken from. */
interface Side {
  readonly of: "locked" | "present" | "session";
  readonly label: string;
  readonly texts: readonly NamedText[];
}

/** A hash is null where the side has no such prompt. */
interface PromptDifference {
  readonly kind: PromptKind;
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly patch: string;
}

export async function diffPrompts(name: string | undefined, options: DiffOptions, face: Face): Promise<number> {
  const project = presentPrompts(face.cwd, builtInTools());
  const to = options.session ?? "present";
  const from = options.against ?? (options.session === undefined ? "locked" : "present");
  // The present text is the newer one.
  const order =
    options.against === undefined && options.session !== undefined ? ([to, from] as const) : ([from, to] as const);
  const before = await sideOf(order[0], project, face);
  const after = await sideOf(order[1], project, face);
  const found = name === undefined ? everyDifference(before, after) : [namedDifference(name, before, after)];
  if (options.json === true) face.out.json(JSON.stringify({ from: before.label, to: after.label, differences: found }));
  else for (const line of linesOf(found, name, face)) face.out.line(line);
  return 0;
}

async function sideOf(side: string, project: ProjectPrompts, face: Face): Promise<Side> {
  if (side === "present") return { of: "present", label: "present", texts: textsOf(project) };
  if (side === "locked") return lockedSide(project, face);
  return withStore(face, async (store) => {
    const session = await chosenSession(store, side, face.cwd);
    const texts = sessionTexts(session, await textsOfSession({ store }, session));
    return { of: "session", label: session, texts };
  });
}

async function lockedSide(project: ProjectPrompts, { environment }: Face): Promise<Side> {
  const locked = requireLockFile(project.top);
  const { changed, removed } = lockDifference(locked, project.prompts);
  const gone = [...changed.map(({ name, from }) => ({ name, hash: from })), ...removed];
  const kept = await committedTexts(project.top, gone, environment.all["PATH"]);
  const texts = lockedTexts(locked, ({ name, hash }) => {
    const same = project.prompts.find((prompt) => prompt.name === name && prompt.hash === hash);
    return same === undefined ? (kept.get(hash) ?? null) : project.textOf(same);
  });
  return { of: "locked", label: LOCK_FILE, texts };
}

/** What one side has not is empty there. @throws HarnessError `usage` when neither has it */
function namedDifference(name: string, before: Side, after: Side): PromptDifference {
  const one = findText(before.texts, name);
  const other = one === null ? textNamed(after.texts, name) : findText(after.texts, name);
  return between({ one, other }, before, after);
}

/** A session has none of the project's files, and its system prompt as a whole. */
function everyDifference(before: Side, after: Side): readonly PromptDifference[] {
  const ofSession = before.of === "session" || after.of === "session";
  const counts = (text: NamedText): boolean =>
    ofSession ? isWhole(text) || (text.kind === "tool" && text.name !== ORDER) : !isWhole(text);
  const [ones, others] = [before, after].map(
    ({ texts }) => new Map(texts.filter(counts).map((text) => [keyOf(text), text])),
  );
  return [...new Set([...(ones?.keys() ?? []), ...(others?.keys() ?? [])])].flatMap((key) => {
    const [one = null, other = null] = [ones?.get(key), others?.get(key)];
    return one?.hash === other?.hash ? [] : [between({ one, other }, before, after)];
  });
}

interface Pair {
  readonly one: NamedText | null;
  readonly other: NamedText | null;
}

function between({ one, other }: Pair, before: Side, after: Side): PromptDifference {
  const { kind = "system", name = "" } = other ?? one ?? {};
  const side = (text: NamedText | null, { label }: Side): { readonly name: string; readonly text: string } =>
    text === null ? { name: "/dev/null", text: "" } : { name: `${keyOf(text)} (${label})`, text: text.text() };
  const same = one?.hash === other?.hash;
  const patch = same ? "" : unifiedDiff(side(one, before), side(other, after));
  return { kind, name, from: one?.hash ?? null, to: other?.hash ?? null, patch };
}

function linesOf(found: readonly PromptDifference[], name: string | undefined, { out }: Face): readonly string[] {
  const patches = found.flatMap(({ patch }) => (patch === "" ? [] : [patch]));
  if (patches.length === 0)
    return [name === undefined ? "Nothing differs." : `${found[0]?.name ?? name} does not differ.`];
  const paint = paintFor(out.colors);
  return patches.map((patch) => patchText(patch, paint));
}
