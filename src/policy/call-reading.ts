/** What rules say of a call and what its command was read as: made before the judgement, which then looks at nothing else. */
import { lazy } from "../kernel/lazy.ts";
import type { RuleVerdict } from "./verdict.ts";
import type { JudgeRequest, JudgeStanding } from "./standing.ts";
import type { SimpleCommand } from "./shell/reading.ts";
import type { KnownProgram, ProgramReading } from "./shell/program.ts";
import { isInstructionFile } from "./flow/instruction-files.ts";
import { inPhase } from "./phases.ts";

export interface CallReading {
  readonly ruled: RuleVerdict;
  /** Every program of the command is known, starts no other, and reaches no network. */
  readonly offline: boolean;
  /** Some program of the command is made for reaching the network, or nobody can tell what it runs. */
  readonly fetches: boolean;
  /** All that it changes lies inside the workspace, and steers no other program. */
  readonly inside: boolean;
  /** The first file it says that it writes and that tells agents of later sessions what to do; null where it names none. */
  readonly configures: string | null;
}

type ReadProgram = (words: SimpleCommand["words"]) => ProgramReading;

/** They download what the project itself names; what they print is theirs. What they downloaded is a source of its own. */
const PACKAGE_MANAGERS: ReadonlySet<string> = new Set(
  "npm pnpm yarn bun pip pip3 uv poetry cargo go bundle gem composer mvn gradle apt-get apt dotnet".split(" "),
);
/** Made for the network, and without a table of their own. */
const FETCHERS: ReadonlySet<string> = new Set(
  "curl wget ssh scp sftp rsync nc ncat netcat socat telnet ftp aria2c http https xh gh glab lynx w3m links".split(" "),
);

/** Loaded when a call first needs it: most sessions never do. */
const readers = lazy(async () => {
  const [rules, shell, programs] = await Promise.all([
    import("./rules/decide-by-rules.ts"),
    import("./shell/read-shell.ts"),
    import("./shell/programs/read-program.ts"),
  ]);
  return { ...rules, ...shell, ...programs };
});

/** What the rules say and how the command is read. */
export async function readCall(request: JudgeRequest, standing: JudgeStanding): Promise<CallReading> {
  const { tool, input } = request;
  const { config, root, home } = inPhase(request, standing);
  const { decideByRules, readShellAt, readProgram } = await readers();
  const context = { rules: config.permissions.rules, mode: config.permission_mode, cwd: root, home };
  const ruled = await decideByRules({ tool, input }, context);
  const { command } = input;
  if (typeof command !== "string") return { ruled, offline: false, fetches: false, inside: false, configures: null };
  const { commands, problems } = await readShellAt(command, root);
  const reaches = commands.map((one) => reachOf(one, readProgram));
  // The mode that accepts edits is what knows which changes stay in the workspace; no rule of anybody's widens it here.
  const edits = (): Promise<RuleVerdict> =>
    decideByRules({ tool, input }, { rules: [], mode: "acceptEdits", cwd: root, home });
  return {
    ruled,
    offline: problems.length === 0 && reaches.every((reach) => reach === "none"),
    fetches: problems.length > 0 || reaches.includes("network"),
    inside: config.sandbox.mode === "bwrap" || (await edits()).decision === "allow",
    configures: commands.flatMap((one) => writtenBy(one, readProgram)).find(isInstructionFile) ?? null,
  };
}

function writtenBy({ words, redirects }: SimpleCommand, readProgram: ReadProgram): readonly string[] {
  const into = redirects.flatMap(({ kind, target }) => (kind === "write" && target !== null ? [target.text] : []));
  const known = words.length === 0 ? null : understood(readProgram(words));
  const paths = known?.paths.filter(({ access }) => access === "write").map(({ path }) => path) ?? [];
  return [...into, ...paths];
}

/** `unknown`: it may start anything, the network included. */
function reachOf({ words, assignments }: SimpleCommand, readProgram: ReadProgram): "none" | "unknown" | "network" {
  const [program] = words;
  // A variable can make a program another one (`PATH`, `LD_PRELOAD`, `PAGER`), also in a command after it.
  if (program === undefined) return assignments.length === 0 ? "none" : "unknown";
  if (!program.plain) return "network";
  const name = program.text.slice(program.text.lastIndexOf("/") + 1);
  const reading = readProgram(words);
  const known = understood(reading);
  if (FETCHERS.has(name) || (known?.network === true && !PACKAGE_MANAGERS.has(name))) return "network";
  const quiet =
    reading.kind === "known" && !reading.network && reading.effect !== "execute" && reading.runs.length === 0;
  return quiet && assignments.length === 0 ? "none" : "unknown";
}

function understood(reading: ProgramReading): KnownProgram | null {
  return reading.kind === "known" ? reading : reading.kind === "not_listed" ? reading.understood : null;
}
