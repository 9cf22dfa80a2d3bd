/**
 * Can a command line get past the rules? Every bypass stands with rules that a careless judge would let it pass under, and none
 * may be allowed; what an agent does all day must not be asked about.
 */
import { describe, expect, it } from "vitest";
import type { PermissionRule } from "../../src/kernel/permissions.ts";
import { decideByRules } from "../../src/policy/rules/decide-by-rules.ts";
import { BYPASSES, type Example, FORBIDDEN, HARMLESS } from "./shell-corpus.ts";

const CWD = "/home/dev/project";
const HOME = "/home/dev";
const BYPASSES_MIN = 200;
const HARMLESS_MIN = 120;
const HARMLESS_SHARE_MIN = 0.95;

function rulesOf({ allow, deny = [] }: Example): readonly PermissionRule[] {
  return [
    ...allow.map((rule) => ({ behavior: "allow", rule, source: "user" }) as const),
    ...deny.map((rule) => ({ behavior: "deny", rule, source: "user" }) as const),
  ];
}

async function decisionOn(example: Example): Promise<string> {
  const context = { rules: rulesOf(example), mode: "default", cwd: CWD, home: HOME } as const;
  return (await decideByRules({ tool: "Bash", input: { command: example.command } }, context)).decision;
}

async function withDecision(
  examples: readonly Example[],
  wanted: (decision: string) => boolean,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const example of examples) if (wanted(await decisionOn(example))) found.push(example.command);
  return found;
}

describe("the corpus of commands", () => {
  it("is large enough to say something", () => {
    expect(Object.values(BYPASSES).flat().length).toBeGreaterThanOrEqual(BYPASSES_MIN);
    expect(HARMLESS.length).toBeGreaterThanOrEqual(HARMLESS_MIN);
  });

  for (const [kind, examples] of Object.entries(BYPASSES)) {
    it(`allows no bypass by ${kind.replaceAll("_", " ")}`, async () => {
      expect(await withDecision(examples, (decision) => decision === "allow")).toEqual([]);
    });
  }

  it("denies what a rule forbids, however it is dressed up", async () => {
    expect(await withDecision(FORBIDDEN, (decision) => decision !== "deny")).toEqual([]);
  });

  it("does not ask about what an agent does all day", async () => {
    const stopped = await withDecision(HARMLESS, (decision) => decision !== "allow");
    expect(1 - stopped.length / HARMLESS.length, stopped.join("\n")).toBeGreaterThanOrEqual(HARMLESS_SHARE_MIN);
  });

  it("would see a judge that lets everything pass", async () => {
    const passes = await withDecision(HARMLESS, (decision) => decision === "allow");
    expect(passes.length).toBeGreaterThan(0);
  });
});
