/** `belay approvals`: a row for each call that waits. */
import { askedAt } from "../../engine/approve.ts";
import { suggestionFor, type WaitingCall } from "../../engine/ask.ts";
import { systemClock } from "../../host/system-clock.ts";
import type { Store } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { failureText } from "../failure.ts";
import { withStore } from "../session-choice.ts";
import { waitingSessions, type WaitingSession } from "../waiting.ts";
import { formatAge, plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";
import { fittingTableLines } from "../view/table.ts";
import { toolTitle } from "../view/tool-title.ts";
import { truncated } from "../view/width.ts";

export interface ListApprovalsOptions {
  readonly json?: true;
}

const HEAD = ["CALL", "SESSION", "ASKED", "WHY", "WHAT"] as const;
/** What a narrow terminal does without, in this order: why, asked, session. */
const EXPENDABLE = [3, 2, 1] as const;
const WHY_COLUMNS_MAX = 40;
/** Nobody looks at a table that is wider; programs take --json. */
const UNLIMITED_COLUMNS = 10_000;

interface Asked {
  readonly of: WaitingSession;
  readonly call: WaitingCall;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export async function listApprovals(options: ListApprovalsOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const { out, err } = face;
    const asked = await askedCalls(store, (error) => {
      err.line(failureText(error, false));
    });
    if (options.json === true) {
      out.json(JSON.stringify(await Promise.all(asked.map(asJson))));
      return 0;
    }
    if (asked.length === 0) {
      out.line("Nothing waits for an answer.");
      return 0;
    }
    const now = systemClock.now();
    const rows = asked.map((one) => cells(one, now));
    const columns = out.isTerminal ? out.columns() : UNLIMITED_COLUMNS;
    for (const line of fittingTableLines(HEAD, rows, columns, EXPENDABLE)) out.line(line);
    const [first] = asked;
    out.line(
      `\n${plural(asked.length, "call")} ${asked.length === 1 ? "waits" : "wait"}. \`belay approve ${first?.call.call ?? "ID"}\` shows it whole and lets the run go on; \`belay deny\` refuses it.`,
    );
    return 0;
  });
}

async function askedCalls(
  store: Store,
  onUnreadable: Parameters<typeof waitingSessions>[1],
): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  for (const of of await waitingSessions(store, onUnreadable))
    for (const call of of.calls)
      asked.push({ of, call, at: (await askedAt(store, of.state, call.call)) ?? of.row.updated_at });
  return asked;
}

function cells({ call, at }: Asked, now: number): readonly string[] {
  return [
    call.call,
    call.session,
    formatAge(Math.max(0, now - at)),
    truncated(safeLine(call.reason), WHY_COLUMNS_MAX),
    `${safeLine(call.part.name)}: ${toolTitle(call.part)}`,
  ];
}

async function asJson({ of, call, at }: Asked): Promise<Record<string, unknown>> {
  const { part, session, reason, rule, sources, hash } = call;
  return {
    call: call.call,
    session,
    title: of.row.summary.title,
    cwd: of.row.place.cwd,
    asked_at: at,
    tool: part.name,
    input: part.input,
    hash,
    reason,
    rule,
    sources,
    suggestion: await suggestionFor(call),
  };
}
