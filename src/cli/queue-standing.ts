/** Where a queue stands, told from the journal of its session: what was begun, how it ended, what it took. */
import { isUnknown } from "../kernel/fold.ts";
import { LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import { addMoney, type NanoDollars, NO_MONEY } from "../kernel/money.ts";
import type { Outcome } from "../kernel/outcome.ts";
import { readEvents } from "../store/journal.ts";
import type { Store } from "../store/port.ts";
import type { Event } from "../kernel/events/index.ts";
import { markOf } from "./queue-source.ts";

/** Sessions of a directory among which the one of a queue is looked for. */
const LOOKED_AT_MAX = 1_000;

export interface TaskStanding {
  /** Null: it runs, or was cut off. */
  readonly outcome: Outcome | null;
  readonly exit_code: number | null;
  readonly turns: number;
  /** Of the calls whose price is known. */
  readonly cost: NanoDollars;
}

export interface QueueStanding {
  readonly session: SessionId | null;
  readonly tasks: ReadonlyMap<string, TaskStanding>;
  /** The task that the conversation is about. */
  readonly last: string | null;
}

export async function standingOfQueue(
  store: Store,
  { title, directory, keys }: { readonly title: string; readonly directory: string; readonly keys: readonly string[] },
): Promise<QueueStanding> {
  const rows = await store.listSessions({ tenant: LOCAL_TENANT, directory, limit: LOOKED_AT_MAX });
  const session = rows.find(({ summary }) => summary.title === title)?.session ?? null;
  if (session === null) return { session, tasks: new Map(), last: null };
  const byMark = new Map(keys.map((key) => [markOf(key), key]));
  const tasks = new Map<string, TaskStanding>();
  let last: string | null = null;
  for await (const event of readEvents(store, LOCAL_TENANT, session)) {
    if (isUnknown(event)) continue;
    const begun = begunBy(event, byMark);
    if (begun !== undefined) last = begun;
    if (last === null) continue;
    const before = begun === undefined ? tasks.get(last) : undefined;
    tasks.set(last, after(before ?? BEGUN, event));
  }
  return { session, tasks, last };
}

const BEGUN: TaskStanding = { outcome: null, exit_code: null, turns: 0, cost: NO_MONEY };

/** The task that a message begins; one that was taken out of the queue is none of ours. */
function begunBy(event: Event, byMark: ReadonlyMap<string, string>): string | undefined {
  if (event.kind !== "UserMessageAdded") return undefined;
  const [mark] = event.data.parts.flatMap(({ origin }) => byMark.get(origin.by ?? "") ?? []);
  return mark;
}

function after(standing: TaskStanding, event: Event): TaskStanding {
  switch (event.kind) {
    // Not already with the run: it may begin with the next task.
    case "ModelCallStarted":
      return { ...standing, outcome: null, exit_code: null };
    case "RunEnded":
      return { ...standing, outcome: event.data.outcome, exit_code: event.data.exit_code };
    case "ModelCallFinished":
      return { ...standing, turns: standing.turns + 1 };
    case "BudgetSettled":
      return { ...standing, cost: addMoney(standing.cost, event.data.cost ?? NO_MONEY) };
    default:
      return standing;
  }
}
