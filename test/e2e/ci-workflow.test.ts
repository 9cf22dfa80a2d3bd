/** The example workflow's own script, under the shell of the runner: does it do what its comments say? */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { ciPlace, type CiPlace } from "../support/ci.ts";
import { BELAY } from "../support/cli.ts";

const LOOK_MS = 20;
const WORKFLOW = join(import.meta.dirname, "../../examples/github-actions/belay.yml");
const shape = z.object({
  jobs: z.object({
    agent: z.object({ steps: z.array(z.object({ id: z.string().optional(), run: z.string().optional() })) }),
  }),
});

function scriptOf(id: string): string {
  const { steps } = shape.parse(parse(readFileSync(WORKFLOW, "utf8"))).jobs.agent;
  return steps.find((one) => one.id === id)?.run ?? "exit 99";
}

/** As a runner runs a step: `bash -e` on a file. */
function step(place: CiPlace, attempt: number) {
  const script = join(place.directory, "step.sh");
  writeFileSync(script, scriptOf("agent"));
  const PATH = `${dirname(BELAY)}:${place.environment["PATH"] ?? ""}`;
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
    cwd: place.repository,
    env: { ...place.environment, PATH, GITHUB_RUN_ATTEMPT: String(attempt), TASK: "make it right; $(touch evil)" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  return {
    child,
    ended: new Promise<{ code: number | null; log: string }>((resolve) => {
      child.on("close", (code) => resolve({ code, log }));
    }),
  };
}

async function workflowPlace(first: Parameters<typeof ciPlace>[0]): Promise<CiPlace> {
  const place = await ciPlace(first);
  const lock = {
    name: "app",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "app", version: "1.0.0" } },
  };
  const test = "grep -q 'return 2' src/app.js";
  writeFileSync(
    join(place.repository, "package.json"),
    JSON.stringify({ name: "app", version: "1.0.0", scripts: { test } }),
  );
  writeFileSync(join(place.repository, "package-lock.json"), JSON.stringify(lock));
  return place;
}

const EDIT = { tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } };

describe("the step of the example workflow", () => {
  it("runs the task as it was typed, and is green when the project's own tests are", async () => {
    const place = await workflowPlace([{ call: [EDIT] }, { say: "Done." }]);
    const { code, log } = await step(place, 1).ended;
    expect(log).toContain("verification passed");
    expect(code).toBe(0);
    expect(JSON.stringify(place.emulator.requests[0]?.body)).toContain("make it right; $(touch evil)");
    expect(place.outputs()).toContain("verification=passed");
  });

  it("hands the runner's signal on, ends in good order, and the next attempt goes on from there", async () => {
    const place = await workflowPlace([{ call: [EDIT] }, { say: "Done.", fault: { silence_after_event: 0 } }]);
    const running = step(place, 1);
    while (place.emulator.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    running.child.kill("SIGINT");
    const first = await running.ended;
    expect([first.code, first.log.includes("canceled")]).toEqual([143, true]);
    const second = await step(place, 2).ended;
    expect(second.code).toBe(0);
    const sessions = [...place.outputs().matchAll(/^session=(\w+)$/gm)].map(([, session]) => session);
    expect(new Set(sessions).size).toBe(1);
    expect(sessions).toHaveLength(2);
  });
});
