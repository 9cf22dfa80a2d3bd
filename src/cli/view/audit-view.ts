/** What `belay permissions audit` prints: findings with their edits and the rates of denial for people, an object for programs. */
import type { JournalFacts } from "../../observe/permissions/journals.ts";
import type { Edit, Finding } from "../../policy/audit/finding.ts";
import type { Counts, Tallied } from "../../policy/audit/tally.ts";
import { UNUSED_JUDGED_MIN, UNUSED_SESSIONS_MIN } from "../../policy/audit/history-findings.ts";
import type { OutputStream } from "../output-stream.ts";
import { formatShare, plural } from "./format.ts";
import { type Paint, paintFor } from "./paint.ts";
import { safeLine } from "./safe-text.ts";
import { tableLines } from "./table.ts";

export interface AuditReport {
  readonly directory: string;
  readonly days: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly facts: JournalFacts;
  readonly findings: readonly Finding[];
  /** Sentences. */
  readonly notes: readonly string[];
}

/** Rows that are printed; --json has all. */
const ROWS_MAX = 20;
const COLUMNS_MIN = 60;
const COLUMNS_WITHOUT_TERMINAL = 10_000;

export function auditJson({ directory, days, since, facts, findings, notes }: AuditReport): unknown {
  const { here, everywhere, damaged, left_out } = facts;
  const all = everywhere ?? here;
  return {
    directory,
    days,
    since,
    looked_at: {
      ...{ sessions: all.sessions, judged: all.judged, sessions_here: here.sessions, judged_here: here.judged },
      ...{ all_projects: everywhere !== null, damaged, left_out },
    },
    findings,
    tools: [...all.tools].map(([tool, counts]) => ({ tool, ...counts, denial_rate: denialRate(counts) })),
    rules: [...all.rules.values()].map(({ rule, ...counts }) => ({
      ...rule,
      ...counts,
      denial_rate: denialRate(counts),
    })),
    notes,
  };
}

export function auditLines(report: AuditReport, out: OutputStream): readonly string[] {
  const { findings, facts, notes, days } = report;
  const paint = paintFor(out.colors);
  const all = facts.everywhere ?? facts.here;
  const columns = out.isTerminal ? Math.max(out.columns(), COLUMNS_MIN) : COLUMNS_WITHOUT_TERMINAL;
  const where = facts.everywhere === null ? "of this project" : "of all projects";
  const few = all.sessions < UNUSED_SESSIONS_MIN || all.judged < UNUSED_JUDGED_MIN;
  return [
    ...findings.flatMap((finding) => [...findingLines(finding, paint), ""]),
    ...rateLines(all, columns),
    ...notes.map((note) => `note: ${safeLine(note)}`),
    `Rests on ${plural(all.sessions, "session")} ${where} in ${plural(days, "day")}, and ${plural(all.judged, "call")} judged in them` +
      `${few ? ": too few to say which rules nobody uses" : ""}.`,
    findings.length === 0 ? "Nothing found." : `${plural(findings.length, "finding")}: ${countsText(findings)}.`,
  ];
}

function findingLines({ kind, severity, rule, file, message, edits }: Finding, paint: Paint): readonly string[] {
  const color = { high: paint.red, medium: paint.yellow, low: paint.dim }[severity];
  const about = rule === null ? "" : ` ${rule.behavior} ${safeLine(rule.rule)}`;
  const place = file === null ? "" : ` (${safeLine(file)})`;
  return [
    `${color(severity)} ${paint.bold(kind)}${about}${place}`,
    `  ${safeLine(message)}`,
    ...edits.flatMap((edit) => editLines(edit, paint)),
  ];
}

/** A small diff: the file, the place in it, what stands there and what is to. */
function editLines({ file, pointer, before, after }: Edit, paint: Paint): readonly string[] {
  const line = (sign: string, value: Edit["after"]): string => `    ${sign} ${safeLine(JSON.stringify(value))}`;
  return [
    `    @ ${safeLine(file)} ${pointer === "" ? "(a new file)" : safeLine(pointer)}`,
    ...(before === null ? [] : [paint.red(line("-", before))]),
    ...(after === null ? [] : [paint.green(line("+", after))]),
  ];
}

function rateLines({ tools, rules }: Tallied, columns: number): readonly string[] {
  const byTool = [...tools].sort(([, a], [, b]) => b.judged - a.judged).slice(0, ROWS_MAX);
  const byRule = [...rules.values()]
    .filter(({ judged, parts }) => judged + parts > 0)
    .sort((a, b) => b.judged - a.judged);
  const head = ["CALLS", "DENIED", "REFUSED", "APPROVED", "RATE"];
  const cells = (counts: Counts): readonly string[] => [
    ...[counts.judged, counts.stopped, counts.refused, counts.approved].map(String),
    formatShare(denialRate(counts)),
  ];
  return [
    ...(byTool.length === 0
      ? []
      : [
          ...tableLines(
            [...head, "TOOL"],
            byTool.map(([tool, counts]) => [...cells(counts), safeLine(tool)]),
            columns,
          ),
          "",
        ]),
    ...(byRule.length === 0
      ? []
      : [
          ...tableLines(
            [...head, "PARTS", "RULE"],
            byRule
              .slice(0, ROWS_MAX)
              .map((counts) => [
                ...cells(counts),
                String(counts.parts),
                safeLine(`${counts.rule.behavior} ${counts.rule.rule}`),
              ]),
            columns,
          ),
          "",
        ]),
  ];
}

/** Of what was judged and is not still waiting, the share that did not run. */
function denialRate({ judged, waiting, stopped, refused }: Counts): number {
  const ended = judged - waiting;
  return ended === 0 ? 0 : (stopped + refused) / ended;
}

function countsText(findings: readonly Finding[]): string {
  return (["high", "medium", "low"] as const)
    .map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length] as const)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`)
    .join(", ");
}
