/** Options of `run` and `resume` about how a session works: its phases and reviews, its context, its sub-agents, its memory. */
import { type Command, InvalidArgumentError } from "commander";
import { type Read, readTokens } from "./amount.ts";

/** What is absent is as it was, as the settings say, or the default. */
export interface WorkOptions {
  /** Files beside those that the task mentions. */
  readonly file?: readonly string[];
  /** Names; empty: `none`. */
  readonly phases?: readonly string[];
  /** Null: `off`. */
  readonly reviewEvery?: number | null;
  /** Tokens. */
  readonly contextWindow?: number;
  readonly compactEvery?: number | null;
  /** False: `--no-summary`. */
  readonly summary?: boolean;
  /** At work at a time, and over the life of the session. */
  readonly agents?: number;
  readonly maxAgents?: number;
  /** False: `--no-memory`. */
  readonly memory?: boolean;
}

/** Said again, so that `--help` does not load the schemas that the kernel's own limits stand in. */
export const REVIEW_EVERY_MAX = 100;
const COMPACT_EVERY_MIN = 5;
const TURNS_MAX = 10_000;
const AGENTS_MAX = 20;
const AGENTS_IN_ALL_MAX = 1_000;

export function addWorkOptions(command: Command): Command {
  return command
    .optionsGroup("How it works (docs/narrow-scope.md):")
    .option("--file <path>", "a file's text goes with the task; repeatable", more)
    .option("--phases <names>", "go through explore,plan,implement,verify, or phases of the settings; or none", names)
    .option(
      "--review-every <n>",
      "after so many turns a person looks before it goes on (3 to 5 is good; or off)",
      everyOr(1, REVIEW_EVERY_MAX),
    )
    .option("--context-window <tokens>", "what the model reads at most, such as 200k", tokens)
    .option(
      "--compact-every <n>",
      "compact the conversation every n turns, whether it pays or not (or off)",
      everyOr(COMPACT_EVERY_MIN, TURNS_MAX),
    )
    .option("--no-summary", "compact without asking the model for a summary")
    .option("--agents <n>", "sub-agents at work at a time (default: 5)", between(1, AGENTS_MAX))
    .option(
      "--max-agents <n>",
      "sub-agents in all, theirs included (default: 50; 0: none)",
      between(0, AGENTS_IN_ALL_MAX),
    )
    .option("--no-memory", "recall nothing and remember nothing");
}

function more(value: string, before: readonly string[] = []): readonly string[] {
  if (value.trim() === "") throw new InvalidArgumentError("It must not be empty.");
  return [...before, value];
}

/** What a phase may be called. */
export const PHASE_PATTERN: RegExp = /^[a-z][a-z0-9_-]{0,39}$/;

function names(text: string): readonly string[] {
  const said = text.split(",").map((name) => name.trim());
  if (said.length === 1 && said[0] === "none") return [];
  const wrong = said.find((name) => !PHASE_PATTERN.test(name));
  if (wrong !== undefined)
    throw new InvalidArgumentError("It must be names with commas between, such as explore,implement.");
  if (new Set(said).size < said.length) throw new InvalidArgumentError("It names a phase twice.");
  return said;
}

function readCount(text: string, min: number, max: number): Read<number> {
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return { value };
  return { wrong: `It must be a whole number from ${String(min)} to ${String(max)}.` };
}

function between(min: number, max: number): (text: string) => number {
  return (text) => valueOf(readCount(text, min, max));
}

function everyOr(min: number, max: number): (text: string) => number | null {
  return (text) => (text.trim() === "off" ? null : valueOf(readCount(text, min, max)));
}

function tokens(text: string): number {
  return valueOf(readTokens(text));
}

function valueOf<T>(read: Read<T>): T {
  if ("value" in read) return read.value;
  throw new InvalidArgumentError(read.wrong);
}
