/**
 * The corpus in lines, as `belay permissions explain --jsonl` reads them: a line with rules holds for the calls below it. No
 * bypass may be allowed, and where rules forbid, it must be denied; nineteen of twenty harmless calls are not asked about.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { PermissionRule } from "../../src/kernel/permissions.ts";
import { decideByRules } from "../../src/policy/rules/decide-by-rules.ts";

const CWD = "/home/dev/project";
const HOME = "/home/dev";
const BYPASSES_MIN = 1_000;
const HARMLESS_MIN = 250;
const HARMLESS_SHARE_MIN = 0.95;

const Line = z.object({
  class: z.string().optional(),
  allow: z.array(z.string()).optional(),
  deny: z.array(z.string()).optional(),
  mode: z.enum(["default", "acceptEdits", "plan", "dontAsk"]).optional(),
  command: z.string().optional(),
  tool: z.string().optional(),
  input: z.record(z.string(), z.json()).optional(),
});
type Group = Pick<z.infer<typeof Line>, "class" | "allow" | "deny" | "mode">;

interface Call {
  readonly group: Group;
  readonly tool: string;
  readonly input: Readonly<Record<string, z.infer<ReturnType<typeof z.json>>>>;
}

function callsOf(file: string): readonly Call[] {
  const calls: Call[] = [];
  let group: Group = {};
  for (const text of readFileSync(new URL(`corpus/${file}`, import.meta.url), "utf8").split("\n")) {
    if (text === "") continue;
    const line = Line.parse(JSON.parse(text));
    if (line.allow !== undefined) group = line;
    else calls.push({ group, tool: line.tool ?? "Bash", input: line.input ?? { command: line.command ?? "" } });
  }
  return calls;
}

async function decisionOn({ group, tool, input }: Call): Promise<string> {
  const rules: readonly PermissionRule[] = [
    ...(group.allow ?? []).map((rule) => ({ behavior: "allow", rule, source: "user" }) as const),
    ...(group.deny ?? []).map((rule) => ({ behavior: "deny", rule, source: "user" }) as const),
  ];
  return (await decideByRules({ tool, input }, { rules, mode: group.mode ?? "default", cwd: CWD, home: HOME }))
    .decision;
}

async function found(
  calls: readonly Call[],
  wanted: (decision: string, call: Call) => boolean,
): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const call of calls)
    if (wanted(await decisionOn(call), call))
      texts.push(JSON.stringify(call.input["command"] ?? [call.tool, call.input]));
  return texts;
}

const BYPASSES = callsOf("bypasses.jsonl");
const HARMLESS = callsOf("harmless.jsonl");

describe("calls in lines", () => {
  it("are enough to say something", () => {
    expect(BYPASSES.length).toBeGreaterThanOrEqual(BYPASSES_MIN);
    expect(HARMLESS.length).toBeGreaterThanOrEqual(HARMLESS_MIN);
  });

  for (const name of new Set(BYPASSES.map(({ group }) => group.class ?? ""))) {
    const calls = BYPASSES.filter(({ group }) => group.class === name);
    it(`lets no bypass through: ${name}`, async () => {
      expect(await found(calls, (decision) => decision === "allow")).toEqual([]);
    });
    if (calls.some(({ group }) => group.deny !== undefined))
      it(`denies what a rule forbids: ${name}`, async () => {
        expect(await found(calls, (decision) => decision !== "deny")).toEqual([]);
      });
  }

  it("asks about almost nothing that is harmless", async () => {
    const stopped = await found(HARMLESS, (decision) => decision !== "allow");
    expect(1 - stopped.length / HARMLESS.length, stopped.join("\n")).toBeGreaterThanOrEqual(HARMLESS_SHARE_MIN);
  });
});
