/** What became of a rule set, and what of it lets more through. */
import { describe, expect, it } from "vitest";
import type { PermissionRule } from "../../../../src/kernel/permissions.ts";
import { differenceOf, isEmpty, loosened, type Standing } from "../../../../src/policy/audit/rule-difference.ts";

const NOTHING: Standing = { rules: [], grants: [], mode: null, domains: [] };

/** `deny Bash(x) project`. */
function standing(texts: readonly string[], rest: Partial<Standing> = {}): Standing {
  const rules = texts.map((text): PermissionRule => {
    const [, behavior, rule = "", source] = /^(\w+) (.+) (\w+)$/.exec(text) ?? [];
    return { behavior, rule, source } as PermissionRule; // the tests below write such texts
  });
  return { ...NOTHING, rules, ...rest };
}

const whats = (then: Standing, now: Standing): readonly string[] =>
  loosened(differenceOf(then, now)).map(({ what }) => what);

describe("the difference of two rule sets", () => {
  it("names what came, what went, and what was moved", () => {
    const then = standing(["allow Bash(a) project", "deny Bash(b) project", "ask Bash(c) user"]);
    const now = standing(["allow Bash(a) user", "allow Bash(b) project", "allow Bash(d) local"]);
    expect(differenceOf(then, now)).toEqual({
      added: [{ behavior: "allow", rule: "Bash(d)", source: "local" }],
      removed: [{ behavior: "ask", rule: "Bash(c)", source: "user" }],
      moved: [
        { rule: "Bash(a)", from: { behavior: "allow", source: "project" }, to: { behavior: "allow", source: "user" } },
        {
          rule: "Bash(b)",
          from: { behavior: "deny", source: "project" },
          to: { behavior: "allow", source: "project" },
        },
      ],
      grants: { added: [], removed: [] },
      domains: { added: [], removed: [] },
      mode: null,
    });
  });

  it("is empty where only the order changed, and where the default was said", () => {
    const [a, b] = [
      standing(["allow Bash(a) user", "deny Bash(b) user"]),
      standing(["deny Bash(b) user", "allow Bash(a) user"], { mode: "default" }),
    ];
    expect([isEmpty(differenceOf(a, b)), isEmpty(differenceOf(a, NOTHING))]).toEqual([true, false]);
  });

  it("lets more through where an allow rule, a grant or a host came, a restriction went, or the mode is looser", () => {
    const grant = {
      id: "g",
      sink: "network",
      destination: "a.example.com",
      label: "secret",
      expires_at: null,
    } as const;
    const then = standing(["deny Bash(b) project", "ask Bash(c) user", "deny Bash(e) user"]);
    const now = standing(["allow Bash(a) user", "ask Bash(b) project", "deny Bash(e) project"], {
      grants: [grant],
      domains: ["example.com"],
      mode: "acceptEdits",
    });
    expect(whats(then, now)).toEqual([
      "`Bash(a)` is allowed since then.",
      "`Bash(c)` is no longer asked about (user).",
      "`Bash(b)` was moved from deny to ask.",
      "network to a.example.com is granted for secret since then.",
      "Commands may reach example.com since then.",
      "The mode was default and is acceptEdits.",
    ]);
    // The other way round only what is allowed no more is gone; the deny rule that comes back from ask restricts.
    expect(whats(now, then)).toEqual([]);
  });
});
