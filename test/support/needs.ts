/** What a machine must have for a test, and what is said where it has not: skipped in plain sight, or failed in CI. */
import { describe, it, type TestContext } from "vitest";
import { findProgram } from "../../src/workspace/process/programs.ts";
import { probeSandbox } from "../../src/workspace/sandbox/probe.ts";

const sandbox = await probeSandbox();

/** A suite that really confines commands. With `CI=true` a machine without bubblewrap fails it. */
export function needsBubblewrap(name: string, define: () => void): void {
  if (sandbox.mode === "bwrap") {
    describe(name, define);
    return;
  }
  const how = `${sandbox.reason}; install: ${sandbox.install}`;
  if (process.env["CI"] === "true") {
    describe(name, () => {
      it("needs bubblewrap", () => {
        throw new Error(`With CI=true nothing is skipped: ${how}`);
      });
    });
    return;
  }
  console.warn(`SKIPPED ${name}: ${how}`);
  // reason: the machine has no working bubblewrap; the name and the line above say how to get it
  describe.skip(`${name} [skipped: ${how}]`, define);
}

/** Within a test: skips it with a note where a program is missing, or fails it in CI. @param install what puts it there */
export function needsProgram(context: TestContext, name: string, install: string): void {
  if (findProgram(name, process.env["PATH"] ?? "") !== null) return;
  const how = `${name} is not installed; install: ${install}`;
  if (process.env["CI"] === "true") throw new Error(`With CI=true nothing is skipped: ${how}`);
  console.warn(`SKIPPED ${context.task.name}: ${how}`);
  context.skip(how);
}
