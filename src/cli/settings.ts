/** The options of `run` and `resume`, and what of them is decided by the machine: the sandbox, the workspace. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { SandboxMode, SessionConfig } from "../kernel/config.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { DEFAULT_LIMITS, LIMITS_MAX } from "../kernel/limits.ts";
import type { ExternalProbe } from "../workspace/sandbox/external.ts";
import type { Ci } from "./ci.ts";
import { addMoneyOptions, type MoneyOptions } from "./money-options.ts";
import { addWorkOptions } from "./work-options.ts";
import type { SaidWork } from "./work-settings.ts";
import { addPolicyOptions, type PolicyOptions } from "./policy-options.ts";

export const MINUTE_MS = 60_000;

export type OutputMode = "text" | "json" | "events";

/** What `run` and `resume` both take. Absent: as it was, or the default. */
export interface CommonOptions extends MoneyOptions, PolicyOptions, SaidWork {
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
  /** The opposite: where in place is the default. */
  readonly clone?: true;
  readonly allowNetwork?: true;
  /** Absent: bubblewrap. `--no-sandbox` makes it false, which is `none`. */
  readonly sandbox?: SandboxMode | false;
}

export interface ResumeOptions extends CommonOptions {
  readonly last?: true;
  readonly message?: string;
  /** The work was looked at, and goes on. */
  readonly approve?: true;
  /** It is held to the prompts of this version from now on. */
  readonly repin?: true;
}

/** Said again, so that `--help` does not load the schemas that the kernel's own list stands beside. */
const PERMISSION_MODES = [
  "default",
  "acceptEdits",
  "plan",
  "dontAsk",
  "bypassPermissions",
] as const satisfies readonly SessionConfig["permission_mode"][];

export function addCommonOptions(command: Command): Command {
  const limited = command
    .addOption(
      new Option("-o, --output <mode>", "text for people, json for one object at the end, events for a line each")
        .choices(["text", "json", "events"])
        .default("text"),
    )
    .option(
      "-m, --model <name>",
      "provider/model, a name that means its provider, or an alias (see belay models)",
      filledText,
    )
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
    );
  const verified = limited.option(
    "--verify <command>",
    "its exit code decides whether the work is verified",
    filledText,
  );
  const permitted = addPolicyOptions(addMoneyOptions(verified)).addOption(
    new Option("--permission-mode <mode>", "as in Claude Code; the sandbox stays on in every mode").choices(
      PERMISSION_MODES,
    ),
  );
  return addWorkOptions(permitted);
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
  /** What is around belay; looked at only where it matters. */
  readonly external: () => ExternalProbe;
}

/** Fail closed: without a sandbox every command is asked about; where nobody is there to ask, nothing runs. @throws `sandbox_missing` */
export function confinement(options: Pick<RunOptions, "sandbox" | "onAsk">, surroundings: Surroundings): Confinement {
  const { sandbox, terminal, external } = surroundings;
  const wanted = options.sandbox;
  if (wanted === false || wanted === "none") return { mode: "none", approval: "allow" };
  if (wanted === "external") {
    requireAround(external(), "--sandbox external says that a container or a virtual machine is around belay");
    return { mode: "external", approval: "sandbox" };
  }
  if (sandbox.mode === "bwrap") return { mode: "bwrap", approval: "sandbox" };
  // Who answers later is a person, too.
  if ((terminal || options.onAsk === "wait") && wanted === undefined) return { mode: "none", approval: "ask" };
  throw new HarnessError(
    "sandbox_missing",
    `There is no sandbox for commands here: ${sandbox.reason}.`,
    `Install it (${sandbox.install}), run at a terminal to be asked for each command, or say --no-sandbox.${externalWay(external())}`,
  );
}

/** A declaration that the machine itself contradicts is a mistake that costs the machine. @throws `sandbox_missing` */
function requireAround({ verdict }: ExternalProbe, declared: string): void {
  if (verdict !== "contradicted") return;
  throw new HarnessError(
    "sandbox_missing",
    `${declared}, and there is no sign of one: no container engine's mark, no PID namespace, no hypervisor.`,
    "Run belay inside one, leave --sandbox away to use bubblewrap, or start with --no-sandbox, which says what is true.",
  );
}

function externalWay({ verdict, evidence }: ExternalProbe): string {
  if (verdict !== "confirmed") return "";
  return (
    ` Or say --sandbox external: belay runs in ${evidence[0] ?? "a container"}, which is then the boundary. ` +
    "Commands may do whatever it lets them do, the network included, and after a crash none is repeated."
  );
}

/** A session goes on as it was configured, or not at all: said before a call is paid for. */
export function requireSameConfinement(
  { sandbox, approval, permissions }: Pick<SessionConfig, "sandbox" | "approval" | "permissions">,
  { sandbox: here, terminal, external }: Surroundings,
): void {
  if (sandbox.mode === "external")
    requireAround(external(), "The session was configured for a container or a virtual machine around belay");
  if (sandbox.mode === "bwrap" && here.mode === "none") {
    throw new HarnessError(
      "sandbox_missing",
      `The session's commands run in a sandbox, and there is none here: ${here.reason}.`,
      `Install it (${here.install}), then resume.`,
    );
  }
  if (approval === "ask" && !terminal && permissions.on_ask !== "wait") {
    throw new HarnessError(
      "sandbox_missing",
      "The session asks a person before every command, and nobody is here to be asked.",
      "Resume it at a terminal, or say --on-ask wait.",
    );
  }
}

export interface WorkspaceChoice {
  readonly mode: SessionConfig["workspace"]["mode"];
  /** Null when it is the ordinary default or was asked for. */
  readonly why: string | null;
}

/** A checkout of CI in a container of its own is private already, and the job's next steps look for the changes there. */
export function workspaceChoice(
  options: Pick<RunOptions, "inPlace" | "clone" | "base">,
  confined: Confinement,
  { isRepository, ci }: { readonly isRepository: boolean; readonly ci: Ci | null },
): WorkspaceChoice {
  if (options.inPlace === true) return { mode: "in_place", why: null };
  if (confined.mode === "external" && ci !== null && options.clone !== true && options.base === undefined)
    return {
      mode: "in_place",
      why: `the default in ${ci.name} with --sandbox external; --clone works in a private copy`,
    };
  return { mode: isRepository ? "clone" : "copy", why: null };
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
