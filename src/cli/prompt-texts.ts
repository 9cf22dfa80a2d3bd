/** The texts of prompts by name: those of this directory, of a session, and what was locked. */
import { keyOf, type LockedPrompt, ORDER, type PromptKind } from "../context/prompt-lock.ts";
import { joinedParts, SYSTEM_PARTS, SYSTEM_PROMPT } from "../context/system-prompt.ts";
import { type Prompt, toolHash } from "../engine/prompt.ts";
import { hashOf } from "../kernel/envelope.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionId } from "../kernel/ids.ts";
import type { Tool } from "../tool/tool.ts";
import { presentPrompts, type ProjectPrompts, toolText } from "./project-prompts.ts";

/** The whole system prompt, as it is sent: the one that is no part. */
const WHOLE = "system";

export function isWhole({ kind, name }: Pick<NamedText, "kind" | "name">): boolean {
  return kind === "system" && name === WHOLE;
}

const HASH_CHARS_MIN = 8;
/** Names that a message repeats. */
const NAMES_SHOWN = 20;
const NAME_CHARS_SHOWN = 200;

export interface NamedText {
  readonly kind: PromptKind;
  readonly name: string;
  readonly hash: string;
  /** @throws HarnessError where it cannot be read */
  text(): string;
}

export function presentTexts(cwd: string, tools: readonly Tool[]): readonly NamedText[] {
  return textsOf(presentPrompts(cwd, tools));
}

export function textsOf(project: ProjectPrompts): readonly NamedText[] {
  return [
    { kind: "system", name: WHOLE, hash: hashOf(SYSTEM_PROMPT), text: () => SYSTEM_PROMPT },
    ...project.prompts.map((prompt): NamedText => ({
      ...{ kind: prompt.kind, name: prompt.name, hash: prompt.hash },
      text: () => project.textOf(prompt),
    })),
  ];
}

/** A session keeps its system prompt as a whole; parts of it are known where they are this version's. */
export function sessionTexts(session: SessionId, prompt: Prompt): readonly NamedText[] {
  const { system, tools, versions } = prompt;
  return [
    { kind: "system", name: WHOLE, hash: versions.prompt, text: () => system },
    ...SYSTEM_PARTS.map(({ name, text }): NamedText => ({
      ...{ kind: "system", name, hash: hashOf(text) },
      text: () => {
        if (system.includes(text)) return text;
        throw new HarnessError(
          "usage",
          `Session ${session} has another text there, and keeps its system prompt as a whole.`,
          `Name the whole: \`belay prompts show ${WHOLE} --session ${session}\`.`,
        );
      },
    })),
    ...tools.map((tool): NamedText => ({
      kind: "tool",
      name: tool.name,
      hash: toolHash(tool),
      text: () => toolText(tool),
    })),
    orderOf(
      "tool",
      tools.map(({ name }) => name),
    ),
  ];
}

function orderOf(kind: PromptKind, names: readonly string[]): NamedText {
  const text = names.join("\n");
  return { kind, name: ORDER, hash: hashOf(text), text: () => text };
}

/**
 * What was locked.
 * @param fileAt the bytes of a project's file in its history, by their hash; null where they are not found
 */
export function lockedTexts(
  locked: readonly LockedPrompt[],
  fileAt: (prompt: Pick<LockedPrompt, "name" | "hash">) => string | null,
): readonly NamedText[] {
  const whole = lockedWhole(locked);
  const texts = locked.map((prompt): NamedText => {
    const { kind, name, hash } = prompt;
    return {
      ...{ kind, name, hash },
      text: () => {
        const text = prompt.text ?? fileAt(prompt);
        if (text !== null) return text;
        throw new HarnessError(
          "file_failed",
          `The text of ${name} that was locked is not in the repository's last commits that changed it.`,
          "Look for it with `git log -p` on the file: the lock file holds its hash alone.",
        );
      },
    };
  });
  if (whole === null) return texts;
  return [{ kind: "system", name: WHOLE, hash: hashOf(whole), text: () => whole }, ...texts];
}

/** Null where the parts are not all there. */
function lockedWhole(locked: readonly LockedPrompt[]): string | null {
  const parts = new Map(locked.filter(({ kind }) => kind === "system").map(({ name, text }) => [name, text]));
  const texts = (parts.get(ORDER) ?? "").split("\n").map((name) => parts.get(name) ?? null);
  return texts.every((text) => text !== null) ? joinedParts(texts) : null;
}

/** By kind and name, by name alone, or by the beginning of its hash. @throws HarnessError `usage` */
export function textNamed(texts: readonly NamedText[], wanted: string): NamedText {
  const found = findText(texts, wanted);
  if (found !== null) return found;
  const shown = wanted.slice(0, NAME_CHARS_SHOWN);
  throw new HarnessError("usage", `There is no prompt "${shown}" here.`, `There are ${named(texts)}.`);
}

/** Null where there is none. @throws HarnessError `usage` where there are several */
export function findText(texts: readonly NamedText[], wanted: string): NamedText | null {
  const exact = texts.filter(
    (one) => keyOf(one) === wanted || one.name === wanted || one.name === `${wanted}/SKILL.md`,
  );
  const hash = wanted.toLowerCase();
  const found =
    exact.length > 0 || hash.length < HASH_CHARS_MIN ? exact : texts.filter((one) => one.hash.startsWith(hash));
  const [first] = found;
  if (first === undefined) return null;
  if (found.every((one) => one.hash === first.hash)) return first;
  const shown = wanted.slice(0, NAME_CHARS_SHOWN);
  throw new HarnessError("usage", `"${shown}" names ${found.length} prompts.`, `Say which: ${named(found)}.`);
}

function named(texts: readonly NamedText[]): string {
  const more = texts.length - NAMES_SHOWN;
  const keys = texts.slice(0, NAMES_SHOWN).map((one) => `"${keyOf(one)}"`);
  return `${keys.join(", ")}${more > 0 ? ` and ${more} more (\`belay prompts list\`)` : ""}`;
}
