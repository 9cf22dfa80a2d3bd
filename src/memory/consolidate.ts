/**
 * What a run leaves for later ones, by rule and without a model: finished work is a fact, an error that was resolved is an
 * anti-pattern, a command that worked again and again is a way of working. Pure; it looks at the folded state alone.
 *
 * L1: low confidence: what one run saw once is a hint. Several sessions or a person make more of it.
 * L2: what tells later sessions what to do, and all that a session learned after it took in text of strangers, is proposed and not
 *     active.
 */
import { clipped } from "../kernel/clipped.ts";
import { type Continuity } from "../kernel/continuity.ts";
import type { Message, ToolUsePart } from "../kernel/content.ts";
import { type Memory, MEMORY_CHARS_MAX } from "../kernel/memory.ts";
import { tellsWhatToDo } from "./instruction.ts";

/** Of one run. */
export const LEARNED_MAX = 6;
const LEARNED_CONFIDENCE = 0.4;
/** How often a command has to have ended well. */
export const WORKED_MIN = 3;
const COMMANDS_MAX = 2;
/** Characters of a command; a longer one is a script of its moment. */
const COMMAND_CHARS_MAX = 120;
/** Characters of what was finished. */
const FINISHED_CHARS_MAX = 400;
const FILES_NAMED_MAX = 5;

/** What builds, tests and checks: of use to every later session, and nothing that acts outside. */
const CHECKS =
  /^(?:(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?(?:test|build|lint|typecheck|types|check|verify|format)\b|npx\s+(?:vitest|jest|tsc|eslint|playwright)\b|(?:python3?\s+-m\s+)?(?:pytest|unittest|tox|mypy|ruff)\b|(?:uv|poetry)\s+run\s+\S+|cargo\s+(?:test|build|check|clippy|fmt)\b|go\s+(?:test|build|vet)\b|make(?:\s+[\w-]+)?$|just\s+\w+|(?:\.\/)?(?:gradlew|mvnw)\b|(?:gradle|mvn)\s+\w+|dotnet\s+(?:test|build)\b|bundle\s+exec\s+\w+|rake\b|deno\s+(?:test|lint|check)\b|mix\s+test\b|swift\s+(?:test|build)\b|bazel\s+(?:test|build)\b|node\s+--test\b)/;

/** What is learned, before it has an id and a place. */
export type Learned = Pick<Memory, "kind" | "text" | "resolves" | "confidence" | "state">;

export interface RunSeen {
  readonly continuity: Continuity;
  readonly messages: readonly Message[];
  /** The turn in which the run began: what is older was learned before. */
  readonly since_turn: number;
  readonly untrusted: boolean;
}

export function consolidate(seen: RunSeen): readonly Learned[] {
  const { continuity, since_turn, untrusted } = seen;
  const all = [
    ...resolvedErrors(continuity, since_turn),
    ...workingCommands(seen.messages),
    ...finishedWork(continuity),
  ];
  return all.slice(0, LEARNED_MAX).map((one) => ({
    ...one,
    text: clipped(one.text, MEMORY_CHARS_MAX),
    resolves: clipped(one.resolves, MEMORY_CHARS_MAX),
    confidence: LEARNED_CONFIDENCE,
    state: untrusted || tellsWhatToDo(one.text) ? "proposed" : "active",
  }));
}

type Found = Pick<Memory, "kind" | "text" | "resolves">;

function finishedWork({ queue, done, files }: Continuity): readonly Found[] {
  const finished = [...done, ...queue.filter(({ status }) => status === "done").map(({ text }) => text)];
  if (finished.length === 0) return [];
  const named = files.slice(-FILES_NAMED_MAX).map(({ path }) => path);
  const where = named.length === 0 ? "" : ` (${named.join(", ")})`;
  return [
    {
      kind: "semantic",
      text: `Done: ${clipped([...new Set(finished)].join("; "), FINISHED_CHARS_MAX)}${where}`,
      resolves: "",
    },
  ];
}

/** `bash \`npm test\`: failed: 2 tests failed (turn 3); it worked in turn 7, after changes to src/a.ts` */
const LEARNING = /^(?<failed>.*?) \(turn \d+\); it worked in turn \d+(?<after>, after changes to .*)?$/s;

function resolvedErrors({ learnings }: Continuity, since: number): readonly Found[] {
  return learnings
    .filter(({ turn }) => turn > since)
    .flatMap(({ what }): Found[] => {
      const { failed, after } = LEARNING.exec(what)?.groups ?? {};
      // That something worked at a second try teaches nothing.
      if (failed === undefined || after === undefined) return [];
      return [{ kind: "anti_pattern", text: `${failed}. It worked${after}.`, resolves: failed }];
    });
}

function workingCommands(messages: readonly Message[]): readonly Found[] {
  const worked = new Map<string, number>();
  const results = new Map(
    messages.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.type === "tool_result" ? [[part.call, part.is_error] as const] : [])),
    ),
  );
  for (const call of messages.flatMap(({ parts }) => parts.filter((part) => part.type === "tool_use"))) {
    const command = commandOf(call);
    if (command !== null && results.get(call.call) === false) worked.set(command, (worked.get(command) ?? 0) + 1);
  }
  return [...worked]
    .filter(([, times]) => times >= WORKED_MIN)
    .sort((a, b) => b[1] - a[1])
    .slice(0, COMMANDS_MAX)
    .map(([command]) => ({ kind: "procedural", text: `\`${command}\` works in this project.`, resolves: "" }));
}

function commandOf({ name, input }: ToolUsePart): string | null {
  const command =
    name === "bash" && typeof input["command"] === "string" ? input["command"].replaceAll(/\s+/g, " ").trim() : "";
  return command.length <= COMMAND_CHARS_MAX && CHECKS.test(command) && !/[;&|<>$`\\]/.test(command) ? command : null;
}
