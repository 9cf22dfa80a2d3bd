/** V1, V2: where one rule is said to cover another, judging real calls agrees. */
import { describe, expect, it } from "vitest";
import type { PermissionRule } from "../../../../src/kernel/permissions.ts";
import { covers } from "../../../../src/policy/audit/covers.ts";
import { decideByRules } from "../../../../src/policy/rules/decide-by-rules.ts";
import { dangerOf } from "../../../../src/policy/rules/dangerous.ts";
import { parseRule } from "../../../../src/policy/rules/rule.ts";
import { fc } from "../../../support/property.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const PLACES = { cwd: "/w/p", home: "/home/u" };

type Written = Pick<PermissionRule, "behavior" | "rule">;

/** `deny Bash(git push *)`. */
function written(text: string): Written {
  const [behavior = "", ...rule] = text.split(" ");
  return { behavior: behavior as Written["behavior"], rule: rule.join(" ") }; // the tests below write one of the three
}

function covered(broad: Written, narrow: Written): boolean {
  const [a, b] = [parseRule(broad.rule), parseRule(narrow.rule)];
  if (!a.ok || !b.ok) throw new TypeError(`${broad.rule} or ${narrow.rule} is no rule`);
  return covers({ behavior: broad.behavior, parsed: a.rule }, { behavior: narrow.behavior, parsed: b.rule }, PLACES);
}

describe("a rule covers another", () => {
  it.each([
    ["allow Bash(npm run *)", "allow Bash(npm run build)"],
    ["allow Bash(npm run:*)", "allow Bash(npm run *)"],
    ["allow Bash(git log *)", "allow Bash(git log --oneline)"],
    ["allow Bash(make *)", "allow Bash(make test *)"],
    ["deny Bash(git push:*)", "allow Bash(git push *)"],
    ["deny Bash(git push:*)", "allow Bash(git -C dir push)"],
    ["deny Bash(curl *)", "allow Bash(timeout 5 curl x)"],
    ["ask Bash(rm *)", "allow Bash(rm dist/*)"],
    ["deny Bash", "ask Bash(git push *)"],
    ["allow Edit(src/**)", "allow Edit(src/a/**)"],
    ["allow Edit(src)", "allow Write(src/a.ts)"],
    ["allow Edit(*.ts)", "allow Edit(src/a.ts)"],
    ["allow Read(~/notes/**)", "allow Read(//home/u/notes/a)"],
    ["deny Read(.env)", "allow Read(./config/.env)"],
    ["deny Edit", "allow Write(x/**)"],
    ["allow WebFetch(domain:*.a.com)", "allow WebFetch(domain:b.a.com)"],
    ["deny WebFetch", "allow WebFetch(domain:a.com)"],
    ["allow mcp__s", "allow mcp__s__t"],
    ["deny mcp__*", "allow mcp__s__t"],
  ])("%s: %s", (broad, narrow) => {
    expect(covered(written(broad), written(narrow))).toBe(true);
  });

  it.each([
    ["allow Bash(npm run build)", "allow Bash(npm run *)"],
    ["allow Bash(find *)", "allow Bash(find . -delete)"],
    ["allow Bash(cat *)", "allow Bash(cat /var/log/x)"],
    ["allow Bash(npm *)", "allow Bash(npm exec x)"],
    ["allow Bash(git log *)", "deny Bash(git log *)"],
    ["deny Bash(rm -rf *)", "allow Bash(rm *)"],
    ["deny Bash(npm test)", "allow Bash(npm test *)"],
    ["allow Edit(src/**)", "allow Edit(src/.env)"],
    ["allow Edit(src/**)", "allow Edit(src/.git/hooks/x)"],
    ["allow Edit(src/*.ts)", "allow Edit(src/**)"],
    ["allow Edit(src/a)", "allow Edit(src/**/a)"],
    ["allow Write(src/**)", "allow Edit(src/a)"],
    ["deny Read(x/**)", "allow Edit(x/**)"],
    ["allow WebFetch(domain:*.a.com)", "allow WebFetch(domain:a.com)"],
    ["allow mcp__s__t", "allow mcp__s"],
  ])("and not: %s: %s", (broad, narrow) => {
    expect(covered(written(broad), written(narrow))).toBe(false);
  });

  const program = fc.constantFrom("git", "npm", "cat", "make", "find", "sed");
  const word = fc.constantFrom(
    "push",
    "log",
    "-f",
    "-i",
    "-delete",
    "x",
    "src/a",
    "/etc/a",
    "../a",
    "run",
    "exec",
    ".env",
    "-c",
  );
  /** A command, a rule that is about it, and one that may be broader: words left out, or a `*` for one of them. */
  const related = fc.record({
    words: fc.tuple(program, fc.array(word, { maxLength: 4 })).map(([first, rest]) => [first, ...rest]),
    own: fc.nat(4),
    other: fc.nat(4),
    wild: fc.option(fc.nat(3)),
    open: fc.tuple(fc.boolean(), fc.boolean()),
  });
  const ruleOf = (words: readonly string[], open: boolean): string =>
    `Bash(${[...words, ...(open ? ["*"] : [])].join(" ")})`;

  it("says yes only where judging any command agrees", async () => {
    await fc.assert(
      fc.asyncProperty(
        related,
        fc.constantFrom("allow", "ask", "deny"),
        async ({ words, own: kept, other, wild, open }, behavior) => {
          const text = words.join(" ");
          const narrow = ruleOf(words.slice(0, kept + 1), open[0]);
          const wider = words.slice(0, other + 1).map((one, i) => (i > 0 && i === wild ? "*" : one));
          const broad = ruleOf(wider, open[1]);
          const [a, b] = [parseRule(broad), parseRule(narrow)];
          if (dangerOf(broad) !== null || dangerOf(narrow) !== null) return; // left out of use
          if (!a.ok || !b.ok || !covered({ behavior, rule: broad }, { behavior: "allow", rule: narrow })) return;
          const judged = async (...rules: readonly Written[]): Promise<string> => {
            const given = rules.map((rule) => ({ ...rule, source: "user" as const }));
            const request = { tool: "Bash", input: { command: text } };
            return (await decideByRules(request, { rules: given, mode: "default", ...PLACES })).decision;
          };
          const own = { behavior: "allow", rule: narrow } as const;
          const [without, alone] = [await judged(), await judged(own)];
          if (without === alone) return; // the narrower rule is not about this command
          expect([broad, narrow, text, await judged(own, { behavior, rule: broad })]).toEqual([
            broad,
            narrow,
            text,
            behavior,
          ]);
          if (behavior === "allow")
            expect([broad, narrow, text, await judged({ behavior, rule: broad })]).toEqual([
              broad,
              narrow,
              text,
              "allow",
            ]);
        },
      ),
      { numRuns: LONG ? 20_000 : 2_000 },
    );
  });
});
