/** What an event says to people, beside what was said and what tools do: one short line, or nothing. */
import { alertText } from "../../kernel/caps.ts";
import { ERROR_TABLE, type ErrorKind } from "../../kernel/error-kind.ts";
import type { Event, EventKind, EventOf } from "../../kernel/events/index.ts";
import type { Paint } from "./paint.ts";
import { formatMoney, nanoDollars } from "../../kernel/money.ts";
import { formatDuration, plural } from "./format.ts";
import { safeLine, safeText } from "./safe-text.ts";

export type Mark = "good" | "bad" | "loud" | "wait" | "step";

export interface Notice {
  readonly mark: Mark;
  readonly text: string;
  /** Shown below it, as it is. */
  readonly detail?: string;
}

const SIGNS: { readonly [M in Mark]: string } = { good: "✓", bad: "✗", loud: "!", wait: "…", step: "◆" };

export function noticeLines(notice: Notice, paint: Paint): readonly string[] {
  const style = { good: paint.green, bad: paint.red, loud: paint.yellow, wait: paint.yellow, step: paint.cyan }[
    notice.mark
  ];
  const detail = notice.detail === undefined ? [] : notice.detail.split("\n").map((line) => paint.dim(`  │ ${line}`));
  return [`${style(SIGNS[notice.mark])} ${notice.text}`, ...detail];
}

/** Lines of a verification's output that are shown. */
const TAIL_LINES_MAX = 15;

/** A shorter wait for the rate is no news. Milliseconds. */
const RATE_WAIT_SHOWN_MS = 1_000;

const LABELS = { untrusted: "text of strangers", secret: "secrets" } as const;

type Notices = { readonly [K in EventKind]: (event: EventOf<K>) => Notice | null };

const nothing = (): null => null;

const NOTICES: Notices = {
  SessionCreated: nothing,
  SessionConfigured: nothing,
  SettingsChanged: ({ data }) => step(`settings changed: ${data.changed.join(", ")}`),
  SessionForked: ({ data }) => step(`forked from ${data.from} at event ${data.seq}`),
  SessionImported: ({ data }) => step(`imported from a file, written after event ${data.seq}`),
  RunStarted: ({ data }) => (data.number === 1 ? null : step(`run ${data.number} goes on`)),
  RunEnded: nothing,
  UserMessageAdded: nothing,
  BudgetReserved: nothing,
  BudgetSettled: nothing,
  BudgetAlerted: ({ data }) => ({ mark: "loud", text: alertedText(data) }),
  ModelCallStarted: nothing,
  ModelCallFinished: nothing,
  ModelCallFailed: ({ data }) => ({
    mark: data.kind === "interrupted" ? "wait" : "bad",
    text: `${subsystemOf(data.kind)} ${words(data.kind)}: ${safeLine(data.message)}${data.partial === "" ? "" : " (the answer so far is discarded)"}`,
  }),
  ModelCallRefused: ({ data }) => ({ mark: "wait", text: `not sent: ${safeLine(data.message)}` }),
  ModelSwitched: ({ data }) => ({
    mark: "loud",
    text: `${safeLine(data.to.model)} takes over from ${safeLine(data.from.model)} (${words(data.kind)}${data.message === "" ? "" : `: ${safeLine(data.message)}`})`,
  }),
  RateWaited: ({ data }) =>
    data.waited_ms < RATE_WAIT_SHOWN_MS
      ? null
      : { mark: "wait", text: `waited ${formatDuration(data.waited_ms)} for rate: ${safeLine(data.reason)}` },
  RetryScheduled: ({ data }) => ({ mark: "wait", text: waitText(data) }),
  RetryWaited: nothing,
  HistoryRepaired: ({ data }) => ({
    mark: "wait",
    text: `the request is repaired after ${words(data.kind)}: ${words(data.repair)}`,
  }),
  ToolJudged: nothing,
  // Whoever is there is asked; for others it stands at the end of the run.
  ApprovalRequested: nothing,
  ApprovalGiven: ({ data }) => ({ mark: data.approved ? "good" : "bad", text: answeredText(data) }),
  PermissionRuleAdded: ({ data }) => step(`from now on ${data.rule.behavior}: ${safeLine(data.rule.rule)}`),
  LabelRaised: ({ data }) => ({
    mark: "loud",
    text: `the session holds ${LABELS[data.label]}: ${safeLine(data.what)}`,
  }),
  InjectionSuspected: ({ data }) => ({
    mark: "loud",
    text: `text that came in looks like an attack on the model (${[...new Set(data.findings.map(({ kind }) => words(kind)))].join(", ")})`,
  }),
  ToolStarted: nothing,
  ToolProcessStarted: nothing,
  ToolFinished: nothing,
  ToolRequeued: nothing,
  WorkspacePrepared: ({ data }) => step(workspaceText(data)),
  WorkspaceSnapshotted: nothing,
  CheckpointCreated: ({ data }) =>
    step(
      `checkpoint ${data.checkpoint} (${safeLine(data.label)})${data.commit === null ? "" : `, commit ${data.commit.slice(0, 10)}`}`,
    ),
  RolledBack: ({ data }) => ({ mark: "loud", text: `rolled back: ${safeLine(data.reason)}` }),
  RecoveryFinished: ({ data }) => ({
    mark: data.unprovable === 0 ? "step" : "loud",
    text:
      `recovered from the run that was cut off: ${plural(data.processes, "process")}`.replace(
        /processs$/,
        "processes",
      ) + (data.unprovable === 0 ? " of it proven dead" : ` of it, ${data.unprovable} could not be proven dead`),
  }),
  VerificationFinished: ({ data }) => ({
    mark: data.passed ? "good" : "bad",
    text: `verification ${data.passed ? "passed" : "failed"}: ${safeLine(data.command)} (${exitText(data.exit_code)}, ${formatDuration(data.duration_ms)})`,
    ...(data.passed || data.tail.trim() === "" ? {} : { detail: lastLines(data.tail, TAIL_LINES_MAX) }),
  }),
  CancelRequested: ({ data }) => ({ mark: "loud", text: `stopping: ${safeLine(data.reason)}` }),
  LimitReached: ({ data }) => ({
    mark: "loud",
    text: `the limit of ${words(data.limit)} is reached (${data.value} of ${data.max})`,
  }),
  PhaseEntered: ({ data }) => step(`${safeLine(data.phase)} begins`),
  PhaseLeft: ({ data }) => step(`${safeLine(data.phase)} is done`),
  ContextAssembled: ({ data }) => foundText(data.findings),
  ContextTargetPassed: ({ data }) => ({
    mark: "loud",
    text: `the context is large: about ${data.tokens.toLocaleString("en-US")} tokens ${data.what === "working" ? "to begin with" : "before the task"}, ${data.target.toLocaleString("en-US")} are the target (${data.biggest
      .map(({ name, tokens }) => `${safeLine(name)} ${tokens.toLocaleString("en-US")}`)
      .join(", ")})`,
  }),
  ContextCompacted: ({ data }) =>
    step(
      data.layer === "fresh"
        ? "the conversation begins anew"
        : `context compacted (${data.layer}): about ${Math.max(0, data.before - data.after).toLocaleString("en-US")} of ${data.before.toLocaleString("en-US")} tokens freed`,
    ),
  PromptPinned: ({ data }) =>
    data.reason === "repin" ? step("held to the prompts of this version from now on") : null,
  InstructionsLoaded: ({ data }) => step(`rules that apply now: ${data.names.map(safeLine).join(", ")}`),
  MemoryRecalled: ({ data }) =>
    data.recalled.length === 0
      ? null
      : step(
          `${plural(data.recalled.length, "memory")} recalled`
            .replace(/memorys$/, "memories")
            .replace("memorys", "memories"),
        ),
  MemoryWritten: ({ data }) =>
    step(
      `remembered ${data.memory} (${words(data.kind)}, ${data.scope}${data.state === "proposed" ? ", waits for a person" : ""})`,
    ),
  SubAgentStarted: ({ data }) =>
    step(`sub-agent ${safeLine(data.agent)} begins: ${safeLine(data.description)} (${data.session})`),
  SubAgentEnded: ({ data }) => ({
    mark: data.outcome === "completed" ? "good" : "bad",
    text: `sub-agent ${data.session} ended: ${words(data.outcome)}, ${plural(data.turns, "turn")}${data.cost === null ? "" : `, ${formatMoney(nanoDollars(data.cost))}`}`,
  }),
  AgentMergeStarted: nothing,
  AgentMerged: ({ data }) => ({
    mark: data.status === "merged" ? "good" : "loud",
    text: `files of sub-agent ${data.session}: ${mergedText(data)}`,
  }),
  ReviewGiven: ({ data }) => step(`reviewed by ${safeLine(data.by)}`),
  HealthChanged: ({ data }) => ({
    mark: data.status === "ok" ? "good" : "loud",
    text: `${safeLine(data.subsystem)} is ${data.status}: ${safeLine(data.reason)}`,
  }),
  WorkDelivered: ({ data }) => step(`the work was brought back (${data.how}): ${plural(data.files, "file")}`),
  WorkspaceRemoved: ({ data }) => step(`the workspace was removed: ${data.reason}`),
  BatchCreated: ({ data }) => step(`a batch of ${plural(data.jobs, "job")} for ${safeLine(data.provider)}`),
  BatchPartSubmitting: nothing,
  BatchPartSubmitted: ({ data }) =>
    step(`part ${data.part} ${data.found ? "was found at the provider" : "is submitted"}: ${safeLine(data.batch)}`),
  BatchPartWithdrawn: ({ data }) => ({
    mark: "wait",
    text: `part ${data.part} did not arrive${data.kind === null ? "" : ` (${words(data.kind)})`}: ${safeLine(data.message)}`,
  }),
  BatchPartPolled: ({ data }) =>
    data.state === "failed"
      ? { mark: "bad", text: `part ${data.part} was refused: ${safeLine(data.message ?? "no reason given")}` }
      : null,
  BatchResultsKept: nothing,
  BatchPartEnded: ({ data }) =>
    step(`part ${data.part} is done${data.left === 0 ? "" : `, ${plural(data.left, "job")} without an answer`}`),
  BatchJobsRetried: ({ data }) => ({
    mark: "wait",
    text: `round ${data.round}: ${plural(data.jobs, "job")} without an answer ${data.jobs === 1 ? "is" : "are"} handed in again`,
  }),
  BatchCancelRequested: ({ data }) => ({ mark: "loud", text: `canceling the batch: ${safeLine(data.reason)}` }),
  BatchEnded: ({ data }) => ({
    mark: data.failed === 0 ? "good" : "bad",
    text: `${plural(data.answered, "job")} answered, ${data.failed} failed`,
  }),
};

export function noticeOf<K extends EventKind>(event: EventOf<K> & { readonly kind: K }): Notice | null {
  // the entry found under the event's own kind takes exactly that event (the table's type)
  return (NOTICES[event.kind] as (event: EventOf<K>) => Notice | null)(event);
}

/**
 * As `noticeOf`, for events one after the other. While calls under way hold the money that a call needs, it is refused again
 * and again: the first refusal says all of it. Why another model takes over is not said twice either.
 */
export function noticesInRow(): (event: Event) => Notice | null {
  let held = false;
  let failure = "";
  return (event) => {
    if (event.kind === "ModelSwitched" && event.data.message === failure)
      return noticeOf({ ...event, data: { ...event.data, message: "" } });
    if (event.kind === "ModelCallFailed" || event.kind === "ModelCallRefused") failure = event.data.message;
    if (!isHeld(event)) {
      if (event.kind !== "RetryWaited") held = false;
      return noticeOf(event);
    }
    const first = !held && event.kind === "ModelCallRefused";
    held = true;
    return first ? noticeOf(event) : null;
  };
}

function isHeld(event: Event): boolean {
  return (event.kind === "ModelCallRefused" || event.kind === "RetryScheduled") && event.data.kind === "budget_held";
}

/** `provider overloaded, trying again in 2.1 s (2/8)`: the second of at most eight attempts after the first. */
function waitText(data: EventOf<"RetryScheduled">["data"]): string {
  const attempts = (ERROR_TABLE[data.kind] as { readonly limit?: { readonly attempts: number } }).limit?.attempts;
  const count = attempts === undefined ? "" : ` (${Math.max(1, data.attempt - 1)}/${attempts})`;
  return `${subsystemOf(data.kind)} ${words(data.kind)}, trying again in ${formatDuration(data.delay_ms)}${count}`;
}

const REMEMBERED = { once: "", session: ", for this session", always: ", always" } as const;

/** `approved by the user at the terminal, for this session`, `denied by …: use the staging server` */
function answeredText({ approved, by, reason, remember }: EventOf<"ApprovalGiven">["data"]): string {
  const why = reason === null ? "" : `: ${safeLine(reason)}`;
  return `${approved ? "approved" : "denied"} by ${safeLine(by)}${REMEMBERED[remember]}${why}`;
}

/** `budget: session has spent $4.02 of $5.00; u said: go on` */
function alertedText(data: EventOf<"BudgetAlerted">["data"]): string {
  const answer = data.answer === null ? "" : `; ${safeLine(data.by ?? "somebody")} said: ${words(data.answer)}`;
  return `budget: ${safeLine(data.scope)} has spent ${alertText(data)}${answer}`;
}

function workspaceText(data: EventOf<"WorkspacePrepared">["data"]): string {
  const where = { clone: "a private clone", copy: "a private copy", in_place: "your own directory" }[data.mode];
  const left = data.left_out.filter(({ count }) => count > 0).map(({ why, count }) => `${count} ${words(why)}`);
  return (
    `workspace: ${where}, ${plural(data.files, "file")}` +
    (data.branch === null ? "" : `, branch ${safeLine(data.branch)}`) +
    (left.length === 0 ? "" : `; not tracked: ${left.join(", ")}`)
  );
}

/** Findings that are named; the event has all. */
const FINDINGS_SHOWN_MAX = 8;

/** What of the project's and the user's own files the model does not read, and why. */
function foundText(findings: readonly string[]): Notice | null {
  const [first] = findings;
  if (first === undefined) return null;
  if (findings.length === 1) return { mark: "loud", text: safeLine(first) };
  const more = findings.length - FINDINGS_SHOWN_MAX;
  return {
    mark: "loud",
    text: `${plural(findings.length, "finding")} in what the model is to read:`,
    detail: [
      ...findings.slice(0, FINDINGS_SHOWN_MAX).map(safeLine),
      ...(more > 0 ? [`… and ${plural(more, "more finding")}`] : []),
    ].join("\n"),
  };
}

/** `merged, 2 files`; of what did not come in, why, and where it is. */
function mergedText({ session, status, files, conflicts }: EventOf<"AgentMerged">["data"]): string {
  const seen = `\`belay diff ${session}\` shows them`;
  switch (status) {
    case "merged":
      return `merged${files.length === 0 ? "" : `, ${plural(files.length, "file")}`}`;
    case "conflict":
      return `not brought in, both sides changed ${conflicts.slice(0, FINDINGS_SHOWN_MAX).map(safeLine).join(", ")}; ${seen}`;
    case "red":
      return `taken out again, the verification failed with them; ${seen}`;
    case "kept":
      return `not brought in; ${seen}`;
  }
}

function exitText(code: number | null): string {
  return code === null ? "killed" : `exit ${code}`;
}

function step(text: string): Notice {
  return { mark: "step", text };
}

function subsystemOf(kind: ErrorKind): string {
  return ERROR_TABLE[kind].subsystem;
}

export function words(name: string): string {
  return name.replaceAll("_", " ");
}

export function lastLines(text: string, max: number): string {
  const lines = safeText(text).trimEnd().split("\n");
  return (lines.length > max ? [`… ${lines.length - max} more lines above`, ...lines.slice(-max)] : lines).join("\n");
}
