/** Makes the workspace (begun while the first model call was under way), sets it up, and names its start. */
import type { Draft } from "../kernel/events/index.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { PreparedWorkspace } from "../workspace/workspace.ts";
import { setupNetwork, standsAgainstOwn } from "./command-network.ts";
import { runOwnCommand } from "./own-command.ts";
import type { Drive } from "./run.ts";

/** How long set-up may take, in milliseconds. */
const SETUP_LIMIT_MS = 20 * 60_000;
/** What of its output is shown when it fails, in characters. */
const SETUP_TAIL_CHARS = 2_000;
const SETUP_PHASE = "setup";

export async function prepareWorkspace(run: Drive): Promise<readonly Draft[]> {
  const prepared = await preparedOrStopped(run);
  if (prepared === null) return [];
  const setup = await setUp(run);
  if (run.signal.aborted) return [];
  // What set-up changed is not the agent's work: the base is taken after it.
  const base = setup === null || !prepared.snapshots ? prepared : await prepared.workspace.snapshot();
  const tree = "tree" in base ? base.tree : prepared.base;
  return [
    ...(run.state().phase === SETUP_PHASE && run.config().phases.length === 0
      ? ([{ kind: "PhaseLeft", data: { phase: SETUP_PHASE } }] satisfies Draft[])
      : []),
    {
      kind: "WorkspacePrepared",
      data: {
        mode: run.config().workspace.mode,
        base: tree,
        head: prepared.head,
        branch: prepared.branch,
        files: prepared.files,
        snapshots: prepared.snapshots,
        left_out: prepared.left_out.map((left) => ({ ...left, paths: [...left.paths] })),
        setup,
      },
    },
    ...(prepared.snapshots
      ? ([
          {
            kind: "CheckpointCreated",
            data: { checkpoint: run.host.ids.checkpoint(), tree, commit: null, label: "start" },
          },
        ] satisfies Draft[])
      : ([
          {
            kind: "HealthChanged",
            data: { subsystem: "snapshot", status: "down", reason: "too many files: nothing can be rolled back" },
          },
        ] satisfies Draft[])),
  ];
}

/** Null when the run was stopped meanwhile: the next one makes the workspace from scratch. */
async function preparedOrStopped(run: Drive): Promise<PreparedWorkspace | null> {
  try {
    return await run.preparing();
  } catch (error) {
    if (error instanceof HarnessError && run.signal.aborted) return null;
    throw error;
  }
}

interface SetupResult {
  readonly command: string;
  readonly exit_code: number;
  readonly duration_ms: number;
}

async function setUp(run: Drive): Promise<SetupResult | null> {
  const { setup: command } = run.config();
  if (command === null) return null;
  // A phase goes on through it: left and entered anew it would begin to count its turns again, and another model might answer
  // in the middle of a turn. Also a crash during set-up leaves it as it was.
  if (run.state().phase === null) await run.record([{ kind: "PhaseEntered", data: { say: null, phase: SETUP_PHASE } }]);
  const { label, session } = run.state();
  const now = run.host.clock.now();
  const against = standsAgainstOwn(run.config(), label, now);
  if (against !== null) {
    throw new HarnessError(
      "setup_failed",
      `The set-up command \`${command}\` of session ${session} was not run: ${against}.`,
      "Run it in belay's own sandbox, or say --public or --grant network:anywhere:untrusted.",
    );
  }
  const network = setupNetwork(run.config(), label, now);
  const end = await runOwnCommand({ command, network, limit_ms: SETUP_LIMIT_MS }, run);
  if (end.code !== 0 && !run.signal.aborted) {
    const how = end.killed
      ? `was stopped (${end.killed})`
      : `ended with exit code ${end.code ?? end.signal ?? "unknown"}`;
    throw new HarnessError(
      "setup_failed",
      `The set-up command \`${command}\` of session ${run.state().session} ${how}: ${end.output.slice(-SETUP_TAIL_CHARS).trim()}`,
      "Correct it and start again with --setup.",
    );
  }
  return { command, exit_code: end.code ?? -1, duration_ms: end.duration_ms };
}
