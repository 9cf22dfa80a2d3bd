/** What a phase leaves of the tools, whatever rules and modes say: others are denied, and the reason names the phase. */
import { describe, expect, it } from "vitest";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { CLEAN_LABEL } from "../../../src/kernel/label.ts";
import { readCall } from "../../../src/policy/call-reading.ts";
import { judge, type Judgement, needsReading } from "../../../src/policy/judge.ts";
import type { JudgeRequest, JudgeStanding } from "../../../src/policy/standing.ts";
import { testConfig } from "../../support/config.ts";

const PHASES: SessionConfig["phases"] = [
  { name: "look", tools: null, read_only: true, instructions: null },
  { name: "narrow", tools: ["Read", "todo"], read_only: false, instructions: null },
  { name: "free", tools: null, read_only: false, instructions: null },
];
const EVERYTHING = ["Edit", "Write", "Bash", "WebFetch(domain:docs.example)"].map((rule) => ({
  behavior: "allow" as const,
  rule,
  source: "user" as const,
}));

async function judged(
  request: JudgeRequest,
  phase: string | null,
  facts: Partial<SessionConfig> = {},
): Promise<Judgement> {
  const standing: JudgeStanding = {
    config: testConfig({
      sandbox: { mode: "bwrap", network: false },
      approval: "sandbox",
      phases: PHASES,
      permissions: { rules: EVERYTHING, on_ask: "prompt" },
      ...facts,
    }),
    label: CLEAN_LABEL,
    phase,
    userWrote: () => false,
    webNamed: () => false,
    root: "/w",
    home: "/home/u",
    now: 1_000,
  };
  return judge(request, standing, needsReading(request, standing) ? await readCall(request, standing) : null);
}

const bash = (command: string): JudgeRequest => ({ tool: "bash", effect: "execute", input: { command } });
const WRITE: JudgeRequest = { tool: "write", effect: "write", input: { path: "a.txt", content: "" } };
const READ: JudgeRequest = { tool: "read", effect: "read", input: { path: "a.txt" } };
const TODO: JudgeRequest = { tool: "todo", effect: "read", input: { items: [] } };
const WEB: JudgeRequest = { tool: "web_fetch", effect: "network", input: { url: "https://docs.example/a" } };

describe("a read-only phase", () => {
  it.each(["default", "acceptEdits", "bypassPermissions", "dontAsk"] as const)(
    "denies what may change something, also where a rule allows it, in the mode %s",
    async (permission_mode) => {
      for (const request of [WRITE, bash("rm a.txt"), bash("npm test"), bash("cat a.txt > b.txt"), bash("$(x)")]) {
        const { decision, reason } = await judged(request, "look", { permission_mode });
        expect([request.input, decision]).toEqual([request.input, "deny"]);
        expect(reason).toContain("`look`");
      }
    },
  );

  it("lets through what only reads, and what a rule welcomes on the web", async () => {
    for (const request of [READ, TODO, bash("git log | head"), bash("cat a.txt"), WEB])
      expect([request.input, (await judged(request, "look")).decision]).toEqual([request.input, "allow"]);
    const unruled = await judged(WEB, "look", { permissions: { rules: [], on_ask: "prompt" } });
    expect(unruled.decision).toBe("deny");
  });

  it("is over when another phase is there", async () => {
    for (const phase of ["free", null]) expect((await judged(WRITE, phase)).decision).toBe("allow");
  });
});

describe("a list of tools", () => {
  it("of a phase denies the others by name, also by the names that Claude Code has for them", async () => {
    expect((await judged(READ, "narrow")).decision).toBe("allow");
    expect((await judged(TODO, "narrow")).decision).toBe("allow");
    expect(await judged(bash("cat a.txt"), "narrow")).toMatchObject({
      decision: "deny",
      reason: "the phase `narrow` may use only Read, todo",
    });
  });

  it("of the session holds in every phase", async () => {
    for (const phase of [null, "free", "look"])
      expect(await judged(TODO, phase, { allowed_tools: ["read", "bash"] })).toMatchObject({
        decision: "deny",
        reason: "the session may use only read, bash",
      });
    expect((await judged(READ, "free", { allowed_tools: [] })).reason).toBe("the session may use no tool");
  });

  it("takes nothing from what rules forbid", async () => {
    const rules = [{ behavior: "deny" as const, rule: "Read(./a.txt)", source: "user" as const }];
    const { decision, rule } = await judged(READ, "free", { permissions: { rules, on_ask: "prompt" } });
    expect([decision, rule?.rule]).toEqual(["deny", "Read(./a.txt)"]);
  });
});
