/**
 * All that shapes behaviour where a command stands: belay's system prompt and tools, and the project's own prompts. Only what can be
 * committed counts, and nothing of the user's: the same commit has the same prompts on every machine.
 *
 * P1: nothing is read outside the project, wherever links lead; what cannot be read is named, never left away.
 */
import { realpathSync } from "node:fs";
import type { ContextFiles, ContextPlace } from "../context/context-files.ts";
import { compileGlob, type Glob } from "../context/glob.ts";
import { type LockedPrompt, ORDER, type PromptKind, PROMPT_KINDS } from "../context/prompt-lock.ts";
import { textTokens } from "../kernel/bound.ts";
import { SYSTEM_PARTS } from "../context/system-prompt.ts";
import { createContextFiles } from "../engine/context-files.ts";
import { promptOf, toolHash } from "../engine/prompt.ts";
import { hashOf } from "../kernel/envelope.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { ToolSchema } from "../tool/registry.ts";
import type { Tool } from "../tool/tool.ts";
import { findRepository } from "../workspace/prepare/source.ts";
import { FILE_BYTES_MAX, invalidSettings, parseProjectSettings } from "./settings-file.ts";

/** A larger file is no prompt. Bytes. */
export const PROMPT_BYTES_MAX: number = 1024 * 1024;
/** Files of a project, directories that are looked into, names of one, and how deep they lie. */
const FILES_MAX = 1_000;
const DIRECTORIES_MAX = 2_000;
const ENTRIES_MAX = 5_000;
const DEPTH_MAX = 12;
/** Never the project's own words. */
const NOT_ENTERED: ReadonlySet<string> = new Set([".git", "node_modules"]);
const SETTINGS = ".belay/settings.json";

export interface PresentPrompt extends LockedPrompt {
  /** `belay`, or `project`. */
  readonly source: string;
}

/** A file that should be a prompt and cannot be read. */
export interface UnreadablePrompt {
  readonly kind: PromptKind;
  readonly name: string;
  /** Begins with `it`. */
  readonly why: string;
}

export interface ProjectPrompts {
  /** The top of the repository, or the directory: absolute, without links. */
  readonly top: string;
  /** By kind, then in order. */
  readonly prompts: readonly PresentPrompt[];
  readonly unreadable: readonly UnreadablePrompt[];
  /** For people: patterns that fit nothing. */
  readonly notes: readonly string[];
  /** The text of one of the prompts, now. @throws HarnessError `file_failed` */
  textOf(prompt: Pick<PresentPrompt, "kind" | "name" | "text">): string;
}

/** Of every project. `*` is one name. */
const PATTERNS: readonly (readonly [PromptKind, string])[] = [
  ["instructions", "AGENTS.md"],
  ["instructions", "CLAUDE.md"],
  ["instructions", ".claude/CLAUDE.md"],
  ["rule", ".claude/rules/**/*.md"],
  ["skill", ".claude/skills/*/SKILL.md"],
  ["skill", ".agents/skills/*/SKILL.md"],
  ["agent", ".claude/agents/*.md"],
];

/** @throws HarnessError `config_invalid` */
export function presentPrompts(cwd: string, tools: readonly Tool[]): ProjectPrompts {
  const top = findRepository(cwd)?.top ?? realpathSync(cwd);
  const files = createContextFiles({ project: top, claude: null, belay: null });
  const own = settingsGlobs(files).map((glob) => ["prompt", glob] as const);
  const found = new Map<string, PromptKind>();
  const notes: string[] = [];
  for (const [kind, pattern] of [...PATTERNS, ...own]) {
    const paths = matching(files, pattern);
    if (paths.length === 0 && kind === "prompt") notes.push(`no file is named by ${JSON.stringify(pattern)}`);
    for (const path of paths) if (!found.has(path)) found.set(path, kind);
  }
  if (found.size > FILES_MAX) throw tooMany(`more than ${FILES_MAX} files`);
  const prompts: PresentPrompt[] = [...ownPrompts(tools)];
  const unreadable: UnreadablePrompt[] = [];
  for (const [name, kind] of found) {
    const read = files.read({ root: "project", path: name }, PROMPT_BYTES_MAX);
    if (read.found === "text")
      prompts.push({ kind, name, hash: read.hash, tokens: textTokens(read.text), text: null, source: "project" });
    else if (read.found === "refused") unreadable.push({ kind, name, why: read.why });
  }
  return {
    top,
    prompts: prompts.sort((a, b) => PROMPT_KINDS.indexOf(a.kind) - PROMPT_KINDS.indexOf(b.kind)),
    unreadable,
    notes,
    textOf: ({ name, text }) => text ?? textNow(files, name),
  };
}

/** belay's own, in the order in which they are sent. */
export function ownPrompts(tools: readonly Tool[]): readonly PresentPrompt[] {
  const schemas = promptOf(tools).tools;
  const source = "belay";
  const orderOf = (kind: PromptKind, names: readonly string[]): PresentPrompt => {
    const text = names.join("\n");
    return { kind, name: ORDER, hash: hashOf(text), tokens: 0, text, source };
  };
  return [
    ...SYSTEM_PARTS.map(({ name, text }): PresentPrompt => ({
      ...{ kind: "system", name, hash: hashOf(text), tokens: textTokens(text), text, source },
    })),
    orderOf(
      "system",
      SYSTEM_PARTS.map(({ name }) => name),
    ),
    ...schemas.map((tool): PresentPrompt => ({
      ...{ kind: "tool", name: tool.name, hash: toolHash(tool), source },
      ...{ tokens: textTokens(JSON.stringify(tool)), text: toolText(tool) },
    })),
    orderOf(
      "tool",
      schemas.map(({ name }) => name),
    ),
  ];
}

/** A tool's schema, for people and lock files. */
export function toolText(tool: ToolSchema): string {
  return JSON.stringify(tool, null, 2);
}

/** What the project's own settings name besides. */
function settingsGlobs(files: ContextFiles): readonly string[] {
  const read = files.read({ root: "project", path: SETTINGS }, FILE_BYTES_MAX);
  if (read.found === "nothing") return [];
  if (read.found === "refused") throw invalidSettings(SETTINGS, [read.why]);
  return parseProjectSettings(SETTINGS, read.text).prompts ?? [];
}

/** Paths of files and links that fit, sorted. A link to a directory is not walked into. */
function matching(files: ContextFiles, pattern: string): readonly string[] {
  const glob = compileGlob(pattern);
  if (glob === null) throw invalidSettings(SETTINGS, [`prompts: ${JSON.stringify(pattern)} says too much`]);
  const names = pattern.replace(/^(?:\.\/)+/, "").split("/");
  const isPattern = (name: string): boolean => /[*?[\]{}]/.test(name);
  if (!names.some(isPattern)) {
    const path = names.join("/");
    return files.read({ root: "project", path }, PROMPT_BYTES_MAX).found === "nothing" ? [] : [path];
  }
  const fixed = names.slice(0, -1).findIndex(isPattern);
  const start = names.slice(0, fixed === -1 ? -1 : fixed).join("/");
  // One name deep where the pattern says how deep; links may stand for directories there, as skills do.
  const levels = pattern.includes("**") || pattern.includes("{") ? DEPTH_MAX : names.length;
  return walk(files, start, { glob, levels, last: names.at(-1) ?? "" }).sort();
}

interface Wanted {
  readonly glob: Glob;
  readonly levels: number;
  readonly last: string;
}

function walk(files: ContextFiles, start: string, { glob, levels, last }: Wanted): string[] {
  const found: string[] = [];
  const open = [start];
  let directories = 0;
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    if (++directories > DIRECTORIES_MAX) throw tooMany(`more than ${DIRECTORIES_MAX} directories`);
    const place: ContextPlace = { root: "project", path: at };
    const listed = files.list(place, ENTRIES_MAX);
    if (listed.found !== "names") continue;
    if (listed.cut) throw tooMany(`more than ${ENTRIES_MAX} names in ${at === "" ? "the project" : at}`);
    for (const { name, kind } of listed.entries) {
      const path = at === "" ? name : `${at}/${name}`;
      if (kind !== "directory" && glob(path)) found.push(path);
      else if (kind === "link" && glob(`${path}/${last}`)) found.push(`${path}/${last}`);
      else if (kind === "directory" && !NOT_ENTERED.has(name) && path.split("/").length < levels) open.push(path);
    }
    if (found.length > FILES_MAX) throw tooMany(`more than ${FILES_MAX} files`);
  }
  return found;
}

/** Also when it changed since it was looked at: what is shown is what is there. */
function textNow(files: ContextFiles, name: string): string {
  const read = files.read({ root: "project", path: name }, PROMPT_BYTES_MAX);
  if (read.found === "text") return read.text;
  const why = read.found === "refused" ? read.why : "it is gone";
  throw new HarnessError("file_failed", `${name} cannot be read: ${why}.`, "`belay prompts list` shows what is there.");
}

function tooMany(what: string): HarnessError {
  return new HarnessError(
    "config_invalid",
    `The prompts of this project cannot be told: there are ${what}.`,
    `Narrow the patterns of \`prompts\` in ${SETTINGS}.`,
  );
}
