/** What a machine must have for a test, and what is said where it has not: skipped in plain sight, or failed in CI. */
import { describe, it } from "vitest";
import { probeSandbox } from "../../src/workspace/sandbox-probe.ts";

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
