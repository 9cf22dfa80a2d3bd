/** Every kind of finding about rules as they are written: one that is found, and its neighbour that is not. */
import { describe, expect, it } from "vitest";
import type { Grant, PermissionMode, PermissionRule } from "../../../../src/kernel/permissions.ts";
import { addition, type Finding, type LocatedRule, sortedFindings } from "../../../../src/policy/audit/finding.ts";
import { ruleFindings, type RuleSet } from "../../../../src/policy/audit/rule-findings.ts";

const PLACES = { cwd: "/w/p", home: "/home/u" };
const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-21T12:00:00Z");

interface Facts {
  readonly source?: PermissionRule["source"];
  readonly file?: string;
  readonly pending?: boolean;
  readonly without_effect?: string;
}

/** `deny Bash(git push *)`; each in a place of its own. */
function located(texts: readonly (string | readonly [string, Facts])[]): readonly LocatedRule[] {
  return texts.map((text, i) => {
    const [said, facts] = typeof text === "string" ? [text, {}] : text;
    const [behavior = "", ...rule] = said.split(" ");
    const {
      source = "project",
      file = ".claude/settings.json",
      pending = false,
      without_effect = pending ? "It waits." : null,
    } = facts;
    return {
      behavior: behavior as LocatedRule["behavior"], // the tests below write one of the three
      rule: rule.join(" "),
      source,
      file,
      pointer: `/permissions/${behavior}/${i}`,
      without_effect,
      pending,
    };
  });
}

const NONE: RuleSet = { rules: [], grants: [], domains: [], modes: [], directories: [] };

function found(...texts: readonly (string | readonly [string, Facts])[]): readonly Finding[] {
  return sortedFindings(ruleFindings({ ...NONE, rules: located(texts) }, PLACES, NOW));
}

/** `high dangerous Bash(*)`. */
function short(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ severity, kind, rule }) => [severity, kind, rule?.rule ?? "-"].join(" "));
}

describe("a rule by itself", () => {
  it.each([
    ["Bash(*)", "high dangerous"],
    ["Bash(python *)", "high dangerous"],
    ["Bash(git*)", "medium dangerous"],
    ["Edit", "high too_broad"],
    ["Edit(//**)", "high too_broad"],
    ["WebFetch(domain:*)", "high too_broad"],
    ["WebFetch(domain:*.co.uk)", "high too_broad"],
    ["WebFetch(domain:*.github.io)", "medium too_broad"],
    ["WebFetch(domain:pastebin.com)", "medium too_broad"],
    ["mcp__*", "high too_broad"],
    ["mcp__s", "low too_broad"],
    ["Edit(**)", "medium too_broad"],
    ["Edit(/)", "medium too_broad"],
    ["Read(//**)", "high too_broad"],
    ["Read(//home/*/**)", "high too_broad"],
    ["Read(~/**)", "high too_broad"],
    ["Read(//etc/**)", "medium too_broad"],
    ["Edit(//etc/**)", "high too_broad"],
    ["Read", "medium too_broad"],
    ["Bash(git *)", "medium too_broad"],
    ["Bash(curl *)", "medium too_broad"],
    ["Bash(rm *)", "medium too_broad"],
    ["Bash(git push *)", "medium too_broad"],
    ["Bash(gh api *)", "medium too_broad"],
    ["Agent(model:opus)", "medium unreadable"],
    ["Bsh(ls)", "medium unreadable"],
  ])("%s is found: %s", (rule, expected) => {
    expect(short(found(`allow ${rule}`))).toEqual([`${expected} ${rule}`]);
  });

  it.each([
    ...[
      "Bash(npm test)",
      "Bash(git log *)",
      "Bash(ls *)",
      "Bash(rm dist/x)",
      "Bash(rm dist/*)",
      "Bash(python -m pytest *)",
    ],
    ...[
      "Bash(git push origin main)",
      "Bash(git push origin topic *)",
      "Bash(curl https://example.com/*)",
      "Bash(npm run *)",
    ],
    ...[
      "Edit(src/**)",
      "Edit(*.lock)",
      "Read(**)",
      "Read(~/notes/**)",
      "Read(//usr/share/doc/**)",
      "Read(//etc/hosts)",
    ],
    ...["WebFetch(domain:example.com)", "WebFetch(domain:*.example.com)", "WebFetch(domain:me.github.io)", "mcp__s__t"],
  ])("%s is not", (rule) => {
    expect(found(`allow ${rule}`)).toEqual([]);
  });

  it("may restrict as broadly as it likes", () => {
    expect(found("deny Bash(*)", "ask Edit(//**)", "deny WebFetch")).toEqual([]);
  });

  it("is taken away by its exact place; a slip of the pen is corrected there", () => {
    const at = { file: ".claude/settings.json", pointer: "/permissions/allow/0" };
    expect(found("allow Bash(sh *)")[0]?.edits).toEqual([{ ...at, op: "remove", before: "Bash(sh *)", after: null }]);
    expect(found("allow Bsh(ls)")[0]?.edits).toEqual([{ ...at, op: "replace", before: "Bsh(ls)", after: "Bash(ls)" }]);
    // What was meant would be dangerous.
    expect(found("allow Bsh(*)")[0]?.edits).toEqual([{ ...at, op: "remove", before: "Bsh(*)", after: null }]);
  });
});

describe("rules beside each other", () => {
  it("an allow rule that a deny or ask rule covers whole changes nothing", () => {
    expect(short(found("deny Bash(git push:*)", "allow Bash(git push origin main)"))).toEqual([
      "medium shadowed Bash(git push origin main)",
    ]);
    expect(short(found("ask Edit(src/**)", "allow Edit(src/a/**)"))).toEqual(["medium shadowed Edit(src/a/**)"]);
    expect(short(found("deny Bash(git push:*)", "ask Bash(git push -f *)"))).toEqual([
      "low shadowed Bash(git push -f *)",
    ]);
    expect(found("deny Bash(git push -f *)", "allow Bash(git push origin main)")).toEqual([]);
    expect(found("allow Bash(git log *)", "deny Bash(git log -p *)")).toEqual([]);
  });

  it("an allow rule inside a broader one adds nothing", () => {
    expect(short(found("allow Bash(npm run *)", "allow Bash(npm run build)"))).toEqual([
      "low shadowed Bash(npm run build)",
    ]);
    expect(found("allow Bash(npm run *)", "allow Bash(npm test)")).toEqual([]);
  });

  it("what is left out, or waits for trust, shadows nothing that counts", () => {
    expect(short(found("allow Bash(*)", "allow Bash(npm test)"))).toEqual(["high dangerous Bash(*)"]);
    expect(
      found(["allow Bash(npm run *)", { pending: true }], ["allow Bash(npm run build)", { file: "b", source: "user" }]),
    ).toEqual([]);
    expect(
      short(found(["allow Bash(npm run *)", { pending: true }], ["allow Bash(npm run build)", { pending: true }])),
    ).toEqual(["low shadowed Bash(npm run build)"]);
    expect(
      found(["deny Bash(npm run *)", { without_effect: "Only managed rules count." }], "allow Bash(npm run build)"),
    ).toEqual([]);
  });

  it("a duplicate is found however it is written; one that restricts may stand in two files", () => {
    const local = { file: ".claude/settings.local.json", source: "local" } as const;
    const [one] = found("allow Bash(npm run *)", ["allow Bash(npm run:*)", local]);
    expect(one).toMatchObject({ kind: "duplicate", file: local.file, edits: [{ op: "remove", file: local.file }] });
    expect(short(found("deny Read(./.env)", "deny Read(./.env)"))).toEqual(["low duplicate Read(./.env)"]);
    expect(found("deny Read(./.env)", ["deny Read(./.env)", local])).toEqual([]);
  });

  it("a team's rule is not taken away because a person has it too", () => {
    const own = { file: "$BELAY_HOME/settings.json", source: "user" } as const;
    expect(found(["allow Bash(npm run *)", own], "allow Bash(npm run build)")).toMatchObject([
      { kind: "shadowed", edits: [] },
    ]);
    expect(found("allow Bash(npm test)", ["allow Bash(npm test)", own])).toMatchObject([
      { kind: "duplicate", edits: [] },
    ]);
  });
});

describe("what else a file says", () => {
  const grant = (expires_at: number | null): Grant => ({
    id: "g",
    sink: "network",
    destination: "a.example.com",
    label: "untrusted",
    expires_at,
  });
  const grants = (expires_at: number | null): readonly Finding[] =>
    ruleFindings(
      { ...NONE, grants: [{ grant: grant(expires_at), file: "f", pointer: "/grants/0", without_effect: null }] },
      PLACES,
      NOW,
    );

  it("a grant that is over, or soon will be, is found", () => {
    expect(grants(NOW)).toMatchObject([{ kind: "grant_expired", edits: [{ op: "remove", pointer: "/grants/0" }] }]);
    expect(grants(NOW + 14 * DAY_MS)).toMatchObject([{ kind: "grant_expiring", edits: [] }]);
    expect([...grants(NOW + 15 * DAY_MS), ...grants(null)]).toEqual([]);
  });

  it("a host of commands below which anybody may have one is found, unless it is denied", () => {
    const domains = (domain: string, without_effect: string | null): readonly string[] =>
      short(
        ruleFindings(
          { ...NONE, domains: [{ domain, file: "f", pointer: "/a", without_effect, pending: false }] },
          PLACES,
          NOW,
        ),
      );
    expect(domains("*.vercel.app", null)).toEqual(["medium too_broad -"]);
    expect([domains("*.vercel.app", "It is denied."), domains("*.example.com", null)]).toEqual([[], []]);
  });

  it("a directory beside the workspace that is the disk or the home is found", () => {
    const directories = (directory: string): readonly string[] =>
      short(ruleFindings({ ...NONE, directories: [{ directory, file: "f", pointer: "/a" }] }, PLACES, NOW));
    for (const whole of ["/", "~", "~/", "/home/u", "/home"]) expect(directories(whole)).toEqual(["high too_broad -"]);
    for (const part of ["../other", "~/notes", "/home/u/x", "/homes"]) expect(directories(part)).toEqual([]);
  });

  it("a mode that asks about nothing is found", () => {
    const modes = (mode: PermissionMode): readonly string[] =>
      short(ruleFindings({ ...NONE, modes: [{ mode, file: "f", pointer: "/permissions/defaultMode" }] }, PLACES, NOW));
    expect([modes("bypassPermissions"), modes("acceptEdits")]).toEqual([["high dangerous -"], []]);
  });
});

describe("adding a rule", () => {
  const to = (json: Parameters<typeof addition>[0]["json"]): unknown => {
    const { pointer, after } = addition({ file: "f", json }, "deny", "Bash(x)");
    return [pointer, after];
  };
  it("makes what is missing on the way", () => {
    expect(to({ permissions: { deny: ["a"] } })).toEqual(["/permissions/deny/-", "Bash(x)"]);
    expect(to({ permissions: { allow: [] } })).toEqual(["/permissions/deny", ["Bash(x)"]]);
    expect(to({ other: 1 })).toEqual(["/permissions", { deny: ["Bash(x)"] }]);
    expect(to(null)).toEqual(["", { permissions: { deny: ["Bash(x)"] } }]);
  });
});
