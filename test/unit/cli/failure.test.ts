import { describe, expect, it } from "vitest";
import { exitCodeOfFailure, failureText } from "../../../src/cli/failure.ts";
import { failedObject } from "../../../src/cli/run-output.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";

const DENIED = new HarnessError("store_read_only", "The store at /x cannot be written.", "Set BELAY_HOME.", {
  cause: new TypeError("EACCES"),
});

describe("an error at the command line", () => {
  it("is one sentence about what happened and one about what to do", () => {
    expect(failureText(DENIED, false)).toBe("belay: The store at /x cannot be written.\n       Set BELAY_HOME.");
  });

  it("shows its stack and its causes only with --debug", () => {
    const text = failureText(DENIED, true);
    expect(text).toContain("HarnessError");
    expect(text).toContain("caused by: TypeError: EACCES");
  });

  it("moves no cursor, whoever wrote its words", () => {
    expect(failureText(new HarnessError("git_failed", "\u001b]0;x\u0007bad\u001b[2J", "Look."), true)).not.toContain(
      "\u001b",
    );
  });

  it("of a kind that nobody expected asks for a report", () => {
    expect(failureText(new RangeError("oops"), false)).toContain(
      "belay failed unexpectedly: oops\n       Run it again with --debug",
    );
    expect(exitCodeOfFailure(new RangeError("oops"))).toBe(1);
  });

  it("about a disk that is full is no defect of belay's, wherever it was met", () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    expect(failureText(full, false)).toMatch(/^belay: The disk is full \(ENOSPC.*\n +Free space/);
    expect(exitCodeOfFailure(full)).toBe(exitCodeOfFailure(new HarnessError("store_full", "a.", "b.")));
  });

  it("has an exit code that tells a scheduler whether to come back", () => {
    const code = (kind: HarnessError["kind"]): number => exitCodeOfFailure(new HarnessError(kind, "a.", "b."));
    expect([code("usage"), code("session_not_found"), code("lease_held"), code("store_corrupt")]).toEqual([
      2, 2, 75, 1,
    ]);
  });

  it("is an object of the same shape as a report for programs", () => {
    expect(Object.keys(failedObject({ kind: "usage", happened: "a.", todo: "b." }))).toEqual([
      "session",
      "run",
      "outcome",
      "verification",
      "exit_code",
      "turns",
      "usage",
      "cost_usd",
      "unknown_cost_usd",
      "budget_left",
      "cache_read_share",
      "context",
      "model_switches",
      "waits",
      "duration_ms",
      "workspace",
      "branch",
      "checkpoints",
      "error",
      "waiting",
      "review",
    ]);
  });
});
