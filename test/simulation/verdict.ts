/** What is looked at when a run has ended, and when a session has: the sums. */
import type { LiveSession } from "../../src/engine/session.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { ERROR_TABLE, isErrorKind } from "../../src/kernel/error-kind.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { EXIT_TABLE } from "../../src/kernel/outcome.ts";
import type { SessionRow, Store } from "../../src/store/port.ts";
import { readEvents } from "../../src/store/journal.ts";
import type { KnownCall, KnownRun } from "./auditor.ts";
import type { Machine, SimHost } from "./sim-host.ts";

export type Ending = "report" | "refused" | "died";

/** G10 leaves so much; then what a tool that ignores its signal gets. Milliseconds. */
const CANCEL_MS = 2_000;
const TOOL_GRACE_MS = 4_000;
/** Between the clock's reading at a run's start and at its end, in a world where nothing else takes time. */
const CLOCK_SLACK_MS = 200;

export function judgeRun(
  { auditor, world, ledger }: Machine,
  host: SimHost,
  live: LiveSession,
  report: RunReport,
): void {
  // Who lost the session, or an answer of the store, may hold results that are not stored.
  const lost = report.error !== null && ERROR_TABLE[report.error.kind].subsystem === "store";
  if (!lost && auditor.owner() === host.process.pid) auditor.sameState(live.state(), "when a run ended");
  const exit = problemWithExit(report);
  if (exit !== null) auditor.violated(14, exit);
  const run = auditor.runs.get(report.run ?? "");
  if (run === undefined)
    return auditor.violated(14, `the report names the run ${report.run}, which is not in the journal`);
  const late = problemWithTime(run, world.time(), ledger.slowed);
  if (late !== null) auditor.violated(11, late);
  const canceled = problemWithCancel(run, report, world.time(), ledger.slowed);
  if (canceled !== null) auditor.violated(13, canceled);
  if (run.ended === null) return;
  const { ended } = run;
  if (!lost && (ended.outcome !== report.outcome || ended.exit_code !== report.exit_code))
    auditor.violated(
      14,
      `the journal says ${ended.outcome} (${ended.exit_code}), the report ${report.outcome} (${report.exit_code})`,
    );
  const passed = ended.at - run.started_at;
  if (Math.abs(passed - ended.active_ms) > ledger.slowed - run.slowed + CLOCK_SLACK_MS)
    auditor.violated(12, `a run of ${passed} ms says it was at work for ${ended.active_ms} ms`);
}

/** Invariant 11. */
function problemWithTime(run: KnownRun, now: number, slowed: number): string | null {
  const left = Math.max(0, run.active_ms_max - run.active_ms);
  const took = now - run.started_at - (slowed - run.slowed);
  if (took <= left + CANCEL_MS + TOOL_GRACE_MS) return null;
  return `a run took ${took} ms, it had ${left} ms of active time left`;
}

/** Invariant 13. */
function problemWithCancel(
  { cancel, ended, limited_first }: KnownRun,
  report: RunReport,
  now: number,
  slowed: number,
): string | null {
  if (cancel === null) return null;
  const took = now - cancel.at - (slowed - cancel.slowed);
  if (took > CANCEL_MS + TOOL_GRACE_MS) return `${took} ms after the cancel the run is over`;
  if (report.outcome === "canceled" || report.outcome === "failed") return null;
  if (report.outcome === "limit_reached" && limited_first) return null;
  // It was over when the cancel came: both were on their way into the journal.
  return ended !== null && ended.at - cancel.at <= slowed - cancel.slowed
    ? null
    : `a canceled run ended ${report.outcome}`;
}

/** Invariant 14. */
function problemWithExit({ outcome, exit_code, error }: RunReport): string | null {
  const told = `${outcome} ${error?.kind ?? ""} ends with exit code ${exit_code}`;
  if (outcome === "canceled") return [130, 143].includes(exit_code) ? null : told;
  if (outcome !== "failed") return exit_code === EXIT_TABLE[outcome].code ? null : told;
  if (error === null || !isErrorKind(error.kind)) return `${told}, without a kind`;
  const { handling } = ERROR_TABLE[error.kind];
  const later = handling === "retry" || handling === "wait";
  if (later && exit_code !== EXIT_TABLE.failed_for_now.code) return told;
  return [1, 2, 75].includes(exit_code) ? null : told;
}

/** Invariants 1, 4, 5 and 8, when nothing happens any more. */
export async function countEffects(machine: Machine): Promise<void> {
  const { auditor, store } = machine;
  const row = await rowOf(store);
  if (row === null) return;
  const read = new Map<number, string>();
  for await (const event of readEvents(store, LOCAL_TENANT, row.session)) read.set(event.seq, event.hash);
  for (const [seq, hash] of auditor.acknowledgedHashes()) {
    if (read.get(seq) !== hash) auditor.violated(1, `event ${seq} was acknowledged and is lost`);
  }
  const disk = machine.disks.at(row.place.directory);
  const lines = [...disk.tracked.values()].flatMap((text) => text.split("\n"));
  const untracked = disk.untracked.map(({ token }) => token);
  for (const call of auditor.calls.values()) {
    if (call.results.length !== 1)
      auditor.violated(8, `call ${call.id} (${call.name}) has ${call.results.length} results`);
    for (const token of call.tokens) {
      const inside = count(lines, token) + count(untracked, token);
      const outside = machine.ledger.outside(token);
      const problem = problemWithCount(call, inside, outside);
      if (problem !== null)
        auditor.violated(outside > 1 ? 5 : 4, `${token} of ${call.name} (${call.results.join()}) ${problem}`);
    }
  }
}

function problemWithCount(call: KnownCall, inside: number, outside: number): string | null {
  const [result] = call.results;
  if (inside > 1) return `is in the workspace ${inside} times`;
  if (outside > 1) return `was done outside ${outside} times`;
  if (result === "denied" && inside + outside > 0) return "was done although it was denied";
  if (result === "ok" && call.name !== "bash" && inside + outside !== 1) return "is not there";
  return null;
}

function count(all: readonly string[], token: string): number {
  return all.filter((one) => one === token).length;
}

/** The one session of a seed: a start that failed before its first event leaves an empty row. */
export async function rowOf(store: Store): Promise<SessionRow | null> {
  const rows = await store.listSessions({ tenant: LOCAL_TENANT, limit: 20 });
  return rows.find((row) => row.last_seq > 0) ?? null;
}
