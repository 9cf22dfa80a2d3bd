/**
 * The usual report, followed by every skipped test with its reason and one plain last line: `N passed, N failed, N skipped`.
 * With CI=true a skip fails the run: what was not tried there is tried nowhere.
 */
import type { SerializedError } from "vitest";
import { DefaultReporter, type TestModule, type TestRunEndReason } from "vitest/node";

export default class ClosingReporter extends DefaultReporter {
  override onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    // the caller's array is not changed by the parent; its signature is only narrower in later versions
    super.onTestRunEnd([...modules], [...errors], reason);
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const states = tests.map((test) => test.result());
    const count = (state: "passed" | "failed" | "skipped"): number =>
      states.filter((result) => result.state === state).length;
    // A file that does not load has no tests and still is a failure.
    const broken = modules.filter(
      (module) => module.state() === "failed" && [...module.children.allTests("failed")].length === 0,
    );
    for (const test of tests) {
      const result = test.result();
      if (result.state !== "skipped") continue;
      console.log(`skipped: ${test.fullName}${result.note === undefined ? "" : ` (${result.note})`}`);
    }
    console.log(
      `${count("passed")} passed, ${count("failed") + broken.length + errors.length} failed, ${count("skipped")} skipped`,
    );
    if (process.env["CI"] === "true" && count("skipped") > 0) {
      console.error("With CI=true a skipped test is a failure.");
      process.exitCode = 1;
    }
  }
}
