/** `belay sessions list`. */
import { LOCAL_TENANT } from "../../kernel/ids.ts";
import { formatMoney, nanoDollars } from "../../kernel/money.ts";
import type { SessionRow } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { isOwnerAlive } from "../../host/lease-owner.ts";
import { withStore } from "../session-choice.ts";
import { systemClock } from "../../host/system-clock.ts";
import { formatAge, formatCount } from "../view/format.ts";
import { words } from "../view/notice.ts";
import { safeLine } from "../view/safe-text.ts";
import { fittingTableLines } from "../view/table.ts";

export interface ListOptions {
  readonly here?: true;
  /** Sub-agents, too. */
  readonly all?: true;
  readonly limit: number;
  readonly json?: true;
}

const HEAD = ["SESSION", "STATE", "LAST EVENT", "TURNS", "TOKENS", "COST", "TASK"] as const;
/** What a narrow terminal does without, in this order: tokens, turns, cost, last event, state. */
const EXPENDABLE = [4, 3, 5, 2, 1] as const;
/** Nobody looks at a table that is wider; programs take --json. */
const UNLIMITED_COLUMNS = 10_000;

/** Sub-agents that may stand between the sessions of a list, and are left out of it. */
const AGENTS_BETWEEN_MAX = 1_000;

export async function listSessions(options: ListOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const every = options.all === true;
    const listed = await store.listSessions({
      tenant: LOCAL_TENANT,
      limit: options.limit + 1 + (every ? 0 : AGENTS_BETWEEN_MAX),
      ...(options.here === true ? { directory: face.cwd } : {}),
    });
    const found = every ? listed : listed.filter(({ summary }) => summary.agent === undefined);
    const rows = found.slice(0, options.limit);
    if (options.json === true) face.out.json(JSON.stringify(rows.map(asJson)));
    else if (rows.length === 0) face.out.line('There are no sessions. Start one: belay run "fix the failing test".');
    else {
      const now = systemClock.now();
      const lines = fittingTableLines(
        HEAD,
        rows.map((row) => cells(row, now)),
        face.out.isTerminal ? face.out.columns() : UNLIMITED_COLUMNS,
        EXPENDABLE,
      );
      for (const line of lines) face.out.line(line);
      if (found.length > rows.length) face.out.line(`There are more: --limit ${options.limit * 2} shows older ones.`);
    }
    return 0;
  });
}

function cells(row: SessionRow, now: number): readonly string[] {
  const { turns, tokens, cost, title } = row.summary;
  return [
    row.session,
    words(stateOf(row)),
    formatAge(Math.max(0, now - row.updated_at)),
    `${turns}`,
    formatCount(tokens),
    formatMoney(cost === null ? null : nanoDollars(cost)),
    safeLine(title),
  ];
}

/** `running` only while somebody runs it: a killed belay leaves a session that was cut off. */
export function stateOf(row: Pick<SessionRow, "owner" | "summary">): string {
  const { status, outcome } = row.summary;
  if (row.owner !== null && isOwnerAlive(row.owner) !== false) return "running";
  if (status === "running") return "cut_off";
  return outcome ?? status;
}

function asJson(row: SessionRow): Record<string, unknown> {
  const { session, created_at, updated_at, place, summary, last_seq } = row;
  return {
    session,
    state: stateOf(row),
    created_at,
    updated_at,
    events: last_seq,
    cwd: place.cwd,
    source: place.source,
    ...summary,
  };
}
