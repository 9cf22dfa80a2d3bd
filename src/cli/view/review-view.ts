/** The report of a review, for people. Its texts are those of the model and of the repository: each stays on its line. */
import type { ReviewReport } from "../../observe/review/report.ts";
import { formatMoney, nanoFromDollars } from "../../kernel/money.ts";
import { changeText, row } from "./closing.ts";
import { formatCount, plural } from "./format.ts";
import type { Paint } from "./paint.ts";
import { safeLine } from "./safe-text.ts";

/** Files that are named; `belay diff` shows all. */
const FILES_SHOWN_MAX = 12;

const GATES: { readonly [S in ReviewReport["gate"]["status"]]: string } = {
  passed: "passed",
  failed: "failed",
  not_run: "not run since the last change",
  none: "none (give --verify CMD)",
};

export function reviewLines(report: ReviewReport, paint: Paint): readonly string[] {
  const { phase, turns, since_review, cost_usd, tokens, queue, next } = report;
  const money = formatMoney(cost_usd === null ? null : nanoFromDollars(cost_usd));
  const items = queue.done + queue.left;
  return [
    "",
    `${paint.bold("Review")} of ${report.session}${phase === null ? "" : `, phase ${safeLine(phase)}`}`,
    row(
      "so far",
      `${plural(turns, "turn")} (${String(since_review)} since the last review) · ${formatCount(tokens)} tokens · ${money}`,
    ),
    row("gate", gateText(report)),
    ...fileRows(report, paint),
    ...report.steps.map(({ what, ok }, i) =>
      row(i === 0 ? "steps" : "", `${ok ? paint.green("✓") : paint.red("✗")} ${safeLine(what)}`),
    ),
    ...(items === 0 ? [] : [row("list", `${String(queue.done)} of ${plural(items, "item")} done`)]),
    row(
      "next",
      next === null ? "it did not say" : `${safeLine(next.text)}${next.from === "queue" ? " (from its list)" : ""}`,
    ),
  ];
}

function gateText({ gate: { command, status } }: ReviewReport): string {
  return command === null ? GATES[status] : `${safeLine(command)}: ${GATES[status]}`;
}

function fileRows({ files, added, removed }: ReviewReport, paint: Paint): readonly string[] {
  if (files === null) return [row("changed", "could not be looked at")];
  if (files.length === 0) return [row("changed", "nothing")];
  const more = files.length - FILES_SHOWN_MAX;
  return [
    row(
      "changed",
      `${plural(files.length, "file")}, ${paint.green(`+${String(added)}`)} ${paint.red(`-${String(removed)}`)}`,
    ),
    ...files.slice(0, FILES_SHOWN_MAX).map((file) => row("", changeText(file, paint))),
    ...(more > 0 ? [row("", `… and ${plural(more, "more file")}`)] : []),
  ];
}
