/**
 * What happens when a job is told to end, in every state a run can be in? It must end in good order before its supervisor
 * kills it: the report is printed (a run that is left after `STOP_LIMIT_MS` prints none), nothing it started is alive, and
 * the session goes on from there.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXIT_TABLE } from "../../src/kernel/outcome.ts";
import { TOGETHER_MS } from "../../src/cli/signals.ts";
import { findProgram } from "../../src/workspace/process/programs.ts";
import { isRunning, statOf } from "../../src/workspace/process/table.ts";
import { ciPlace, type CiPlace } from "../support/ci.ts";
import type { Finished } from "../support/session.ts";
import { type CliEnd, type CliProcess, reportIn, runCli, startCli } from "../support/cli.ts";

const RUN = ["run", "--sandbox", "external", "--output", "json"];
const LOOK_MS = 20;
/** Deaf to every signal but KILL. It leaves its pid where the test looks. */
const deaf = (pid_file: string): string =>
  `trap '' TERM INT HUP; echo $$ > ${pid_file}.new; mv ${pid_file}.new ${pid_file}; while :; do sleep 1; done`;

async function until(come: () => boolean): Promise<void> {
  while (!come()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

interface State {
  readonly name: string;
  readonly turns: Parameters<typeof ciPlace>[0];
  readonly words: (place: CiPlace) => readonly string[];
  readonly environment?: (place: CiPlace) => NodeJS.ProcessEnv;
  /** Whether the run is in that state. */
  readonly reached: (place: CiPlace) => boolean;
}

const SLOW_GIT = `#!/bin/sh
case "$*" in *update-index*) echo $$ > "$BELAY_TEST_PID.new"; mv "$BELAY_TEST_PID.new" "$BELAY_TEST_PID"; exec sleep 300;; esac
exec REAL "$@"
`;

/** A git that hangs in the middle of making the workspace. belay hands git no environment, so the path is written in. */
function withSlowGit(place: CiPlace): NodeJS.ProcessEnv {
  const bin = join(place.directory, "bin");
  mkdirSync(bin, { recursive: true });
  const real = findProgram("git", process.env["PATH"] ?? "") ?? "git";
  const script = SLOW_GIT.replace("REAL", real).replaceAll("$BELAY_TEST_PID", join(place.directory, "pid"));
  writeFileSync(join(bin, "git"), script);
  chmodSync(join(bin, "git"), 0o755);
  return { ...place.environment, PATH: `${bin}:${place.environment["PATH"] ?? ""}` };
}

const pidFile = (place: CiPlace): string => join(place.directory, "pid");
const isStarted = (place: CiPlace): boolean => existsSync(pidFile(place));
/** Of what the run has started and must end. */
function isAlive(place: CiPlace): boolean {
  const stat = isStarted(place) ? statOf(Number(readFileSync(pidFile(place), "utf8"))) : null;
  return stat !== null && isRunning(stat);
}

const STATES: readonly State[] = [
  {
    name: "waiting for the model",
    turns: [{ say: "Done.", fault: { silence_after_event: 0 } }],
    words: () => ["work"],
    reached: (place) => place.emulator.requests.length > 0,
  },
  {
    name: "waiting to try again",
    turns: [{ say: "Done.", fault: { status: 529, retry_after: 3 } }],
    words: () => ["work"],
    reached: (place) => place.emulator.requests.length > 0,
  },
  {
    name: "making the workspace",
    turns: [{ call: [{ tool: "read", input: { path: "notes.txt" } }] }, { say: "Done." }],
    words: () => ["work"],
    environment: withSlowGit,
    reached: isStarted,
  },
  {
    name: "in set-up that is deaf to signals",
    turns: [{ call: [{ tool: "read", input: { path: "notes.txt" } }] }, { say: "Done." }],
    words: (place) => ["--setup", `test -e ${pidFile(place)} || { ${deaf(pidFile(place))}; }`, "work"],
    reached: isStarted,
  },
  {
    name: "in verification that is deaf to signals",
    turns: [
      { call: [{ tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } }] },
      { say: "Done." },
    ],
    words: (place) => ["--verify", `test -e ${pidFile(place)} || { ${deaf(pidFile(place))}; }`, "work"],
    reached: isStarted,
  },
];

async function stopped(
  state: State,
  signal: NodeJS.Signals,
  finished: Finished,
): Promise<{ place: CiPlace; end: CliEnd }> {
  const place = await ciPlace(state.turns, {}, finished);
  const environment = state.environment?.(place) ?? place.environment;
  const running = startCli([...RUN, ...state.words(place)], place, environment);
  await until(() => state.reached(place));
  running.child.kill(signal);
  const end = await running.ended;
  expect(isAlive(place)).toBe(false);
  return { place, end };
}

describe.concurrent("a run that is told to end by SIGTERM", () => {
  it.for(STATES)("$name ends in good order and can be resumed", async (state, { onTestFinished }) => {
    const { place, end } = await stopped(state, "SIGTERM", onTestFinished);
    expect(end.code).toBe(EXIT_TABLE.terminated.code);
    expect(reportIn(end)).toMatchObject({ outcome: "canceled", exit_code: 143 });
    const resumed = await runCli(["resume", "--last", "--output", "json"], place, place.environment);
    expect(reportIn(resumed)).toMatchObject({ outcome: "completed", session: reportIn(end).session });
  });

  it("in a command that is deaf to signals keeps what is finished, and cancels what is not", async ({
    onTestFinished,
  }) => {
    const place = await ciPlace(
      (directory) => [
        {
          call: [
            { tool: "read", input: { path: "notes.txt" } },
            { tool: "bash", input: { command: deaf(join(directory, "pid")) } },
            { tool: "bash", input: { command: "touch never" } },
          ],
        },
        { say: "Done." },
      ],
      {},
      onTestFinished,
    );
    const running = startCli([...RUN, "--output", "events", "work"], place, place.environment);
    await until(() => isStarted(place));
    running.child.kill("SIGTERM");
    const end = await running.ended;
    expect(end.code).toBe(143);
    expect(isAlive(place)).toBe(false);
    const statuses = [...end.stdout.matchAll(/"kind":"ToolFinished".*?"status":"(\w+)"/g)].map(([, status]) => status);
    expect(statuses).toEqual(["ok", "canceled", "canceled"]);
    expect(existsSync(join(place.repository, "never"))).toBe(false);
    const resumed = await runCli(["resume", "--last", "--output", "json"], place, place.environment);
    expect(reportIn(resumed)).toMatchObject({ outcome: "completed" });
  });
});

describe.concurrent("a run", () => {
  it("that waits for its task on stdin leaves at once", async ({ onTestFinished }) => {
    const place = await ciPlace([{ say: "Done." }], {}, onTestFinished);
    const running = startCli([...RUN, "-"], place, place.environment, null);
    await listens(running);
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(143);
  });

  it("leaves at once at the second signal, nothing of it stays alive, and it can be resumed", async ({
    onTestFinished,
  }) => {
    const place = await ciPlace(
      (directory) => [{ call: [{ tool: "bash", input: { command: deaf(join(directory, "pid")) } }] }, { say: "Done." }],
      {},
      onTestFinished,
    );
    const running = startCli([...RUN, "work"], place, place.environment);
    await until(() => isStarted(place));
    const asked = stderrOf(running, "stopping;");
    running.child.kill("SIGINT");
    await asked;
    await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS));
    running.child.kill("SIGTERM");
    const end = await running.ended;
    expect(end.code).toBe(130);
    expect(end.stdout).toBe(""); // no report: it did not wait
    expect(end.stderr).toContain("belay resume ses_");
    await until(() => !isAlive(place)); // the command's own watch ends it when belay is gone
    const resumed = await runCli(["resume", "--last", "--output", "json"], place, place.environment);
    expect(reportIn(resumed)).toMatchObject({ outcome: "completed" });
  });

  it.for(["SIGHUP", "SIGINT"] as const)("ends in good order at %s", async (signal, { onTestFinished }) => {
    const [state] = STATES;
    if (state === undefined) throw new Error("there is a first state");
    const { end } = await stopped(state, signal, onTestFinished);
    expect(reportIn(end)).toMatchObject({ outcome: "canceled", exit_code: signal === "SIGINT" ? 130 : 143 });
  });

  it("ends when the reader of its output is gone, and can be resumed", async ({ onTestFinished }) => {
    const place = await ciPlace(
      [
        { call: [{ tool: "bash", input: { command: "while test ! -e ../enough; do echo more; sleep 0.1; done" } }] },
        { say: "Done." },
      ],
      {},
      onTestFinished,
    );
    const running = startCli(["run", "--sandbox", "external", "work"], place, place.environment);
    await running.until("session ses_");
    running.child.stdout?.destroy();
    expect((await running.ended).code).toBe(143);
    writeFileSync(join(place.directory, "enough"), "");
    const resumed = await runCli(["resume", "--last", "--output", "json"], place, place.environment);
    expect(reportIn(resumed)).toMatchObject({ outcome: "completed" });
  });
});

/** The kernel says which signals a process takes; this one nobody but belay does. */
async function listens({ child }: CliProcess): Promise<void> {
  const SIGHUP_BIT = 1n;
  await until(() => {
    const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${caught}`) & SIGHUP_BIT) !== 0n;
  });
}

/** Resolves when it has said that. */
function stderrOf({ child }: CliProcess, text: string): Promise<void> {
  let seen = "";
  return new Promise((resolve) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes(text)) resolve();
    });
  });
}
