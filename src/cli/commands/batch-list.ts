/** `belay batch list` and `belay batch status`. */
import { LOCAL_TENANT, parseSessionId } from "../../kernel/ids.ts";
import { formatMoney } from "../../kernel/money.ts";
import type { SessionState } from "../../kernel/state.ts";
import { systemClock } from "../../host/system-clock.ts";
import { loadSession } from "../../store/journal.ts";
import type { SessionRow } from "../../store/port.ts";
import { isOwnerAlive } from "../../host/lease-owner.ts";
import { batchOf } from "../../workflow/batch/batch-run.ts";
import { allBatches } from "../../workflow/batch/find-batches.ts";
import type { Face } from "../face.ts";
import { withStore } from "../session-choice.ts";
import { costOf } from "../view/batch-view.ts";
import { formatAge, plural } from "../view/format.ts";
import { words } from "../view/notice.ts";
import { safeLine } from "../view/safe-text.ts";
import { fittingTableLines } from "../view/table.ts";

const HEAD = ["BATCH", "STATE", "LAST EVENT", "JOBS", "ANSWERED", "FAILED", "COST", "OF"] as const;
/** What a narrow terminal does without, in this order: last event, failed, cost, jobs. */
const EXPENDABLE = [2, 5, 6, 3] as const;
const UNLIMITED_COLUMNS = 10_000;

export async function listBatches(
  options: { readonly limit: number; readonly json?: true },
  face: Face,
): Promise<number> {
  return withStore(face, async (store) => {
    const found = await allBatches(store, options.limit);
    if (options.json === true) {
      face.out.json(JSON.stringify(found.map(({ row, state }) => asJson(row, state))));
      return 0;
    }
    if (found.length === 0) {
      face.out.line("There are no batches. Start one: belay batch run jobs.jsonl.");
      return 0;
    }
    const now = systemClock.now();
    const rows = found.map(({ row, state }) => {
      const { jobs, results } = batchOf(state);
      const age = formatAge(Math.max(0, now - row.updated_at));
      const cells = [
        row.session,
        words(stateOf(row, state)),
        age,
        `${jobs}`,
        `${results.answered}`,
        `${results.failed}`,
      ];
      return [...cells, formatMoney(costOf(state)), safeLine(state.title)];
    });
    const columns = face.out.isTerminal ? face.out.columns() : UNLIMITED_COLUMNS;
    for (const line of fittingTableLines(HEAD, rows, columns, EXPENDABLE)) face.out.line(line);
    return 0;
  });
}

export async function showBatch(id: string, options: { readonly json?: true }, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const { row, state } = await loadSession(store, LOCAL_TENANT, parseSessionId(id));
    const { jobs, results, parts, round, ended } = batchOf(state);
    const { out } = face;
    if (options.json === true) {
      out.json(JSON.stringify(asJson(row, state)));
      return 0;
    }
    out.line(`${safeLine(state.title)}: ${words(stateOf(row, state))}, round ${round.number}`);
    out.line(
      `${results.answered} of ${plural(jobs, "job")} answered, ${results.failed} failed, ${formatMoney(costOf(state))}`,
    );
    for (const part of parts) {
      const where = part.batch === null ? "" : ` as ${safeLine(part.batch)}`;
      const size = plural(part.to - part.from, "job");
      const done = part.status === "submitted" ? `, ${part.done} done` : part.left > 0 ? `, ${part.left} left` : "";
      out.line(`  part ${part.number}: ${size}, ${part.status}${where}${done}`);
    }
    if (!ended) out.line(`\`belay batch resume ${row.session}\` watches it.`);
    return 0;
  });
}

/** `watched` while a process looks after it; `under_way` while only the provider does. */
function stateOf(row: Pick<SessionRow, "owner">, { jobs, end }: SessionState): string {
  if (jobs?.ended === true) return end?.outcome ?? "completed";
  if (row.owner !== null && isOwnerAlive(row.owner) !== false) return "watched";
  return end?.outcome === "failed" || end?.outcome === "budget_exhausted" ? end.outcome : "under_way";
}

function asJson(row: SessionRow, state: SessionState): Record<string, unknown> {
  const { jobs, results, parts, round, ended, provider } = batchOf(state);
  return {
    batch: row.session,
    title: state.title,
    state: stateOf(row, state),
    ended,
    provider,
    model: state.config?.model ?? null,
    jobs,
    answered: results.answered,
    failed: results.failed,
    round: round.number,
    cost_nano: costOf(state),
    usage: state.usage,
    created_at: row.created_at,
    updated_at: row.updated_at,
    parts: parts.map(({ number, status, batch, from, to, done, left, attempt }) => ({
      part: number,
      status,
      batch,
      jobs: to - from,
      done,
      left,
      attempt,
    })),
  };
}
