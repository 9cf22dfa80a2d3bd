/** The last block of a run: how it ended, what that is worth, what changed, where it is, what to type next. */
import { EXIT_TABLE, type Outcome, type Verification } from "../../kernel/outcome.ts";
import type { WorkspaceMode } from "../../kernel/config.ts";
import { ERROR_TABLE } from "../../kernel/error-kind.ts";
import type { RunReport } from "../../engine/report.ts";
import type { ReviewReport } from "../../observe/review/report.ts";
import { formatMoney, nanoFromDollars } from "../../kernel/money.ts";
import { totalTokens } from "../../kernel/usage.ts";
import { contextPhrase } from "./context-phrase.ts";
import { formatCount, formatDuration, formatShare, leftText, plural } from "./format.ts";
import { words } from "./notice.ts";
import type { Paint } from "./paint.ts";
import { safeLine } from "./safe-text.ts";
import { toolTitle } from "./tool-title.ts";
import { padded, truncated } from "./width.ts";

/** As `FileChange` of the workspace port. */
export interface Change {
  readonly path: string;
  readonly status: "added" | "modified" | "deleted";
  readonly added: number | null;
  readonly removed: number | null;
}

/** Files named in the last block; `belay diff` shows all. */
export const CHANGES_SHOWN_MAX = 12;
const PATH_COLUMNS_MAX = 60;
/** A shorter wait in all is no news. Milliseconds. */
const WAIT_TOLD_MS = 1_000;
const LABEL_COLUMNS = 11;

const VERIFIED: { readonly [V in Verification]: string } = {
  passed: "verification passed",
  failed: "verification failed",
  none_found: "not verified (give --verify CMD)",
  not_applicable: "nothing to verify",
  waived: "verification waived",
};

export function verifiedText(verification: Verification): string {
  return VERIFIED[verification];
}

export interface Closing {
  readonly report: RunReport;
  /** Null when it could not be found out. */
  readonly changes: readonly Change[] | null;
  /** Says how the work can be brought back; null when the session was never configured. */
  readonly mode: WorkspaceMode | null;
  /** Calls that a person has to answer before the session goes on. */
  readonly waiting: readonly Waiting[];
  /** What a person looks at before the session goes on; absent where none has to. */
  readonly review?: ReviewReport | null;
}

/** As `WaitingCall` of the engine. */
export interface Waiting {
  readonly call: string;
  readonly part: Parameters<typeof toolTitle>[0];
  readonly reason: string;
}

/** Calls that wait and are named; `belay approvals` lists all. */
export const WAITING_SHOWN_MAX = 5;

/** The commands that bring work back, by where it was done. Where there is no repository there is nothing to merge into. */
const DELIVERIES: { readonly [M in WorkspaceMode]: string | null } = {
  clone: "merge ID   (or apply: uncommitted)",
  copy: "apply ID",
  in_place: null,
};

export function closingLines(closing: Closing, paint: Paint): readonly string[] {
  const { report, changes } = closing;
  const good = report.outcome === "completed";
  const head = `${good ? paint.green("✓") : paint.red("✗")} ${paint.bold(words(report.outcome))}`;
  const said = report.outcome === "verification_failed" || (!good && report.verification === "not_applicable");
  const verified = said ? "" : ` · ${verifiedText(report.verification)}`;
  return [
    "",
    `${head}${verified}`,
    ...errorRows(report),
    ...(good || report.error !== null ? [] : [row("", EXIT_TABLE[report.outcome].meaning)]),
    ...waitingRows(closing.waiting),
    row("used", usedText(report)),
    ...moneyRows(report),
    ...contextRows(report),
    ...changeRows(changes, paint),
    ...(report.workspace === null ? [] : [row("workspace", report.workspace)]),
    ...(report.branch === null ? [] : [row("branch", report.branch)]),
    row("journal", `session ${report.session}, ${plural(report.checkpoints.length, "checkpoint")}`),
    ...nextRows(closing, paint),
  ];
}

/** What is left where compacting does not help any more. */
const NO_ROOM_LEFT = "A larger --context-window, another --model or a smaller task goes on with it.";

/** A provider's words say what happened; what to do stands in the table. Our own say both. */
function errorRows({ error, outcome }: RunReport): readonly string[] {
  if (error === null) return [];
  const { subsystem, remedy: usual } = ERROR_TABLE[error.kind];
  const remedy = outcome === "limit_reached" && error.kind === "context_overflow" ? NO_ROOM_LEFT : usual;
  return [
    row("error", `${safeLine(error.message)} (${error.kind})`),
    ...(subsystem === "provider" ? [row("", remedy)] : []),
  ];
}

function waitingRows(waiting: readonly Waiting[]): readonly string[] {
  const shown = waiting.slice(0, WAITING_SHOWN_MAX).map((one, i) => row(i === 0 ? "waits" : "", waitingText(one)));
  const more = waiting.length - shown.length;
  return more > 0 ? [...shown, row("", `… and ${plural(more, "more call")}`)] : shown;
}

/** `bash: npm publish (there is no sandbox)` */
export function waitingText({ part, reason }: Waiting): string {
  return `${safeLine(part.name)}: ${toolTitle(part)} (${safeLine(reason)})`;
}

/** What to type for each call that waits. */
export function approvalCommands(waiting: readonly Waiting[]): readonly string[] {
  const [first] = waiting;
  if (first === undefined) return [];
  return [
    ...waiting.slice(0, WAITING_SHOWN_MAX).map(({ call }) => `belay approve ${call}`),
    `belay deny ${first.call} --reason "…"`,
    ...(waiting.length > WAITING_SHOWN_MAX ? ["belay approvals"] : []),
  ];
}

function usedText({ turns, usage, cost_usd, duration_ms }: RunReport): string {
  const lost =
    usage.unknown_tokens > 0 ? ` (and up to ${formatCount(usage.unknown_tokens)} of answers that were lost)` : "";
  const money = formatMoney(cost_usd === null ? null : nanoFromDollars(cost_usd));
  return [
    plural(turns, "turn"),
    `${formatCount(totalTokens(usage))} tokens${lost}`,
    money,
    formatDuration(duration_ms),
  ].join(" · ");
}

/** What is left and what it rested on; nothing where there is nothing to say. */
function moneyRows(report: RunReport): readonly string[] {
  const { budget_left: left, cache_read_share: share, unknown_cost_usd: lost, model_switches, waits } = report;
  const facts = [
    ...(lost === 0 ? [] : [`up to ${dollarText(lost)} more for lost answers`]),
    ...(left === null ? [] : [`${leftText(nanoFromDollars(left.usd))} (${safeLine(left.scope)})`]),
    ...(share === null ? [] : [`${formatShare(share)} of the input cached`]),
  ];
  const waited = [
    ...(waits.rate_ms < WAIT_TOLD_MS ? [] : [`${formatDuration(waits.rate_ms)} for rate`]),
    ...(waits.retry_ms < WAIT_TOLD_MS ? [] : [`${formatDuration(waits.retry_ms)} before retries`]),
  ];
  const switches = model_switches.map(({ from, to, kind }) => `${from.model} → ${to.model} (${words(kind)})`);
  return [
    ...(facts.length === 0 ? [] : [row("budget", facts.join(" · "))]),
    ...(waited.length === 0 ? [] : [row("waited", waited.join(", "))]),
    ...switches.map((text, i) => row(i === 0 ? "models" : "", safeLine(text))),
  ];
}

function contextRows({ context }: RunReport): readonly string[] {
  const phrase = context === null ? null : contextPhrase(context);
  return phrase === null ? [] : [row("context", phrase)];
}

function dollarText(usd: number): string {
  return formatMoney(nanoFromDollars(usd));
}

function changeRows(changes: readonly Change[] | null, paint: Paint): readonly string[] {
  if (changes === null) return [];
  if (changes.length === 0) return [row("changes", "none")];
  const shown = changes
    .slice(0, CHANGES_SHOWN_MAX)
    .map((change, i) => row(i === 0 ? "changes" : "", changeText(change, paint)));
  const left = changes.length - shown.length;
  return left === 0 ? shown : [...shown, row("", `… and ${plural(left, "more file")}`)];
}

/** `src/app.ts  +3 -1` */
export function changeText({ path, status, added, removed }: Change, paint: Paint): string {
  const name = padded(truncated(safeLine(path), PATH_COLUMNS_MAX), 24);
  const counts =
    added === null || removed === null ? "binary" : `${paint.green(`+${added}`)} ${paint.red(`-${removed}`)}`;
  return `${name} ${counts}${status === "modified" ? "" : ` (${status})`}`;
}

const RESUMABLE: readonly Outcome[] = [
  "needs_review",
  "needs_approval",
  "budget_exhausted",
  "limit_reached",
  "loop_detected",
  "canceled",
  "failed",
  "verification_failed",
];

/** A resume alone would come to the same cap. */
function afterWhat(outcome: Outcome): string {
  return outcome === "budget_exhausted" ? "   (after raising the cap)" : "";
}

function resumeCommands({ outcome, session }: RunReport): readonly string[] {
  if (outcome === "needs_review") return [`belay resume ${session} --approve`, `belay resume ${session} --message "…"`];
  return [`belay resume ${session}${afterWhat(outcome)}`];
}

function nextRows({ report, changes, mode, waiting }: Closing, paint: Paint): readonly string[] {
  const { session } = report;
  const delivery = changes !== null && changes.length > 0 && mode !== null ? DELIVERIES[mode] : null;
  const commands = [
    ...approvalCommands(waiting),
    ...(waiting.length === 0 && RESUMABLE.includes(report.outcome) ? resumeCommands(report) : []),
    ...(delivery === null ? [] : [`belay diff ${session}`, `belay ${delivery.replace("ID", session)}`]),
    ...(report.outcome === "completed" || report.outcome === "refused"
      ? [`belay resume ${session} --message "also …"`]
      : []),
    `belay sessions show ${session}`,
  ];
  return commands.map((command, i) => row(i === 0 ? "next" : "", paint.cyan(command)));
}

export function row(label: string, text: string): string {
  return `  ${padded(label, LABEL_COLUMNS)}${text}`;
}
