/**
 * `npm run demo`: the main job, with no key and no set-up. A small repository with a failing test, a model server on this
 * machine that answers from a script, and the real `belay` against it: a run to its end, then one that is killed with
 * SIGKILL in the middle of a command, and resumed. Everything stays in a directory of its own.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "../src/testing/emulator/emulator.ts";
import { probeSandbox } from "../src/workspace/sandbox/probe.ts";
import { DEMO_SCENARIO, ENTRIES, FIX_TASK, LOG_FILE, LOG_TASK } from "./demo-scenario.ts";

const BELAY = join(import.meta.dirname, "..", "bin", "belay");
/** The second run is killed when its command has written so much. */
const KILL_AFTER_ENTRIES = 4;
const POLL_MS = 40;
const KILL_WAIT_MS_MAX = 20_000;

const bold = process.stdout.isTTY
  ? (text: string): string => `\u001b[1m${text}\u001b[22m`
  : (text: string): string => text;
const say = (text = ""): void => console.log(text);
const heading = (text: string): void => say(`\n${bold(`── ${text} `.padEnd(78, "─"))}\n`);

interface Demo {
  readonly directory: string;
  readonly repository: string;
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Added to `belay run`. */
  readonly flags: readonly string[];
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "belay-demo-"));
  const repository = join(directory, "project");
  const home = join(directory, "home");
  const sandbox = await probeSandbox();
  const emulator = await startEmulator({ scenario: DEMO_SCENARIO });
  const demo: Demo = {
    directory,
    repository,
    home,
    environment: { ...process.env, BELAY_HOME: home, ANTHROPIC_API_KEY: "demo-key", ANTHROPIC_BASE_URL: emulator.url },
    flags: sandbox.mode === "bwrap" ? [] : ["--no-sandbox"],
  };
  try {
    heading("1. A small repository with a failing test");
    makeRepository(demo);
    if (sandbox.mode === "none") warnUnsandboxed(sandbox.reason, sandbox.install);
    heading("2. belay run: the agent fixes it, in a private clone");
    await fixTheTest(demo);
    heading("3. kill -9 in the middle of a command");
    await killInTheMiddle(demo);
    heading("4. belay resume");
    await resume(demo, sandbox.mode === "bwrap");
    closing(demo);
  } finally {
    await emulator.close();
  }
}

function makeRepository({ repository }: Demo): void {
  mkdirSync(repository, { recursive: true });
  writeFileSync(join(repository, "sum.js"), "exports.sum = (numbers) => numbers.reduce((a, b) => a - b, 0);\n");
  writeFileSync(
    join(repository, "sum.test.js"),
    `const { test } = require("node:test");
const assert = require("node:assert");
const { sum } = require("./sum.js");

test("the sum of 1, 2 and 3 is 6", () => assert.equal(sum([1, 2, 3]), 6));
`,
  );
  const git = (...args: string[]): void => {
    const identity = ["-c", "user.name=Demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"];
    const { status, stderr } = spawnSync("git", [...identity, ...args], { cwd: repository, encoding: "utf8" });
    if (status !== 0) throw new Error(`git ${args.join(" ")} failed: ${stderr}`);
  };
  git("init", "-q");
  git("add", "-A");
  git("commit", "-q", "-m", "A sum that is wrong");
  say(`${repository}`);
  say("$ node --test");
  const { status } = spawnSync(process.execPath, ["--test"], { cwd: repository, stdio: "ignore" });
  say(status === 0 ? "the test passes?!" : "✗ the sum of 1, 2 and 3 is 6   (1 failing test)");
}

function warnUnsandboxed(reason: string, install: string): void {
  say(bold("\n!! This machine has no working sandbox, so the demo's commands run UNSANDBOXED,"));
  say(`!! in the demo's own temporary directory only. Reason: ${reason}.`);
  say(`!! To see it confined: ${install}`);
}

async function fixTheTest(demo: Demo): Promise<void> {
  const status = await finished(belay(demo, "run", FIX_TASK, "--verify", "node --test", ...demo.flags));
  if (status !== 0) throw new Error(`belay run ended with ${status}`);
}

async function killInTheMiddle(demo: Demo): Promise<void> {
  say(`The command writes ${ENTRIES} lines, slowly. It is killed after ${KILL_AFTER_ENTRIES}.\n`);
  const child = belay(demo, "run", LOG_TASK, ...demo.flags);
  const ended = finished(child);
  const deadline = performance.now() + KILL_WAIT_MS_MAX;
  while (entries(demo) < KILL_AFTER_ENTRIES && performance.now() < deadline) await pause(POLL_MS);
  child.kill("SIGKILL");
  await ended;
  say(`\n\n${bold("✗ killed.")} ${LOG_FILE} in the workspace has ${entries(demo)} of ${ENTRIES} lines.`);
}

async function resume(demo: Demo, confined: boolean): Promise<void> {
  say(
    confined
      ? "The command was confined, so what it did is undone and it runs again: every line once.\n"
      : "The command was not confined, so belay does not repeat it: the agent is told, looks, and writes the rest.\n",
  );
  const status = await finished(belay(demo, "resume", "--last"));
  if (status !== 0) throw new Error(`belay resume ended with ${status}`);
  const lines = entryLines(demo);
  const expected = Array.from({ length: ENTRIES }, (_, i) => `entry ${i + 1}`);
  if (lines.join() !== expected.join()) throw new Error(`the lines are not each there once: ${lines.join()}`);
  say(`\n${bold("✓")} ${LOG_FILE} has ${lines.length} lines, each of them once.`);
}

function closing({ home, repository }: Demo): void {
  heading("What to type next");
  say(`The journal of both sessions is ${join(home, "belay.db")}.\n`);
  say(`  export BELAY_HOME=${home}`);
  say(`  cd ${repository}`);
  say(`  ${BELAY} sessions list          both sessions`);
  say(`  ${BELAY} sessions show          the last one, told like a story`);
  say(`  ${BELAY} errors                 every failure and what is done about it`);
  say(`\nWith a key it is real:\n\n  export ANTHROPIC_API_KEY=…`);
  say(`  ${BELAY} run "add a mean function, with tests" --verify "node --test"\n`);
}

function belay(demo: Demo, ...args: string[]): ChildProcess {
  const shown = args.map((arg) => (/^[\w./-]+$/.test(arg) ? arg : JSON.stringify(arg)));
  say(`${bold(`$ belay ${shown.join(" ")}`)}`);
  // Nothing is typed into the demo: without this the end of a run would ask what to do with the work.
  return spawn(BELAY, args, { cwd: demo.repository, env: demo.environment, stdio: ["ignore", "inherit", "inherit"] });
}

function finished(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code));
  });
}

function entries(demo: Demo): number {
  return entryLines(demo).length;
}

/** The lines of the newest session's file. */
function entryLines({ home }: Demo): readonly string[] {
  const sessions = join(home, "sessions");
  const newest = existsSync(sessions) ? readdirSync(sessions).sort().at(-1) : undefined;
  const file = newest === undefined ? undefined : join(sessions, newest, "tree", LOG_FILE);
  if (file === undefined || !existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").filter(Boolean);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

await main();
