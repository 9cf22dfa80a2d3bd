/** The end of a run for GitHub Actions: annotations, the step's summary, the step's outputs. */
import type { RunReport } from "../engine/report.ts";
import { ERROR_TABLE } from "../kernel/error-kind.ts";
import type { Event, EventOf } from "../kernel/events/index.ts";
import { formatMoney, nanoFromDollars } from "../kernel/money.ts";
import { EXIT_TABLE, type Outcome } from "../kernel/outcome.ts";
import { totalTokens } from "../kernel/usage.ts";
import {
  appendToStepFile,
  codeSpan,
  fenced,
  outputLine,
  type Properties,
  verificationAnnotations,
  workflowCommand,
} from "./ci-github.ts";
import type { Failure } from "./failure.ts";
import {
  approvalCommands,
  changeText,
  type Closing,
  verifiedText,
  WAITING_SHOWN_MAX,
  waitingText,
} from "./view/closing.ts";
import { formatCount, formatDuration, plural } from "./view/format.ts";
import { lastLines, words } from "./view/notice.ts";
import { paintFor } from "./view/paint.ts";

/** Files that a summary names. */
const FILES_MAX = 50;
/** Lines of a failed verification in the summary. */
const TAIL_LINES_MAX = 60;
const TITLE = "belay";

export interface CiReportParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes a line to the log, as it is. */
  readonly command: (line: string) => void;
}

export interface CiReport {
  events(events: readonly Event[]): void;
  end(closing: Closing): void;
  failed(failure: Failure, exit_code: number): void;
}

/** What of the run's events the end tells. */
interface Noted {
  readonly verified: EventOf<"VerificationFinished">["data"] | null;
  readonly limit: EventOf<"LimitReached">["data"] | null;
}

const NOTHING_NOTED: Noted = { verified: null, limit: null };

function withEvent(before: Noted, event: Event): Noted {
  if (event.kind === "RunStarted") return NOTHING_NOTED;
  if (event.kind === "VerificationFinished") return { ...before, verified: event.data };
  return event.kind === "LimitReached" ? { ...before, limit: event.data } : before;
}

export function createCiReport({ environment, command }: CiReportParts): CiReport {
  let seen = NOTHING_NOTED;
  const append = (variable: string, text: string): void => {
    const path = environment[variable];
    if (path === undefined || path === "") return;
    const problem = appendToStepFile(path, text);
    if (problem !== null)
      command(workflowCommand("warning", `$${variable} could not be written: ${problem}.`, { title: TITLE }));
  };
  return {
    events: (events) => {
      for (const event of events) seen = withEvent(seen, event);
    },
    end: (closing) => {
      for (const line of annotations(closing.report, seen)) command(line);
      append("GITHUB_STEP_SUMMARY", summary(closing, seen));
      append("GITHUB_OUTPUT", outputs(closing.report));
    },
    failed: ({ kind, happened, todo }, exit_code) => {
      command(workflowCommand("error", `${happened} ${todo}`, { title: `${TITLE}: ${words(kind)}` }));
      append("GITHUB_STEP_SUMMARY", `### belay: not started\n\n${fenced(`${happened}\n${todo}`)}\n`);
      append("GITHUB_OUTPUT", `${outputLine("outcome", "failed")}\n${outputLine("exit_code", exit_code)}\n`);
    },
  };
}

const LEVELS: { readonly [O in Outcome]: "error" | "warning" | "notice" } = {
  completed: "notice",
  needs_review: "warning",
  needs_approval: "warning",
  verification_failed: "error",
  budget_exhausted: "error",
  limit_reached: "error",
  loop_detected: "error",
  refused: "error",
  canceled: "warning",
  failed: "error",
};

function annotations(report: RunReport, noted: Noted): readonly string[] {
  const { outcome } = report;
  const title: Properties = { title: `${TITLE}: ${words(outcome)}` };
  const failed = outcome === "verification_failed" && noted.verified !== null;
  const located = failed ? verificationAnnotations(noted.verified) : [];
  const message = `${reasonText(report, noted.limit)} Session ${report.session}.`;
  return [workflowCommand(LEVELS[outcome], message, title), ...located];
}

function reasonText({ outcome, verification, error }: RunReport, limit: Noted["limit"]): string {
  if (error === null && limit !== null)
    return `The limit of ${words(limit.limit)} is reached (${limit.max}): raise it and resume.`;
  if (error === null) return outcome === "completed" ? `${verifiedText(verification)}.` : EXIT_TABLE[outcome].meaning;
  const { subsystem, remedy } = ERROR_TABLE[error.kind];
  return `${error.message} (${error.kind})${subsystem === "provider" ? ` ${remedy}` : ""}`;
}

function summary({ report, changes, mode, waiting }: Closing, { verified, limit }: Noted): string {
  const { outcome, session, turns, usage, cost_usd, duration_ms, verification, exit_code, branch } = report;
  const money = formatMoney(cost_usd === null ? null : nanoFromDollars(cost_usd));
  const facts: readonly (readonly [string, string])[] = [
    ["outcome", `${words(outcome)} (exit code ${exit_code})`],
    ["verification", evidenceText(verification, verified)],
    [
      "used",
      `${plural(turns, "turn")}, ${formatCount(totalTokens(usage))} tokens, ${money}, ${formatDuration(duration_ms)}`,
    ],
    ...(branch === null ? [] : ([["branch", codeSpan(branch)]] as const)),
    ["session", codeSpan(session)],
  ];
  const failed = verified !== null && !verified.passed ? [fenced(lastLines(verified.tail, TAIL_LINES_MAX))] : [];
  return `${[
    `### belay: ${words(outcome)}`,
    ["| | |", "| --- | --- |", ...facts.map(([name, text]) => `| ${name} | ${text} |`)].join("\n"),
    ...(report.error === null ? [] : [fenced(reasonText(report, limit))]),
    ...failed,
    ...asked(waiting),
    ...changed(changes),
    nextText(report, { is_private: mode !== null && mode !== "in_place", waiting }),
  ].join("\n\n")}\n`;
}

function evidenceText(verification: RunReport["verification"], verified: Noted["verified"]): string {
  if (verified === null) return verifiedText(verification);
  const tree = verified.tree === null ? "" : `, tree ${codeSpan(verified.tree.slice(0, 12))}`;
  return `${verifiedText(verification)}: ${codeSpan(verified.command)}, exit code ${verified.exit_code ?? "none (killed)"}, ${formatDuration(verified.duration_ms)}${tree}`;
}

function changed(changes: Closing["changes"]): readonly string[] {
  if (changes === null) return [];
  if (changes.length === 0) return ["No file was changed."];
  const plain = paintFor(false);
  const shown = changes.slice(0, FILES_MAX).map((change) => changeText(change, plain));
  const more = changes.length > FILES_MAX ? [`… and ${plural(changes.length - FILES_MAX, "more file")}`] : [];
  return [`${plural(changes.length, "file")} changed:`, fenced([...shown, ...more].join("\n"))];
}

function asked(waiting: Closing["waiting"]): readonly string[] {
  if (waiting.length === 0) return [];
  const shown = waiting.slice(0, WAITING_SHOWN_MAX).map((one) => `${one.call}  ${waitingText(one)}`);
  const more = waiting.length - shown.length;
  const lines = more > 0 ? [...shown, `… and ${plural(more, "more call")}`] : shown;
  return [
    `${plural(waiting.length, "call")} ${waiting.length === 1 ? "waits" : "wait"} for a person:`,
    fenced(lines.join("\n")),
  ];
}

interface Next extends Pick<Closing, "waiting"> {
  readonly is_private: boolean;
}

function nextText({ session, outcome }: RunReport, { is_private, waiting }: Next): string {
  const commands = [
    ...approvalCommands(waiting),
    ...(outcome === "completed" || waiting.length > 0 ? [] : [`belay resume ${session}`]),
    ...(is_private ? [`belay apply ${session}`] : []),
    `belay sessions show ${session}`,
    `belay sessions export ${session}`,
  ];
  return `How to go on, where this session's store is:\n\n${fenced(commands.join("\n"))}`;
}

function outputs(report: RunReport): string {
  const { session, outcome, verification, exit_code, cost_usd, branch } = report;
  return [
    outputLine("session", session),
    outputLine("outcome", outcome),
    outputLine("verification", verification),
    outputLine("exit_code", exit_code),
    outputLine("cost", cost_usd),
    outputLine("branch", branch),
    "",
  ].join("\n");
}
