/**
 * Brings the files of a sub-agent into those of its parent: one sub-agent at a time, all of it or nothing.
 *
 * M1: what was there before is recorded first. A crash in the middle goes back to it and does it again; in the user's own files
 *     nothing is set back, and doing it again is harmless: what is there already is left.
 * M2: where both sides changed the same, nothing of that sub-agent comes in: the conflict is data for the model.
 * M3: where there is a verification it is run with the changes; red ones are taken out again, and stay in the sub-agent's own files.
 *     In the user's own files they stay and that is said: nothing there is undone silently.
 */
import type { Draft, EventOf } from "../../kernel/events/index.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionId, TreeHash } from "../../kernel/ids.ts";
import { neutralise } from "../../kernel/neutralise.ts";
import type { AgentRecord, SessionState } from "../../kernel/state.ts";
import { type Journal, loadSession } from "../../store/journal.ts";
import { DeliveryRefused } from "../../workspace/delivery/delivery.ts";
import type { Workspace } from "../../workspace/workspace.ts";
import { commandNetwork, standsAgainstOwn } from "../command-network.ts";
import { runOwnCommand } from "../own-command.ts";
import type { Drive } from "../run.ts";
import { hasChanged, openFiles } from "./child-files.ts";

const VERIFY_LIMIT_MS = 20 * 60_000;
/** Of a verification's output, what is journaled and what the model reads. Characters. */
const TAIL_CHARS = 8_000;
const SAID_TAIL_CHARS = 1_500;
/** Paths that a sentence names. */
const NAMED_MAX = 10;

type Merged = EventOf<"AgentMerged">["data"];
type Verdict = Pick<Merged, "status" | "files" | "conflicts" | "tree" | "verification" | "say">;

export async function mergeAgent(session: SessionId, run: Drive): Promise<readonly Draft[]> {
  const record = run.state().agents.find((agent) => agent.session === session);
  if (record?.outcome !== "completed") return [merged(session, keptAs(session, record?.outcome ?? "failed", record))];
  const { row, state } = await loadSession(run.host.store, run.state().tenant, session);
  const journal = await openOrNull(session, run);
  if (journal === null) return [merged(session, kept(record, session, "another process drives it"))];
  try {
    const files = await openFiles(state, row.place, run.host).catch(missingAsNull);
    if (files === null || !hasChanged(state)) return [merged(session, kept(record, session, "they are gone"))];
    const verdict = await bringIn({ session, record, state, files }, run);
    if (verdict === null) return [];
    if (verdict.status === "merged") await journal.append([delivered(state, verdict)]);
    await run.record([...labelOf(verdict, run), merged(session, verdict)]);
    if (verdict.status === "merged") await removed(journal, files);
    return [];
  } finally {
    await journal.close();
  }
}

async function openOrNull(session: SessionId, run: Drive): Promise<Journal | null> {
  const row = await run.host.store.getSession(run.state().tenant, session);
  if (row === null) return null;
  try {
    return await run.sessions.open(run.host, session, row.place);
  } catch (error) {
    if (error instanceof HarnessError && error.kind === "lease_held") return null;
    throw error;
  }
}

function missingAsNull(error: unknown): null {
  if (error instanceof HarnessError && error.kind === "workspace_missing") return null;
  throw error;
}

interface Child {
  readonly session: SessionId;
  readonly record: AgentRecord;
  readonly state: SessionState;
  readonly files: Workspace;
}

/** Null when the run was stopped meanwhile: the next one begins with what was before. */
async function bringIn(child: Child, run: Drive): Promise<Verdict | null> {
  const { session, record, state, files } = child;
  const own = await run.workspace();
  const inPlace = own.mode === "in_place";
  const before = await beforeMerge(session, own, run);
  const { base, tree } = state.workspace ?? { base: null, tree: null };
  if (base === null || tree === null) return kept(record, session, "it has none");
  // What steers other programs goes no further than the parent's private files without a person: they deliver those.
  const request = { base, tree, message: `sub-agent ${record.agent}`, protected: !inPlace };
  const came = await run.ownership.whileOwned(() => files.apply(request)).catch(refusedAsValue);
  if (came instanceof DeliveryRefused) return conflicting(child, came.paths, run);
  if (came instanceof HarnessError) return kept(record, session, came.happened);
  const after = run.state().workspace?.snapshots === true ? (await own.snapshot()).tree : null;
  const names = came.files.map((path) => run.redactor.redact(path).text);
  const { verify } = run.config();
  if (verify === null || names.length === 0) return taken(child, { files: names, tree: after, verification: null });
  const gate = await checked(verify, run);
  const good = gate.passed || gate.skipped;
  // Also what the verification itself left is no part of the work.
  const back = good && !run.signal.aborted ? after : before;
  if (!inPlace && back !== null) await own.restore(back);
  if (run.signal.aborted) return null;
  const { verification } = gate;
  if (good || inPlace || before === null) return taken(child, { files: names, tree: after, verification });
  return red(child, names, verification);
}

/** Conflicts, and what only a person may bring over. */
function refusedAsValue(error: unknown): HarnessError {
  if (error instanceof DeliveryRefused) return error;
  if (error instanceof HarnessError && error.kind === "usage") return error;
  throw error;
}

/** M1. */
async function beforeMerge(session: SessionId, own: Workspace, run: Drive): Promise<TreeHash | null> {
  const { merging, workspace } = run.state();
  if (merging?.session === session) {
    if (merging.tree !== null && own.mode !== "in_place") await own.restore(merging.tree);
    return merging.tree;
  }
  const tree = workspace?.snapshots === true ? (await own.snapshot()).tree : null;
  await run.record([{ kind: "AgentMergeStarted", data: { session, tree } }]);
  return tree;
}

interface Gate {
  readonly passed: boolean;
  /** It must not be run here: whoever looks at the end finds that out, too. */
  readonly skipped: boolean;
  readonly verification: NonNullable<Merged["verification"]>;
}

/** M3. */
async function checked(command: string, run: Drive): Promise<Gate> {
  const { label } = run.state();
  const now = run.host.clock.now();
  const against = standsAgainstOwn(run.config(), label, now);
  if (against !== null)
    return {
      passed: false,
      skipped: true,
      verification: { command, exit_code: null, tail: `It was not run: ${against}.` },
    };
  const network = commandNetwork(run.config(), label, now);
  const end = await runOwnCommand({ command, network, limit_ms: VERIFY_LIMIT_MS }, run);
  const verification = { command, exit_code: end.code, tail: end.output.slice(-TAIL_CHARS) };
  return { passed: end.code === 0 && end.killed === null, skipped: false, verification };
}

/** With network its output may be anybody's, and the model reads that of one that failed. */
function labelOf({ status, verification }: Verdict, run: Drive): readonly Draft[] {
  if (verification === null || verification.exit_code === null || (status === "merged" && verification.exit_code === 0))
    return [];
  const now = run.host.clock.now();
  const brought =
    run.config().sandbox.mode === "bwrap" && commandNetwork(run.config(), run.state().label, now) !== "none";
  return brought
    ? [{ kind: "LabelRaised", data: { label: "untrusted", what: "a verification with network", call: null } }]
    : [];
}

function taken({ record, session }: Child, came: Pick<Verdict, "files" | "tree" | "verification">): Verdict {
  const { files, verification } = came;
  const failed = verification !== null && verification.exit_code !== 0;
  const gate =
    verification === null
      ? ""
      : failed
        ? ` \`${verification.command}\` does not pass with them: ${tailOf(verification.tail)}`
        : ` \`${verification.command}\` passes with them.`;
  const say =
    files.length === 0
      ? `What ${nameOf(record, session)} changed was there already.`
      : `The files of ${nameOf(record, session)} were brought in: ${listed(files)}.${gate}`;
  return { ...came, status: "merged", conflicts: [], say };
}

async function conflicting(
  { record, session, state, files }: Child,
  paths: readonly string[],
  run: Drive,
): Promise<Verdict> {
  const conflicts = paths.map((path) => run.redactor.redact(path).text);
  const { base, tree } = state.workspace ?? { base: null, tree: null };
  const whole = base === null || tree === null ? 0 : (await files.changes(base, tree)).length;
  const say =
    `Nothing of ${nameOf(record, session)} was brought in: ${listed(conflicts)} changed on both sides. ` +
    `Its ${whole} changed files stay in session ${session}; do what is missing yourself, or hand it on anew.`;
  return { status: "conflict", files: [], conflicts, tree: null, verification: null, say };
}

function red(
  { record, session }: Child,
  files: readonly string[],
  verification: NonNullable<Merged["verification"]>,
): Verdict {
  const how = verification.exit_code === null ? "did not end" : `ended with exit code ${verification.exit_code}`;
  const say =
    `The files of ${nameOf(record, session)} (${listed(files)}) were taken out again: with them \`${verification.command}\` ${how}: ` +
    `${tailOf(verification.tail)}\nThey stay in session ${session}.`;
  return { status: "red", files: [], conflicts: [], tree: null, verification, say };
}

function kept(record: AgentRecord | undefined, session: SessionId, why: string): Verdict {
  const say = `The files of ${nameOf(record, session)} were not brought in: ${why}. A person can look at them with \`belay diff ${session}\`.`;
  return { status: "kept", files: [], conflicts: [], tree: null, verification: null, say };
}

/** Half-done work is nobody's to merge unasked. */
function keptAs(session: SessionId, outcome: string, record: AgentRecord | undefined): Verdict {
  return kept(record, session, `it did not finish (${outcome.replaceAll("_", " ")})`);
}

function merged(session: SessionId, verdict: Verdict): Draft {
  return {
    kind: "AgentMerged",
    data: { session, ...verdict, files: [...verdict.files], conflicts: [...verdict.conflicts] },
  };
}

function delivered(state: SessionState, { files }: Verdict): Draft {
  const tree = state.workspace?.tree;
  if (tree === undefined)
    throw new HarnessError("internal", `Sub-agent ${state.session} has no tree.`, "Report this as a defect of belay.");
  return { kind: "WorkDelivered", data: { how: "apply", tree, commit: null, files: files.length } };
}

/** Afterwards: a crash before this leaves files that `belay sessions prune` removes. */
async function removed(journal: Journal, files: Workspace): Promise<void> {
  await journal.append([{ kind: "WorkspaceRemoved", data: { reason: "merged into its parent's files" } }]);
  await files.remove();
}

function nameOf(record: AgentRecord | undefined, session: SessionId): string {
  return `the sub-agent ${record?.agent ?? "?"} (${session})`;
}

function listed(paths: readonly string[]): string {
  const shown = paths.slice(0, NAMED_MAX).map((path) => neutralise(path).text.replaceAll("\n", "?"));
  const more = paths.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function tailOf(tail: string): string {
  return neutralise(tail.slice(-SAID_TAIL_CHARS)).text.trim();
}
