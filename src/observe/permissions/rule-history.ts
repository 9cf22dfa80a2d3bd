/** The rule set as it was: what the last session before a moment ran with, and in which session a rule is first seen. */
import { isUnknown } from "../../kernel/fold.ts";
import type { PermissionRule } from "../../kernel/permissions.ts";
import { ruleKey } from "../../policy/audit/tally.ts";
import type { Standing } from "../../policy/audit/rule-difference.ts";
import { eventOf } from "../../store/event-record.ts";
import { readRecords } from "../../store/journal.ts";
import type { SessionRow, Store } from "../../store/port.ts";
import { rowsSince, SESSION_EVENTS_MAX, unlessDamaged } from "./journals.ts";
import { standingOf } from "./session-record.ts";

/** Sessions that are looked at, for the rules of one moment and for where others began. */
const SESSIONS_MAX = 2_000;

export interface PastStanding {
  readonly session: string;
  /** When it was configured so, in milliseconds since the epoch. */
  readonly at: number;
  /** Without what was said for that session alone. */
  readonly standing: Standing;
}

export interface FirstSeen {
  readonly session: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface PastRules {
  /** Null where no session of the project is there to tell. */
  readonly then: PastStanding | null;
  /** Whether it is older than asked for; else it is the oldest there is. */
  readonly old_enough: boolean;
  /** By `ruleKey`. Rules that no session had since are not there. */
  readonly first_seen: ReadonlyMap<string, FirstSeen>;
}

/** @param at milliseconds since the epoch; null for the last session there is */
export async function pastRules(store: Store, directory: string, at: number | null): Promise<PastRules> {
  const rows = (await rowsSince(store, directory, 0)).slice(0, SESSIONS_MAX);
  if (at === null) {
    for (const row of rows) {
      const then = (await standingsOf(store, row)).at(-1);
      if (then !== undefined) return { then, old_enough: true, first_seen: new Map() };
    }
    return { then: null, old_enough: false, first_seen: new Map() };
  }
  let then: PastStanding | null = null;
  let oldest: PastStanding | null = null;
  const first_seen = new Map<string, FirstSeen>();
  for (const row of rows) {
    // Newest first: once one began before, those that began earlier cannot be later, but for what was changed in them since.
    if (then !== null && row.updated_at < then.at) continue;
    for (const one of await standingsOf(store, row)) {
      if (one.at <= at) {
        if (then === null || one.at > then.at) then = one;
        continue;
      }
      if (oldest === null || one.at < oldest.at) oldest = one;
      for (const rule of one.standing.rules) seen(first_seen, rule, one);
    }
  }
  return then === null ? { then: oldest, old_enough: false, first_seen } : { then, old_enough: true, first_seen };
}

function seen(first: Map<string, FirstSeen>, rule: PermissionRule, { session, at }: PastStanding): void {
  const key = ruleKey(rule);
  const known = first.get(key);
  if (known === undefined || at < known.at) first.set(key, { session, at });
}

/** In their order. None where the session cannot be read. */
async function standingsOf(store: Store, row: SessionRow): Promise<readonly PastStanding[]> {
  const found = await unlessDamaged(async () => {
    const standings: PastStanding[] = [];
    let events = 0;
    for await (const record of readRecords(store, row)) {
      if (++events > SESSION_EVENTS_MAX) break;
      if (record.kind !== "SessionConfigured" && record.kind !== "SettingsChanged") continue;
      const event = await eventOf(store, row, record);
      if (isUnknown(event) || (event.kind !== "SessionConfigured" && event.kind !== "SettingsChanged")) continue;
      const { config } = event.data;
      standings.push({ session: row.session, at: event.at, standing: withoutOwn(standingOf(config), config) });
    }
    return standings;
  });
  return found ?? [];
}

/** What the command line said for that session, or a person while it ran, no file says. */
function withoutOwn(standing: Standing, config: Parameters<typeof standingOf>[0]): Standing {
  const said = new Set(config.confinement.said_domains);
  return {
    ...standing,
    rules: standing.rules.filter(({ source }) => source !== "cli" && source !== "session"),
    grants: standing.grants.filter(({ id }) => !id.startsWith("cli_")),
    domains: standing.domains.filter((domain) => !said.has(domain)),
  };
}
