/** Runs the verification command on exactly the tree that was checkpointed, and leaves that tree as it was. */
import { commandNetwork, standsAgainstOwn } from "./command-network.ts";
import type { Draft } from "../kernel/events/index.ts";
import { TOOL_OUTPUT_CHARS_MAX } from "../kernel/limits.ts";
import { neutralise } from "../kernel/neutralise.ts";
import { runOwnCommand } from "./own-command.ts";
import type { Drive } from "./run.ts";

/** How long verification may take, in milliseconds. */
const VERIFY_LIMIT_MS = 20 * 60_000;
/** What of its output the model and people see, in characters. */
const TAIL_CHARS = 8_000;

export async function verify(command: string, run: Drive): Promise<readonly Draft[]> {
  const { label } = run.state();
  const now = run.host.clock.now();
  const against = standsAgainstOwn(run.config(), label, now);
  if (against !== null) return [notVerified(command, against, run)];
  const network = commandNetwork(run.config(), label, now);
  const end = await runOwnCommand({ command, network, limit_ms: VERIFY_LIMIT_MS }, run);
  await leaveAsItWas(run);
  if (run.signal.aborted) return [];
  const tree = run.state().workspace?.snapshots ? (run.state().workspace?.tree ?? null) : null;
  const kept = end.output.length > TAIL_CHARS ? await keep(end.output, run) : null;
  const passed = end.code === 0 && end.killed === null;
  // The model reads the output of one that failed, and with network it may be anybody's.
  const brought = !passed && network !== "none" && run.config().sandbox.mode === "bwrap";
  return [
    ...(brought
      ? [
          {
            kind: "LabelRaised",
            data: { label: "untrusted", what: "a verification with network", call: null },
          } satisfies Draft,
        ]
      : []),
    {
      kind: "VerificationFinished",
      actor: "tool",
      data: {
        command,
        exit_code: end.code,
        passed,
        tree,
        duration_ms: end.duration_ms,
        tail: neutralise(end.output.slice(-Math.min(TAIL_CHARS, TOOL_OUTPUT_CHARS_MAX))).text,
        output: kept,
      },
    },
  ];
}

/** It would run what the agent made of the project, with a network that nobody could take away from it. */
function notVerified(command: string, against: string, run: Drive): Draft {
  const tree = run.state().workspace?.snapshots ? (run.state().workspace?.tree ?? null) : null;
  const data = { command, exit_code: null, passed: false, tree, duration_ms: 0, output: null };
  return { kind: "VerificationFinished", actor: "tool", data: { ...data, tail: `It was not run: ${against}.` } };
}

/** A test run that writes files must not change what was verified, however it ended; in the user's own tree nothing is undone. */
export async function leaveAsItWas(run: Drive): Promise<void> {
  const { workspace } = run.state();
  if (workspace?.snapshots && run.config().workspace.mode !== "in_place")
    await (await run.workspace()).restore(workspace.tree);
}

async function keep(text: string, run: Drive): ReturnType<Drive["host"]["store"]["putBlob"]> {
  return run.host.store.putBlob(run.state().tenant, Buffer.from(run.redactor.redact(text).text, "utf8"));
}
