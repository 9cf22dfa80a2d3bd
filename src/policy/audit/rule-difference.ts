/** What became of a rule set between two moments. */
import type { Grant, PermissionMode, PermissionRule } from "../../kernel/permissions.ts";

/** What a session may do, as far as a file can say it. */
export interface Standing {
  readonly rules: readonly PermissionRule[];
  readonly grants: readonly Grant[];
  /** Null: nobody said one, or it is not known. */
  readonly mode: PermissionMode | null;
  readonly domains: readonly string[];
}

export interface MovedRule {
  readonly rule: string;
  readonly from: Pick<PermissionRule, "behavior" | "source">;
  readonly to: Pick<PermissionRule, "behavior" | "source">;
}

export interface Difference {
  readonly added: readonly PermissionRule[];
  readonly removed: readonly PermissionRule[];
  /** The same text, in another list or from another source. */
  readonly moved: readonly MovedRule[];
  readonly grants: { readonly added: readonly Grant[]; readonly removed: readonly Grant[] };
  readonly domains: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** Null: the same. */
  readonly mode: { readonly from: PermissionMode | null; readonly to: PermissionMode | null } | null;
}

export function differenceOf(then: Standing, now: Standing): Difference {
  const [before, after] = [new Set(then.rules.map(keyOf)), new Set(now.rules.map(keyOf))];
  const gone = then.rules.filter((rule) => !after.has(keyOf(rule)));
  const come = now.rules.filter((rule) => !before.has(keyOf(rule)));
  const moved: MovedRule[] = [];
  const left = new Set(gone);
  const added = come.filter((rule) => {
    // The same behaviour first: that is the nearer move.
    const same = [...left].filter((one) => one.rule === rule.rule);
    const from = same.find(({ behavior }) => behavior === rule.behavior) ?? same[0];
    if (from === undefined) return true;
    left.delete(from);
    moved.push({ rule: rule.rule, from: placeOf(from), to: placeOf(rule) });
    return false;
  });
  return {
    added,
    removed: [...left],
    moved,
    grants: lists(then.grants, now.grants, ({ id }) => id),
    domains: lists(then.domains, now.domains, (domain) => domain),
    mode: (then.mode ?? "default") === (now.mode ?? "default") ? null : { from: then.mode, to: now.mode },
  };
}

export function isEmpty({ added, removed, moved, grants, domains, mode }: Difference): boolean {
  const lengths = [added, removed, moved, grants.added, grants.removed, domains.added, domains.removed].map(
    (list) => list.length,
  );
  return mode === null && lengths.every((length) => length === 0);
}

/** What of it lets more through than before: sentences. */
export function loosened({ added, removed, moved, grants, domains, mode }: Difference): readonly Loosening[] {
  const loose = moved.filter(({ from, to }) => STRENGTH[to.behavior] < STRENGTH[from.behavior]);
  return [
    ...added
      .filter(({ behavior }) => behavior === "allow")
      .map((rule) => ({ rule, what: `\`${rule.rule}\` is allowed since then.` })),
    ...removed
      .filter(({ behavior }) => behavior !== "allow")
      .map((rule) => ({
        rule: null,
        what: `\`${rule.rule}\` is no longer ${rule.behavior === "deny" ? "denied" : "asked about"} (${rule.source}).`,
      })),
    ...loose.map(({ rule, from, to }) => ({
      rule: { rule, ...to },
      what: `\`${rule}\` was moved from ${from.behavior} to ${to.behavior}.`,
    })),
    ...grants.added.map(({ sink, destination, label }) => ({
      rule: null,
      what: `${sink} to ${destination} is granted for ${label} since then.`,
    })),
    ...domains.added.map((domain) => ({ rule: null, what: `Commands may reach ${domain} since then.` })),
    ...(mode !== null && LOOSENESS[mode.to ?? "default"] > LOOSENESS[mode.from ?? "default"]
      ? [{ rule: null, what: `The mode was ${mode.from ?? "default"} and is ${mode.to ?? "default"}.` }]
      : []),
  ];
}

export interface Loosening {
  /** Null where no rule is there to be looked at. */
  readonly rule: PermissionRule | null;
  /** A sentence. */
  readonly what: string;
}

const STRENGTH: { readonly [B in PermissionRule["behavior"]]: number } = { allow: 0, ask: 1, deny: 2 };
const LOOSENESS: { readonly [M in PermissionMode]: number } = {
  plan: 0,
  dontAsk: 1,
  default: 2,
  acceptEdits: 3,
  bypassPermissions: 4,
};

function keyOf({ behavior, rule, source }: PermissionRule): string {
  return JSON.stringify([behavior, rule, source]);
}

function placeOf({ behavior, source }: PermissionRule): Pick<PermissionRule, "behavior" | "source"> {
  return { behavior, source };
}

function lists<T>(
  then: readonly T[],
  now: readonly T[],
  key: (one: T) => string,
): { readonly added: readonly T[]; readonly removed: readonly T[] } {
  const [before, after] = [new Set(then.map(key)), new Set(now.map(key))];
  return { added: now.filter((one) => !before.has(key(one))), removed: then.filter((one) => !after.has(key(one))) };
}
