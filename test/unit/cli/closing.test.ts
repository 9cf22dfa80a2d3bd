import { describe, expect, it } from "vitest";
import {
  CHANGES_SHOWN_MAX,
  type Change,
  type Closing,
  closingLines,
  WAITING_SHOWN_MAX,
} from "../../../src/cli/view/closing.ts";
import { paintFor } from "../../../src/cli/view/paint.ts";
import type { WorkspaceMode } from "../../../src/kernel/config.ts";
import type { RunReport } from "../../../src/engine/report.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";
import { ids, SESSION } from "./sealed-events.ts";

const REPORT: RunReport = {
  session: SESSION,
  run: ids.run(),
  outcome: "completed",
  verification: "passed",
  exit_code: 0,
  turns: 3,
  usage: { ...NO_USAGE, input_tokens: 12_000, output_tokens: 345, unknown_tokens: 0 },
  cost_usd: 0.0123,
  unknown_cost_usd: 0,
  budget_left: null,
  cache_read_share: null,
  context: null,
  model_switches: [],
  waits: { rate_ms: 0, retry_ms: 0 },
  duration_ms: 72_000,
  workspace: "/home/u/.local/share/belay/sessions/x/tree",
  branch: `belay/${SESSION}`,
  checkpoints: [{ id: "chk_1", label: "start", turn: 0, tree: "0" }],
  error: null,
  waiting: [],
};

const EDIT: Change = { path: "src/app.ts", status: "modified", added: 3, removed: 1 };

function closed(
  report: Partial<RunReport>,
  changes: readonly Change[] | null = [EDIT],
  mode: WorkspaceMode = "clone",
  waiting: Closing["waiting"] = [],
): readonly string[] {
  return closingLines({ report: { ...REPORT, ...report }, changes, mode, waiting }, paintFor(false));
}

function waits(call: string, command: string): Closing["waiting"][number] {
  return { call, part: { name: "bash", input: { command } }, reason: "there is no sandbox" };
}

describe("the last block of a run", () => {
  it("says how it ended, what it cost, what changed, where it is, and what to type next", () => {
    expect(closed({})).toEqual([
      "",
      "✓ completed · verification passed",
      "  used       3 turns · 12.3k tokens · $0.012 · 1 min 12 s",
      "  changes    src/app.ts               +3 -1",
      "  workspace  /home/u/.local/share/belay/sessions/x/tree",
      `  branch     belay/${SESSION}`,
      `  journal    session ${SESSION}, 1 checkpoint`,
      `  next       belay diff ${SESSION}`,
      `             belay merge ${SESSION}   (or apply: uncommitted)`,
      `             belay resume ${SESSION} --message "also …"`,
      `             belay sessions show ${SESSION}`,
    ]);
  });

  it("never lets unproven work look proven", () => {
    expect(closed({ verification: "none_found" })[1]).toBe("✓ completed · not verified (give --verify CMD)");
  });

  it("says a red verification once", () => {
    expect(closed({ outcome: "verification_failed", verification: "failed", exit_code: 3 })[1]).toBe(
      "✗ verification failed",
    );
  });

  it("says what a limit means and how to go on", () => {
    const lines = closed({ outcome: "limit_reached", verification: "not_applicable", exit_code: 7 }, []);
    expect(lines[1]).toBe("✗ limit reached");
    expect(lines.join("\n")).toContain("raise it and resume");
    expect(lines.join("\n")).toContain(`next       belay resume ${SESSION}`);
    expect(lines.join("\n")).not.toContain("belay merge");
  });

  it("shows the error of a failed run with its kind", () => {
    const lines = closed({ outcome: "failed", error: { kind: "auth", message: "No key." } }, null);
    expect(lines).toContain("  error      No key. (auth)");
    expect(lines).toContain("             Set a valid key in the environment, then resume.");
  });

  it("says unknown money and unknown tokens instead of guessing", () => {
    const used = closed({ cost_usd: null, usage: { ...REPORT.usage, unknown_tokens: 5_000 } })[2];
    expect(used).toBe(
      "  used       3 turns · 12.3k tokens (and up to 5.0k of answers that were lost) · $ unknown · 1 min 12 s",
    );
  });

  it("says how full the context is and what compactions freed", () => {
    const context = { tokens: 41_000, window: 100_000, compactions: 3, freed: 90_000 };
    expect(closed({ context })).toContain("  context    41 % of 100k tokens, 3 compactions freed 90.0k");
    expect(closed({ context: null }).join("\n")).not.toContain("  context ");
  });

  it("says what is left under the caps, what came from the cache, and what was waited for", () => {
    const lines = closed({
      unknown_cost_usd: 0.25,
      budget_left: { scope: "session", usd: 4.9877 },
      cache_read_share: 0.914,
      waits: { rate_ms: 4_200, retry_ms: 900 },
      model_switches: [
        {
          from: { provider: "anthropic", model: "a" },
          to: { provider: "openai", model: "b\u001b[2J" },
          kind: "overloaded",
        },
      ],
    });
    expect(lines.slice(3, 6)).toEqual([
      "  budget     up to $0.250 more for lost answers · $4.98 left (session) · 91 % of the input cached",
      "  waited     4.2 s for rate",
      "  models     a → b (overloaded)",
    ]);
  });

  it("names a bounded number of files", () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ ...EDIT, path: `f${i}` }));
    const lines = closed({}, many);
    expect(lines.filter((line) => line.includes("+3 -1"))).toHaveLength(CHANGES_SHOWN_MAX);
    expect(lines.join("\n")).toContain(`… and ${40 - CHANGES_SHOWN_MAX} more files`);
  });

  it("offers to apply, not to merge, where there is no repository", () => {
    const text = closed({}, [EDIT], "copy").join("\n");
    expect(text).toContain(`belay apply ${SESSION}`);
    expect(text).not.toContain("belay merge");
  });

  it("offers no merge for work that was done in place", () => {
    expect(closed({}, [EDIT], "in_place").join("\n")).not.toContain("belay merge");
  });

  it("says what waits for a person, and what to type for it", () => {
    const waiting = [waits("call_1", "npm publish"), waits("call_2", "git push\n\u001b[2Jrm x")];
    const lines = closed(
      { outcome: "needs_approval", verification: "not_applicable", exit_code: 4 },
      [],
      "clone",
      waiting,
    );
    expect(lines.slice(1, 5)).toEqual([
      "✗ needs approval",
      "             A person has to approve something; then resume.",
      "  waits      bash: npm publish (there is no sandbox)",
      expect.stringMatching(/^ {13}bash: git push ⏎ .*rm x \(there is no sandbox\)$/u),
    ]);
    expect(lines.slice(-4)).toEqual([
      "  next       belay approve call_1",
      "             belay approve call_2",
      '             belay deny call_1 --reason "…"',
      `             belay sessions show ${SESSION}`,
    ]);
  });

  it("names a bounded number of calls that wait", () => {
    const many = Array.from({ length: 12 }, (_, i) => waits(`call_${String(i)}`, "ls"));
    const lines = closed({ outcome: "needs_approval", exit_code: 4 }, [], "clone", many);
    expect(lines.filter((line) => line.includes("bash: ls"))).toHaveLength(WAITING_SHOWN_MAX);
    expect(lines.filter((line) => line.includes("belay approve call_"))).toHaveLength(WAITING_SHOWN_MAX);
    expect(lines.join("\n")).toContain("belay approvals");
  });
});
