/** What became of the rules of a place since a moment: beside what the last session before it ran with, or beside a commit. */
import { realpathSync } from "node:fs";
import { systemClock } from "../host/system-clock.ts";
import type { PermissionRule } from "../kernel/permissions.ts";
import { type FirstSeen, pastRules } from "../observe/permissions/rule-history.ts";
import { type Difference, differenceOf, type Standing } from "../policy/audit/rule-difference.ts";
import type { Store } from "../store/port.ts";
import { findRepository } from "../workspace/prepare/source.ts";
import { joined, standingAt } from "./commit-settings.ts";
import type { Face } from "./face.ts";
import { createGitFacts } from "./git-facts.ts";
import { permissionsOf } from "./project-trust.ts";
import { readFoundSettings } from "./settings-places.ts";
import { sinceOf } from "./since.ts";
import { formatDate } from "./view/format.ts";

export interface RuleChanges {
  /** What is compared with now; null where nothing is known of any time before. */
  readonly then: { readonly session: string | null; readonly commit: string | null; readonly at: number } | null;
  readonly difference: Difference;
  /** By behaviour and rule, as `ruleKey` joins them. */
  readonly first_seen: ReadonlyMap<string, FirstSeen>;
  /** What a reader has to know to read it right: sentences. */
  readonly notes: readonly string[];
}

const NOTHING: Standing = { rules: [], grants: [], mode: null, domains: [] };

/** @param since absent: since the last session here @throws HarnessError `usage`, `config_invalid`, `store_*` */
export async function ruleChanges(store: Store, face: Face, since: string | undefined): Promise<RuleChanges> {
  const moment = since === undefined ? null : sinceOf(since, systemClock.now());
  if (moment !== null && "commit" in moment) return sinceCommit(store, face, moment.commit);
  const directory = projectOf(face);
  const { then, old_enough, first_seen } = await pastRules(store, directory, moment?.at ?? null);
  const { rules, grants, mode, domains } = await permissionsOf(face, { cwd: face.cwd });
  const now: Standing = { rules: rules.filter(isWritten), grants, mode, domains };
  if (then === null) {
    const note = "No session was started here before, so nothing is known of the rules of that time.";
    return { then: null, difference: differenceOf(now, now), first_seen, notes: [note] };
  }
  const { session, at, standing } = then;
  const notes = old_enough
    ? []
    : [`No session of this project is that old: the oldest one, of ${formatDate(at)}, is compared.`];
  return { then: { session, commit: null, at }, difference: differenceOf(standing, now), first_seen, notes };
}

/** Of the project's own files only: what else a person has is in no commit. Whether it is trusted does not matter here. */
async function sinceCommit(store: Store, face: Face, revision: string): Promise<RuleChanges> {
  const { home, userHome, all } = face.environment;
  const { commit, at, standing, notes } = await standingAt(face.cwd, revision, all["PATH"]);
  const repository = findRepository(face.cwd);
  const git = repository === null ? null : createGitFacts(repository, all["PATH"]);
  const directory = projectOf(face);
  const found = await readFoundSettings({ home, userHome, project: directory, git }, null);
  const own = found.filter(({ file }) => file.origin === "project" || file.origin === "local");
  const { first_seen } = await pastRules(store, directory, at);
  const difference = differenceOf(standing, own.length === 0 ? NOTHING : joined(own));
  return { then: { session: null, commit, at }, difference, first_seen, notes };
}

/** What was said for one session, no file says. */
function isWritten({ source }: PermissionRule): boolean {
  return source !== "cli" && source !== "session";
}

function projectOf({ cwd }: Face): string {
  return findRepository(cwd)?.top ?? realpathSync(cwd);
}
