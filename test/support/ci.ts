/** The command as a job of continuous integration runs it: an empty environment but for what the service sets. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { environmentOf } from "./cli.ts";
import { type Finished, type TestPlace, testPlace } from "./session.ts";

export interface CiPlace extends TestPlace {
  readonly emulator: Emulator;
  readonly environment: NodeJS.ProcessEnv;
  /** What the step's files hold. */
  summary(): string;
  outputs(): string;
}

/** GitHub's own variables; a hosted runner is a machine around belay, whatever this test runs on. */
export async function ciPlace(
  script: ScenarioInput["turns"] | ((directory: string) => ScenarioInput["turns"]),
  changes: NodeJS.ProcessEnv = {},
  finished: Finished = onTestFinished,
): Promise<CiPlace> {
  const place = testPlace(finished);
  const turns = typeof script === "function" ? script(place.directory) : script;
  const emulator = await startEmulator({ scenario: { turns } });
  finished(() => emulator.close());
  mkdirSync(join(place.home, "user"), { recursive: true });
  const [summary, output] = [join(place.directory, "summary"), join(place.directory, "output")];
  for (const path of [summary, output]) writeFileSync(path, "");
  return {
    ...place,
    emulator,
    environment: {
      ...environmentOf(place, emulator),
      CI: "true",
      GITHUB_ACTIONS: "true",
      RUNNER_ENVIRONMENT: "github-hosted",
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_OUTPUT: output,
      ...changes,
    },
    summary: () => readFileSync(summary, "utf8"),
    outputs: () => readFileSync(output, "utf8"),
  };
}
