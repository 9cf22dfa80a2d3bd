/**
 * The usual report, followed by every skipped test with its reason and one plain last line: `N passed, N failed, N skipped`.
 * With CI=true a skip fails the run: what was not tried there is tried nowhere. A failure is an exit code of 1 whatever else
 * in the process says: a library's exit hook once made every red run green.
 *
 * With CI=true a failing test has one more try (docs/decisions/0009). One that needs it is named. It is a failure all the
 * same where a single failure is a finding, and where too many need it.
 */
import type { SerializedError } from "vitest";
import { DefaultReporter, type TestModule, type TestRunEndReason } from "vitest/node";

/** Tests that pass on their second try only, in one run. More is a defect, of the tests or of the product. */
const FLAKY_MAX = 3;
/** What these enumerate and draw has no second try: one loss in a thousand is a loss. */
const NO_SECOND_TRY = ["contract", "crash", "security", "simulation"].map((folder) => `/test/${folder}/`);

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
    const flaky = tests.filter((test) => test.diagnostic()?.flaky === true);
    const findings = flaky.filter(({ module }) => NO_SECOND_TRY.some((folder) => module.moduleId.includes(folder)));
    for (const test of flaky) {
      const [first] = test.result().errors ?? [];
      const verdict = findings.includes(test) ? "failed: passed on its second try only" : "flaky";
      console.log(`${verdict}: ${test.fullName}${first === undefined ? "" : `\n  ${first.message}`}`);
    }
    const unstable = flaky.length > FLAKY_MAX ? flaky.length : findings.length;
    const failed = count("failed") + broken.length + errors.length + unstable;
    const skips = process.env["CI"] === "true" ? count("skipped") : 0;
    console.log(`${count("passed")} passed, ${failed} failed, ${count("skipped")} skipped`);
    if (flaky.length > FLAKY_MAX) console.error(`More than ${FLAKY_MAX} tests needed a second try.`);
    if (skips > 0) console.error("With CI=true a skipped test is a failure.");
    // The last word: also after a `process.exit(0)`.
    if (failed + skips > 0) process.once("exit", () => (process.exitCode = 1));
  }
}
