/**
 * Imports a session from its file. Everything is unpacked beside, checked, and only then stored: a file that is refused leaves
 * nothing behind. What ran where it comes from is not ours, and commands are confined as this machine confines them, whatever
 * the file says.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { SessionConfig } from "../../kernel/config.ts";
import type { Draft } from "../../kernel/events/index.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import {
  LOCAL_PRINCIPAL,
  LOCAL_TENANT,
  parseSessionId,
  parseTreeHash,
  type SessionId,
  type TraceId,
} from "../../kernel/ids.ts";
import { canonicalJson } from "../../kernel/json.ts";
import type { SessionState } from "../../kernel/state.ts";
import { removeSessionDirectory } from "../../workspace/layout.ts";
import { findRepository } from "../../workspace/prepare/source.ts";
import type { RecreatedWorkspace } from "../../workspace/workspace.ts";
import type { Host } from "../host.ts";
import { branchOf } from "../run.ts";
import type { SessionPart } from "./archive.ts";
import { invalid, readParts } from "./archive-read.ts";
import { addDrafts, type Identity, storeJournal } from "./new-journal.ts";
import { withStage } from "./stage-directory.ts";
import { stageParts, type Staged } from "./stage.ts";
import { checkedJournal, hasCutThinking, treesOf } from "./staged-journal.ts";

export interface ImportRequest {
  readonly file: AsyncIterable<Uint8Array>;
  /** Where the user is: the session is connected with the repository there when that has the commit it started from. */
  readonly cwd: string;
  /** The directory below which the directories of sessions are. */
  readonly sessions: string;
  /** Under a new id, as a fork. */
  readonly as_new: boolean;
  /** How commands are confined here; what the file says of that does not count. */
  readonly confinement: Pick<SessionConfig, "sandbox" | "approval">;
}

export interface Imported {
  readonly session: SessionId;
  /** Its id in the file. */
  readonly from: SessionId;
  readonly events: number;
  readonly turns: number;
  /** Where its files are; null when it had none, or they did not come along. */
  readonly workspace: string | null;
  /** Whether its work can be merged into the repository of `cwd`. */
  readonly connected: boolean;
  /** Why the files did not come along; null when they did, or there were none. */
  readonly without_files: string | null;
  readonly exact: boolean;
  /** Kinds of events that this version does not know: the session can be read and not driven. */
  readonly unknown_kinds: readonly string[];
}

/** @throws `archive_invalid`, `session_exists`, `event_unknown` */
export async function importSession(host: Host, request: ImportRequest): Promise<Imported> {
  return withStage(host, request.sessions, "import", async (stage) => {
    const staged = await stageParts(readParts(request.file), stage, (head) => requireNew(host, request, head));
    return importStaged(host, request, staged);
  });
}

async function requireNew(host: Host, { as_new }: ImportRequest, head: SessionPart): Promise<void> {
  if (head.tenant !== LOCAL_TENANT || head.principal !== LOCAL_PRINCIPAL)
    throw invalid(`Its session belongs to ${head.tenant}/${head.principal}.`);
  const session = parseSessionId(head.session);
  if (as_new || (await host.store.getSession(LOCAL_TENANT, session)) === null) return;
  throw new HarnessError(
    "session_exists",
    `Session ${session} is here already.`,
    "Import it as another one with --as-new, or remove the one that is here.",
  );
}

async function importStaged(host: Host, request: ImportRequest, staged: Staged): Promise<Imported> {
  const { head } = staged;
  const of: Identity = {
    tenant: LOCAL_TENANT,
    principal: LOCAL_PRINCIPAL,
    session: parseSessionId(head.session),
    root: parseSessionId(head.root),
    trace: head.trace as TraceId, // its form was checked
  };
  const to = request.as_new ? { ...of, session: host.ids.session(), trace: host.ids.trace() } : of;
  const { journal, state } = await checkedJournal(staged, of, to);
  if (state.jobs !== null) throw invalid("It is a batch, whose jobs and results stand in other files.");
  const directory = newDirectory(host, request.sessions, to.session);
  let stored = false;
  try {
    const made = await makeFiles(host, request, staged, { to, directory });
    for (const [hash] of staged.blobs) {
      const kept = await host.store.putBlob(to.tenant, staged.streamBlob(hash));
      if (kept !== hash) throw invalid("A text in it does not match its name.");
    }
    const redactor = await host.redactor(directory);
    const drafts = arrival(request, staged, { made, state, of, to });
    await addDrafts(host, journal, to, redactor, drafts);
    await redactor.flush();
    const source = made?.source ?? findRepository(request.cwd)?.top ?? request.cwd;
    await storeJournal(host, journal, to, { cwd: request.cwd, source, directory });
    stored = true;
    return {
      session: to.session,
      from: of.session,
      events: journal.state.seq,
      turns: journal.state.turn,
      workspace: made?.workspace.root ?? null,
      connected: made?.connected ?? false,
      without_files: head.without_files,
      exact: head.workspace?.exact ?? true,
      unknown_kinds: journal.state.unknown_kinds,
    };
  } finally {
    if (!stored) await removeSessionDirectory(directory);
  }
}

/**
 * A directory that is nobody else's: the same file may be imported by two at once, and an import that was killed may have left
 * one of this name. Whoever comes second must not touch it.
 */
function newDirectory(host: Host, sessions: string, session: SessionId): string {
  const usual = join(sessions, session);
  const made = makeDirectory(usual) ? usual : `${usual}-${host.ids.span()}`;
  if (made !== usual) mkdirSync(made, { mode: 0o700 });
  return made;
}

/** False when it is there already. */
function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Null when there are none in the file. */
async function makeFiles(
  host: Host,
  request: ImportRequest,
  staged: Staged,
  { to, directory }: { readonly to: Identity; readonly directory: string },
): Promise<RecreatedWorkspace | null> {
  const { workspace } = staged.head;
  if (workspace === null) return null;
  return host.transfer.recreate({
    directory,
    branch: branchOf(to),
    base: parseTreeHash(workspace.base),
    tree: parseTreeHash(workspace.tree),
    trees: treesOf(staged),
    commit: workspace.commit,
    from: { kind: "pack", path: staged.pack, facts: workspace.facts, source: request.cwd },
    signal: new AbortController().signal,
  });
}

interface Arrived {
  readonly made: RecreatedWorkspace | null;
  readonly state: SessionState;
  readonly of: Identity;
  readonly to: Identity;
}

function arrival(request: ImportRequest, { head }: Staged, { made, state, of, to }: Arrived): readonly Draft[] {
  const { seq, hash } = head;
  const { config } = state;
  const workspace =
    made === null || head.workspace === null
      ? null
      : {
          mode: made.workspace.mode,
          branch: branchOf(to),
          tree: parseTreeHash(head.workspace.tree),
          exact: head.workspace.exact,
        };
  const from = of.session;
  const forked: readonly Draft[] =
    from === to.session ? [] : [{ kind: "SessionForked", actor: "user", data: { from, seq, hash, workspace: null } }];
  const data = { from, seq, hash, belay: head.belay, drop_thinking: hasCutThinking(state), workspace };
  const imported: Draft = { kind: "SessionImported", actor: "user", data };
  return [...forked, imported, ...(config === null ? [] : confined(request, config, state, workspace?.mode ?? null))];
}

/** This machine's own limits of what commands may do. */
function confined(
  request: ImportRequest,
  config: SessionConfig,
  state: SessionState,
  mode: SessionConfig["workspace"]["mode"] | null,
): readonly Draft[] {
  const { sandbox, approval } = request.confinement;
  // Where no workspace was made yet it is made here, and never in the user's own files because a file says so.
  const fresh = findRepository(request.cwd) === null ? "copy" : "clone";
  const here = mode ?? (state.workspace === null ? fresh : config.workspace.mode);
  const wanted: SessionConfig = {
    ...config,
    sandbox,
    approval,
    workspace: { mode: here, base: here === "clone" ? config.workspace.base : null },
    ...withoutWelcome(config),
  };
  const names = [
    ...(["sandbox", "approval", "workspace"] as const),
    ...(["permission_mode", "permissions", "flow", "confinement", "setup"] as const),
  ];
  const changed = names.filter((name) => canonicalJson(config[name]) !== canonicalJson(wanted[name]));
  return changed.length === 0 ? [] : [{ kind: "SettingsChanged", actor: "user", data: { config: wanted, changed } }];
}

/** A file takes away and never gives: its rules that forbid stay, what somebody allowed elsewhere was not allowed here. */
function withoutWelcome({
  permission_mode,
  permissions,
  flow,
  confinement,
}: SessionConfig): Pick<SessionConfig, "permission_mode" | "permissions" | "flow" | "confinement" | "setup"> {
  return {
    permission_mode: permission_mode === "plan" || permission_mode === "dontAsk" ? permission_mode : "default",
    permissions: { ...permissions, rules: permissions.rules.filter(({ behavior }) => behavior !== "allow") },
    flow: { ...flow, grants: [], public: false },
    confinement: { ...confinement, domains: [], said_domains: [], readable_secrets: [] },
    setup: null,
  };
}
