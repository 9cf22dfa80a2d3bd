/**
 * The closed list of everything that can go wrong, over all subsystems, and what is done about each: one exhaustive
 * table. A kind without a row does not compile. `docs/errors.md` is printed from here.
 */

import { BUSY, type ErrorRow, HELD, row } from "./error-row.ts";
import { PROVIDER_ERRORS } from "./provider-errors.ts";

export type { ErrorRow, Handling, RetryLimit, Subsystem } from "./error-row.ts";

const TABLE = {
  ...PROVIDER_ERRORS,

  // --- money and models ------------------------------------------------------------------------------------------
  budget_held: row(
    "budget",
    "wait",
    "What is left under a cap is reserved by calls under way.",
    "The call waits until they are settled, for two minutes at most; then the run ends as `budget_exhausted`.",
    HELD,
  ),
  budget_exceeded: row(
    "budget",
    "fall_back",
    "The worst case of the next call is more than a cap leaves.",
    "The next model is tried where that is allowed (`budget` in fallback_on); else raise the cap and resume.",
  ),
  price_unknown: row(
    "budget",
    "pause",
    "A cap of money was asked for, and the price of the model is not known.",
    "Set its price in the settings, or leave the cap of money away: the caps of tokens and turns hold.",
  ),
  model_not_allowed: row(
    "budget",
    "pause",
    "The settings of this machine do not allow the model.",
    "Choose one of those that the message names.",
  ),

  // --- the store ------------------------------------------------------------------------------------------------
  store_busy: row("store", "retry", "Another process held the database.", "Tried again within ten seconds.", BUSY),
  store_full: row("store", "pause", "The disk is full.", "Free space, then resume: everything acknowledged is kept."),
  store_read_only: row(
    "store",
    "pause",
    "The store cannot be written.",
    "Make belay's home writable or set BELAY_HOME, then resume.",
  ),
  store_io: row(
    "store",
    "pause",
    "The store failed to read or to sync; the session is fenced and must be opened anew.",
    "Check the disk, then resume.",
  ),
  store_corrupt: row(
    "store",
    "abort",
    "A record does not match its checksum.",
    "Nothing is guessed: restore the store from a backup; events before the damage can be exported.",
  ),
  store_schema_newer: row(
    "store",
    "abort",
    "The store was written by a newer belay.",
    "Use that version or a newer one.",
  ),
  store_network_fs: row(
    "store",
    "surface",
    "The store is on a network file system, whose locks and syncs are not to be trusted.",
    "Set BELAY_HOME to a local disk.",
  ),
  event_unknown: row(
    "store",
    "abort",
    "The journal holds an event that this version does not know.",
    "It can be shown but not driven: use the version that wrote it or a newer one.",
  ),
  session_not_found: row("store", "abort", "There is no such session.", "List them with `belay sessions list`."),
  archive_invalid: row(
    "store",
    "abort",
    "A session's file is damaged, cut off, too large or written by a newer belay.",
    "Nothing was stored: export it again, or use the version that wrote it.",
  ),
  session_exists: row("store", "abort", "A session of this id exists.", "Choose another id."),
  lease_held: row(
    "store",
    "pause",
    "Another process drives this session.",
    "Wait for it, or cancel it with `belay sessions cancel ID`.",
  ),
  fenced: row(
    "store",
    "abort",
    "Another process has taken this session over.",
    "This process stops without writing; follow the session from the other one.",
  ),
  blob_missing: row(
    "store",
    "surface",
    "A stored text is missing.",
    "The journal's own part is complete; restore the blob from a backup if it is needed.",
  ),

  // --- git, workspace, snapshots --------------------------------------------------------------------------------
  git_missing: row("git", "abort", "git was not found.", "Install git 2.30 or newer."),
  git_failed: row(
    "git",
    "surface",
    "A git command failed.",
    "The message says which and why; nothing of the user's repository was changed.",
  ),
  repo_unsupported: row(
    "git",
    "abort",
    "The repository is of a kind that belay cannot clone faithfully.",
    "The message says why; --in-place works in it directly.",
  ),
  merge_conflict: row(
    "git",
    "escalate",
    "The work and the repository changed the same lines.",
    "Nothing was changed: look at `belay diff`, resolve by hand, or rebase the work.",
  ),
  work_would_be_lost: row(
    "git",
    "escalate",
    "Bringing the work back would overwrite uncommitted work.",
    "Nothing was changed: commit or move the named files, then try again.",
  ),
  workspace_missing: row(
    "workspace",
    "pause",
    "The session's workspace is gone.",
    "Start a new session; the journal still tells what was done.",
  ),
  setup_failed: row(
    "workspace",
    "pause",
    "The set-up command of the workspace failed.",
    "Correct it (--setup), then start again or resume.",
  ),
  workspace_refused: row(
    "workspace",
    "abort",
    "belay does not work in this directory.",
    "Choose a project directory with --cwd.",
  ),
  path_outside: row(
    "workspace",
    "surface",
    "The path leads out of the workspace.",
    "The model is told to stay inside.",
  ),
  file_failed: row("workspace", "surface", "A file could not be read or written.", "The model is told why."),
  snapshot_failed: row(
    "snapshot",
    "pause",
    "The workspace could not be snapshotted before a change.",
    "No change is made without a snapshot: free space or repair permissions, then resume.",
  ),
  snapshot_too_large: row(
    "snapshot",
    "surface",
    "The workspace has more files than snapshots are taken of.",
    "Snapshots are off for this session, and that is shown.",
  ),

  // --- sandbox, processes, tools --------------------------------------------------------------------------------
  sandbox_missing: row(
    "sandbox",
    "pause",
    "No sandbox is available.",
    "Install bubblewrap, or say --no-sandbox aloud.",
  ),
  sandbox_failed: row(
    "sandbox",
    "pause",
    "The sandbox did not start.",
    "No command runs outside it: repair it (`bwrap --unshare-all true` must work), then resume.",
  ),
  process_failed: row("process", "surface", "A command could not be started.", "The model is told why."),
  tool_unknown: row(
    "tool",
    "surface",
    "The model asked for a tool that does not exist.",
    "The model is told which exist.",
  ),
  tool_input_invalid: row(
    "tool",
    "surface",
    "The input of a tool does not fit its schema.",
    "The model is told what is wrong.",
  ),
  tool_denied: row("tool", "surface", "A tool call was denied.", "The model is told why."),
  tool_timed_out: row(
    "tool",
    "surface",
    "A tool reached its time limit.",
    "It was killed; its output so far is kept and shown to the model.",
  ),
  tool_stalled: row(
    "tool",
    "surface",
    "A tool fell silent for too long.",
    "It was killed; its output so far is kept and shown to the model.",
  ),
  tool_interrupted: row(
    "tool",
    "surface",
    "belay stopped in the middle of a tool; what it did is unknown.",
    "The model is told to look before it repeats anything.",
  ),
  tool_crashed: row(
    "tool",
    "surface",
    "A tool failed in a way it did not expect.",
    "The model is told; report it as a defect of the tool.",
  ),

  // --- what others add ------------------------------------------------------------------------------------------
  hook_failed: row("hook", "surface", "A hook failed.", "Recorded; a guard marked to block stops the call."),
  mcp_unavailable: row("mcp", "surface", "An MCP server is not available.", "Its tools are withheld until it is back."),
  oauth_expired: row("oauth", "pause", "A token could not be refreshed.", "Log in again, then resume."),

  // --- ourselves ------------------------------------------------------------------------------------------------
  usage: row("configuration", "abort", "The command was not used as it is meant.", "The message and --help say how."),
  config_invalid: row("configuration", "abort", "A setting is not valid.", "The message names it."),
  config_changed: row(
    "configuration",
    "pause",
    "What the session was started with cannot be restored here.",
    "The message shows the difference.",
  ),
  internal: row(
    "internal",
    "abort",
    "belay itself failed.",
    "Report it with the output of --debug; the session can be resumed.",
  ),
} as const satisfies Record<string, ErrorRow>;

export type ErrorKind = keyof typeof TABLE;

/** The whole table, one row for each kind. */
export const ERROR_TABLE: { readonly [Kind in ErrorKind]: ErrorRow } = TABLE;

export function isErrorKind(text: string): text is ErrorKind {
  return Object.hasOwn(TABLE, text);
}

/** Whether sending the same again can help without anybody changing anything. */
export function isRetryable(kind: ErrorKind): boolean {
  const { handling } = ERROR_TABLE[kind];
  return handling === "retry" || handling === "wait";
}
