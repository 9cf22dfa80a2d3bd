/** The options of `run` and `resume`, and the configuration they come to. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { SessionConfig } from "../kernel/config.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { DEFAULT_LIMITS, LIMITS_MAX, type Limits, OUTPUT_TOKENS_DEFAULT } from "../kernel/limits.ts";

export const DEFAULT_MODEL = "claude-sonnet-5";
const MINUTE_MS = 60_000;

export type OutputMode = "text" | "json" | "events";

/** What `run` and `resume` both take. Absent: as it was, or the default. */
export interface CommonOptions {
  readonly output: OutputMode;
  readonly model?: string;
  readonly maxTurns?: number;
  readonly maxMinutes?: number;
  readonly maxTokens?: number;
  readonly verify?: string;
  readonly permissionMode?: SessionConfig["permission_mode"];
}

export interface RunOptions extends CommonOptions {
  readonly cwd?: string;
  readonly setup?: string;
  readonly base?: string;
  readonly inPlace?: true;
  readonly allowNetwork?: true;
  /** `--no-sandbox` makes it false. */
  readonly sandbox: boolean;
}

export interface ResumeOptions extends CommonOptions {
  readonly last?: true;
  readonly message?: string;
}

const PERMISSION_MODES = [
  "default",
  "acceptEdits",
  "plan",
  "dontAsk",
  "bypassPermissions",
] as const satisfies readonly SessionConfig["permission_mode"][];

export function addCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option("-o, --output <mode>", "text for people, json for one object at the end, events for a line each")
        .choices(["text", "json", "events"])
        .default("text"),
    )
    .option("-m, --model <name>", `the model (default: ${DEFAULT_MODEL})`, filledText)
    .option("--max-turns <n>", `turns of the session (default: ${DEFAULT_LIMITS.turns})`, wholeNumber(LIMITS_MAX.turns))
    .option(
      "--max-minutes <n>",
      `minutes at work (default: ${DEFAULT_LIMITS.active_ms / MINUTE_MS})`,
      wholeNumber(LIMITS_MAX.active_ms / MINUTE_MS),
    )
    .option(
      "--max-tokens <n>",
      `tokens read and written (default: ${DEFAULT_LIMITS.tokens})`,
      wholeNumber(LIMITS_MAX.tokens),
    )
    .option("--verify <command>", "its exit code decides whether the work is verified", filledText)
    .addOption(
      new Option("--permission-mode <mode>", "accepted for now; the sandbox stays on in every mode").choices(
        PERMISSION_MODES,
      ),
    );
}

/** The sandbox and who decides about commands. */
export interface Confinement {
  readonly mode: SessionConfig["sandbox"]["mode"];
  readonly approval: SessionConfig["approval"];
}

/** What this machine offers, and whether somebody is there to be asked. */
export interface Surroundings {
  readonly sandbox:
    { readonly mode: "bwrap" } | { readonly mode: "none"; readonly reason: string; readonly install: string };
  readonly terminal: boolean;
}

/** Fail closed: without a sandbox every command is asked about; where nobody is there to ask, nothing runs. @throws `sandbox_missing` */
export function confinement(options: Pick<RunOptions, "sandbox">, { sandbox, terminal }: Surroundings): Confinement {
  if (!options.sandbox) return { mode: "none", approval: "allow" };
  if (sandbox.mode === "bwrap") return { mode: "bwrap", approval: "sandbox" };
  if (terminal) return { mode: "none", approval: "ask" };
  throw new HarnessError(
    "sandbox_missing",
    `There is no sandbox for commands here: ${sandbox.reason}.`,
    `Install it (${sandbox.install}), run at a terminal to be asked for each command, or say --no-sandbox.`,
  );
}

/** A session goes on as it was configured, or not at all: said before a call is paid for. */
export function requireSameConfinement(
  { sandbox, approval }: Pick<SessionConfig, "sandbox" | "approval">,
  { sandbox: here, terminal }: Surroundings,
): void {
  if (sandbox.mode === "bwrap" && here.mode === "none") {
    throw new HarnessError(
      "sandbox_missing",
      `The session's commands run in a sandbox, and there is none here: ${here.reason}.`,
      `Install it (${here.install}), then resume.`,
    );
  }
  if (approval === "ask" && !terminal) {
    throw new HarnessError(
      "sandbox_missing",
      "The session asks a person before every command, and nobody is here to be asked.",
      "Resume it at a terminal.",
    );
  }
}

export function configOf(
  options: RunOptions,
  confined: Confinement,
  isRepository: boolean,
): Omit<SessionConfig, "versions"> {
  if (options.base !== undefined && (options.inPlace === true || !isRepository)) {
    throw new HarnessError(
      "usage",
      "--base needs a private clone of a git repository.",
      "Leave --in-place away, or run in a repository.",
    );
  }
  return {
    provider: "anthropic",
    model: options.model ?? DEFAULT_MODEL,
    max_tokens: OUTPUT_TOKENS_DEFAULT,
    thinking_tokens: null,
    limits: limitsOf(options, DEFAULT_LIMITS),
    sandbox: { mode: confined.mode, network: options.allowNetwork === true },
    workspace: {
      mode: options.inPlace === true ? "in_place" : isRepository ? "clone" : "copy",
      base: options.base ?? null,
    },
    approval: confined.approval,
    permission_mode: options.permissionMode ?? "default",
    setup: options.setup ?? null,
    verify: options.verify ?? null,
  };
}

/** What a resume changes; everything else stays as it was journaled. */
export function changeOf(options: CommonOptions): (config: SessionConfig) => SessionConfig {
  return (config) => ({
    ...config,
    model: options.model ?? config.model,
    limits: limitsOf(options, config.limits),
    verify: options.verify ?? config.verify,
    permission_mode: options.permissionMode ?? config.permission_mode,
  });
}

function limitsOf(options: CommonOptions, present: Limits): Limits {
  return {
    turns: options.maxTurns ?? present.turns,
    active_ms: options.maxMinutes === undefined ? present.active_ms : options.maxMinutes * MINUTE_MS,
    tokens: options.maxTokens ?? present.tokens,
  };
}

/** `--verify "$UNSET"` must not verify anything: an empty command succeeds. */
export function filledText(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It must not be empty.");
  return text;
}

/** A typing error must not mean "no limit". */
export function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < 1 || value > max)
      throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
    return value;
  };
}
