/**
 * What happens when the sandbox is lost while a session runs: the program is really taken away, or made one that does not work.
 * The run ends so that it can be resumed, and no command runs without it.
 */
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Host } from "../../src/engine/host.ts";
import { resumeSession } from "../../src/engine/session.ts";
import { callTool, say, scriptedModel, type ScriptedStep } from "../../src/testing/scripted-model.ts";
import { createBwrapShell } from "../../src/workspace/sandbox/bwrap-shell.ts";
import { probeProgram, probeSandbox } from "../../src/workspace/sandbox/probe.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { testHost } from "../support/host.ts";
import { needsBubblewrap } from "../support/needs.ts";
import { eventsOf, start, testPlace, type TestPlace } from "../support/session.ts";

const REFUSES = "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n";

/** Every command leaves this, wherever it runs: outside every workspace, where only an unconfined one could write. */
const TRACE = "trace";

interface Lost {
  readonly place: TestPlace;
  readonly host: Host;
  readonly program: string;
}

/** A host whose sandbox is a program of the test's own. */
async function withOwnProgram(replies: readonly ScriptedStep[]): Promise<Lost> {
  const place = testPlace();
  const found = await probeSandbox();
  if (found.mode !== "bwrap") throw new Error("these tests need bubblewrap"); // `needsBubblewrap` has looked
  const directory = join(place.directory, "bin");
  mkdirSync(directory);
  const program = join(directory, "bwrap");
  copyFileSync(found.program, program);
  const real = await testHost({ home: place.home, model: scriptedModel(replies) });
  const host: Host = {
    ...real,
    shell: async (workspace, _mode, limits) =>
      createBwrapShell({
        root: workspace.root,
        scratch: workspace.scratch,
        readable: workspace.readable,
        tree: "own",
        protectedPaths: [],
        readableSecrets: [],
        hidden: [place.home],
        maskedPaths: [],
        home: join(place.home, "user"),
        path: process.env["PATH"] ?? "",
        environment: {},
        clock: real.clock,
        limits,
        sandbox: { ...found, program },
      }),
  };
  return { place, host, program };
}

const run = (command: string): ScriptedStep => callTool("bash", { command });

needsBubblewrap("a sandbox that is lost in the middle of a run", () => {
  const put =
    (content: string) =>
    (program: string): void => {
      writeFileSync(program, content, { mode: 0o755 });
    };
  const ways: readonly (readonly [string, (program: string) => void])[] = [
    ["is gone", () => undefined],
    ["does not start any more", put(REFUSES)],
    ["is another program, which ends at once", put("#!/bin/sh\nexit 0\n")],
  ];

  it.each(ways)("ends the run when it %s; nothing runs unconfined, and a resume goes on", async (_way, lose) => {
    const replies = (trace: string): readonly ScriptedStep[] => [
      run("echo one > one"),
      run(`echo out > ${trace}; echo two > two`),
      say("Done."),
    ];
    const trace = join(testPlace().directory, TRACE);
    const { place, host, program } = await withOwnProgram(replies(trace));
    const live = await start(host, place, { sandbox: { mode: "bwrap", network: false } });
    let lost = false;
    live.onEvents((events) => {
      if (lost || !events.some((event) => event.kind === "ToolFinished")) return;
      lost = true;
      rmSync(program);
      lose(program);
    });
    const report = await live.done;
    const failure = live.failure();
    expect([report.outcome, failure instanceof HarnessError ? failure.kind : failure]).toEqual([
      "failed",
      "sandbox_failed",
    ]);
    const events = await eventsOf(host, live.session);
    expect(events.filter((event) => event.kind === "ToolFinished").length).toBe(1);
    expect(existsSync(trace)).toBe(false);

    const found = await probeSandbox();
    if (found.mode === "bwrap") copyFileSync(found.program, program);
    const resumed = await resumeSession(host, { session: live.session, message: null, change: null });
    expect((await resumed.done).outcome).toBe("completed");
    const after = await eventsOf(host, live.session);
    expect(after.filter((event) => event.kind === "ToolFinished").length).toBe(2);
    expect(existsSync(trace)).toBe(false);
  });

  it("is told apart from one that never was", async () => {
    const place = testPlace();
    expect(await probeProgram(null)).toMatchObject({ mode: "none" });
    expect(await probeProgram(join(place.directory, "missing"))).toMatchObject({ mode: "none" });
  });
});
