/**
 * The closed list of everything that can go wrong, over all subsystems, and what is done about each: one exhaustive
 * table. A kind without a row does not compile. `docs/errors.md` is printed from here.
 */

/**
 * - `retry`: send the same again, after an exponential, jittered, bounded wait.
 * - `repair`: change the request once (the row says how) and send again; a second time of the same kind ends the run.
 * - `compact`: make the conversation smaller and send again.
 * - `fall_back`: use the next model, where one is configured.
 * - `wait`: wait for as long as the other side said, within limits, and go on.
 * - `pause`: end the run resumable: a person or time has to change something first, and `belay resume` goes on.
 * - `escalate`: ask a person.
 * - `abort`: end the run: neither time nor a retry helps.
 * - `surface`: hand it on (to the model as a result, to the user as a message) and go on.
 */
export type Handling = "retry" | "repair" | "compact" | "fall_back" | "wait" | "pause" | "escalate" | "abort" | "surface";

export type Subsystem =
  | "provider"
  | "store"
  | "git"
  | "workspace"
  | "snapshot"
  | "sandbox"
  | "process"
  | "tool"
  | "hook"
  | "mcp"
  | "oauth"
  | "configuration"
  | "internal";

/** Bounds of a series of attempts. `total_ms` is the sum of the waits. */
export interface RetryLimit {
  readonly attempts: number;
  readonly base_ms: number;
  readonly cap_ms: number;
  readonly total_ms: number;
}

const TRANSIENT: RetryLimit = { attempts: 8, base_ms: 500, cap_ms: 30_000, total_ms: 300_000 };
const RATE: RetryLimit = { attempts: 12, base_ms: 1_000, cap_ms: 60_000, total_ms: 900_000 };
const ONCE: RetryLimit = { attempts: 1, base_ms: 0, cap_ms: 0, total_ms: 0 };
const BUSY: RetryLimit = { attempts: 20, base_ms: 20, cap_ms: 1_000, total_ms: 10_000 };

export interface ErrorRow {
  readonly subsystem: Subsystem;
  readonly handling: Handling;
  /** What it means, in one sentence. */
  readonly meaning: string;
  /** What belay does, or what the user can do, in one sentence. */
  readonly remedy: string;
  /** Present where the handling sends or tries again. */
  readonly limit?: RetryLimit;
  /** Hooks add tokens: after an error about tokens none runs. */
  readonly hooks: "run" | "skip";
}

const row = (subsystem: Subsystem, handling: Handling, meaning: string, remedy: string, limit?: RetryLimit): ErrorRow => ({
  subsystem,
  handling,
  meaning,
  remedy,
  hooks: "run",
  ...(limit ? { limit } : {}),
});
const tokens = (errorRow: ErrorRow): ErrorRow => ({ ...errorRow, hooks: "skip" });

const TABLE = {
  // --- the model's provider -------------------------------------------------------------------------------------
  auth: row("provider", "pause", "The provider refused the credentials.", "Set a valid key in the environment, then resume."),
  billing: row("provider", "pause", "The account cannot be charged.", "Settle the account with the provider, then resume."),
  quota_exhausted: row(
    "provider",
    "pause",
    "A spend limit or quota of the account is used up; waiting a little does not help.",
    "Raise the limit or wait for its reset, then resume.",
  ),
  permission: row("provider", "pause", "The key may not use this model, region or feature.", "Grant the permission or choose another model, then resume."),
  not_found: row("provider", "pause", "The provider does not know the model or the address.", "Correct --model or the base URL, then resume."),
  conflict: row("provider", "retry", "The provider saw a conflicting request.", "Sent again after a wait.", TRANSIENT),
  invalid_request: row("provider", "abort", "The provider rejected the request as malformed.", "This is a defect of belay or of a proxy in between: report it with the request id."),
  request_too_large: tokens(row("provider", "compact", "The request has more bytes than the provider takes.", "The conversation is compacted, once.", ONCE)),
  context_overflow: tokens(row("provider", "compact", "The conversation does not fit the model's context window.", "The conversation is compacted, once.", ONCE)),
  max_tokens_overflow: tokens(
    row("provider", "repair", "Input and max_tokens together do not fit the context window.", "Sent again with a smaller max_tokens.", ONCE),
  ),
  silent_truncation: tokens(row("provider", "compact", "The provider silently cut the input: it counted fewer tokens than were sent.", "The conversation is compacted, once.", ONCE)),
  orphan_tool_use: row("provider", "repair", "A tool call in the history has no result.", "A structured result is appended and the call sent again.", ONCE),
  orphan_tool_result: row("provider", "repair", "A tool result in the history has no call.", "The history is rebuilt from the journal and sent again.", ONCE),
  thinking_signature: row("provider", "repair", "The provider does not accept the signature of a thinking block.", "Sent again without the thinking of earlier turns.", ONCE),
  thinking_modified: row("provider", "repair", "The provider says that a thinking block was changed.", "Sent again without the thinking of earlier turns.", ONCE),
  thinking_order: row("provider", "repair", "The provider expected a thinking block first.", "Sent again with thinking off for this turn.", ONCE),
  reasoning_pairing: row("provider", "repair", "A reasoning item and its call were separated.", "Sent again without the reasoning of earlier turns.", ONCE),
  rate_limit: row("provider", "wait", "The account sends more than its rate allows.", "Sent again when the provider says so, within limits.", RATE),
  overloaded: row("provider", "retry", "The provider is overloaded.", "Sent again after a wait.", TRANSIENT),
  server_error: row("provider", "retry", "The provider failed.", "Sent again after a wait.", TRANSIENT),
  timeout: row("provider", "retry", "The provider did not answer in time.", "Sent again after a wait.", TRANSIENT),
  network: row("provider", "retry", "The connection failed.", "Sent again after a wait.", TRANSIENT),
  dns: row("provider", "retry", "The provider's name was not resolved.", "Sent again after a wait; check the network and the base URL.", TRANSIENT),
  tls: row("provider", "pause", "No trusted encrypted connection could be made.", "Check certificates, proxy and clock, then resume."),
  protocol: row("provider", "retry", "The answer was not in the provider's protocol.", "Sent again after a wait; a proxy in between may be the cause.", TRANSIENT),
  stream_cut: row("provider", "retry", "The stream ended before the answer was complete.", "The partial answer is discarded and the call sent again.", TRANSIENT),
  stream_idle: row("provider", "retry", "The stream fell silent.", "The connection is closed and the call sent again.", TRANSIENT),
  truncated: tokens(row("provider", "repair", "The answer reached max_tokens.", "The text so far is kept and the model asked to go on with a larger max_tokens.", ONCE)),
  truncated_tool_call: tokens(row("provider", "repair", "The JSON of a tool call was cut.", "The call is never run; it is asked for again with a larger max_tokens.", ONCE)),
  refusal: row("provider", "surface", "The model refused.", "The run ends as `refused`; rephrase the task and resume with --message."),
  content_filter: row("provider", "surface", "A content filter stopped the answer.", "The run ends as `refused`; rephrase the task and resume with --message."),
  pause: row("provider", "retry", "The model paused a long turn.", "The turn is sent back as it is and goes on.", TRANSIENT),
  empty_response: row("provider", "repair", "The model answered with nothing.", "The model is asked to go on, once.", ONCE),
  unknown_event: row("provider", "surface", "The stream held an event that this version does not know.", "It is skipped: providers may add events at any time."),
  comment: row("provider", "surface", "The stream held a comment or keep-alive.", "It is skipped; it keeps the idle limit from running out only when it is an event."),
  interrupted: row("provider", "retry", "belay stopped while the answer was under way.", "The call is sent again; what the lost answer cost is unknown.", TRANSIENT),
  unknown: row("provider", "pause", "The provider failed in a way that is not on this list.", "Nothing is repeated blindly: look at the message, then resume."),

  // --- the store ------------------------------------------------------------------------------------------------
  store_busy: row("store", "retry", "Another process held the database.", "Tried again within ten seconds.", BUSY),
  store_full: row("store", "pause", "The disk is full.", "Free space, then resume: everything acknowledged is kept."),
  store_read_only: row("store", "pause", "The store cannot be written.", "Make belay's home writable or set BELAY_HOME, then resume."),
  store_io: row("store", "pause", "The store failed to read or to sync; the session is fenced and must be opened anew.", "Check the disk, then resume."),
  store_corrupt: row("store", "abort", "A record does not match its checksum.", "Nothing is guessed: restore the store from a backup; events before the damage can be exported."),
  store_schema_newer: row("store", "abort", "The store was written by a newer belay.", "Use that version or a newer one."),
  store_network_fs: row("store", "surface", "The store is on a network file system, whose locks and syncs are not to be trusted.", "Set BELAY_HOME to a local disk."),
  event_unknown: row("store", "abort", "The journal holds an event that this version does not know.", "It can be shown but not driven: use the version that wrote it or a newer one."),
  session_not_found: row("store", "abort", "There is no such session.", "List them with `belay sessions list`."),
  session_exists: row("store", "abort", "A session of this id exists.", "Choose another id."),
  lease_held: row("store", "pause", "Another process drives this session.", "Wait for it, or cancel it with `belay sessions cancel ID`."),
  fenced: row("store", "abort", "Another process has taken this session over.", "This process stops without writing; follow the session from the other one."),
  blob_missing: row("store", "surface", "A stored text is missing.", "The journal's own part is complete; restore the blob from a backup if it is needed."),

  // --- git, workspace, snapshots --------------------------------------------------------------------------------
  git_missing: row("git", "abort", "git was not found.", "Install git 2.30 or newer."),
  git_failed: row("git", "surface", "A git command failed.", "The message says which and why; nothing of the user's repository was changed."),
  repo_unsupported: row("git", "abort", "The repository is of a kind that belay cannot clone faithfully.", "The message says why; --in-place works in it directly."),
  merge_conflict: row("git", "escalate", "The work and the repository changed the same lines.", "Nothing was changed: look at `belay diff`, resolve by hand, or rebase the work."),
  work_would_be_lost: row("git", "escalate", "Bringing the work back would overwrite uncommitted work.", "Nothing was changed: commit or move the named files, then try again."),
  workspace_missing: row("workspace", "pause", "The session's workspace is gone.", "Start a new session; the journal still tells what was done."),
  workspace_refused: row("workspace", "abort", "belay does not work in this directory.", "Choose a project directory with --cwd."),
  path_outside: row("workspace", "surface", "The path leads out of the workspace.", "The model is told to stay inside."),
  file_failed: row("workspace", "surface", "A file could not be read or written.", "The model is told why."),
  snapshot_failed: row("snapshot", "pause", "The workspace could not be snapshotted before a change.", "No change is made without a snapshot: free space or repair permissions, then resume."),
  snapshot_too_large: row("snapshot", "surface", "The workspace has more files than snapshots are taken of.", "Snapshots are off for this session, and that is shown."),

  // --- sandbox, processes, tools --------------------------------------------------------------------------------
  sandbox_missing: row("sandbox", "pause", "No sandbox is available.", "Install bubblewrap, or say --no-sandbox aloud."),
  sandbox_failed: row("sandbox", "pause", "The sandbox did not start.", "No command runs outside it: repair it (`bwrap --unshare-all true` must work), then resume."),
  process_failed: row("process", "surface", "A command could not be started.", "The model is told why."),
  tool_unknown: row("tool", "surface", "The model asked for a tool that does not exist.", "The model is told which exist."),
  tool_input_invalid: row("tool", "surface", "The input of a tool does not fit its schema.", "The model is told what is wrong."),
  tool_denied: row("tool", "surface", "A tool call was denied.", "The model is told why."),
  tool_timed_out: row("tool", "surface", "A tool reached its time limit.", "It was killed; its output so far is kept and shown to the model."),
  tool_stalled: row("tool", "surface", "A tool fell silent for too long.", "It was killed; its output so far is kept and shown to the model."),
  tool_interrupted: row("tool", "surface", "belay stopped in the middle of a tool; what it did is unknown.", "The model is told to look before it repeats anything."),
  tool_crashed: row("tool", "surface", "A tool failed in a way it did not expect.", "The model is told; report it as a defect of the tool."),

  // --- what others add ------------------------------------------------------------------------------------------
  hook_failed: row("hook", "surface", "A hook failed.", "Recorded; a guard marked to block stops the call."),
  mcp_unavailable: row("mcp", "surface", "An MCP server is not available.", "Its tools are withheld until it is back."),
  oauth_expired: row("oauth", "pause", "A token could not be refreshed.", "Log in again, then resume."),

  // --- ourselves ------------------------------------------------------------------------------------------------
  usage: row("configuration", "abort", "The command was not used as it is meant.", "The message and --help say how."),
  config_invalid: row("configuration", "abort", "A setting is not valid.", "The message names it."),
  config_changed: row("configuration", "pause", "What the session was started with cannot be restored here.", "The message shows the difference."),
  internal: row("internal", "abort", "belay itself failed.", "Report it with the output of --debug; the session can be resumed."),
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
