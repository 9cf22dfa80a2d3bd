/**
 * The built command, as a user types it: real HTTP to the emulator, real git, real SQLite, real processes and signals.
 */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import { environmentOf, reportIn, runCli, startCli } from "../support/cli.ts";
import { SANDBOX, testPlace } from "../support/session.ts";

/** Where the machine has no sandbox, that is said aloud, as a user would have to. */
const RUN = SANDBOX === "bwrap" ? ["run"] : ["run", "--no-sandbox"];
const PROBE_MS = 25;

async function emulate(turns: ScenarioInput["turns"]): Promise<Emulator> {
  const emulator = await startEmulator({ scenario: { turns } });
  onTestFinished(() => emulator.close());
  return emulator;
}

const EDIT: ScenarioInput["turns"] = [
  {
    say: "Editing.",
    call: [{ tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } }],
  },
  { say: "Done." },
];

describe("belay run", () => {
  it("--output json ends with one object of exactly the documented members", async () => {
    const place = testPlace();
    const emulator = await emulate(EDIT);
    const end = await runCli(
      [...RUN, "--output", "json", "--verify", "grep 'return 2' src/app.js", "fix it"],
      place,
      environmentOf(place, emulator),
    );
    expect(end.code).toBe(0);
    const report = reportIn(end);
    expect(Object.keys(report)).toEqual([
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
    expect(report).toMatchObject({ outcome: "completed", verification: "passed", exit_code: 0, turns: 2, error: null });
    expect(report.cost_usd).toBeGreaterThan(0);
    expect(readFileSync(join(place.repository, "src/app.js"), "utf8")).toContain("return 1");
    expect(readFileSync(join(report.workspace ?? "", "src/app.js"), "utf8")).toContain("return 2");
  });

  it("--output events prints every durable event in order, and deltas, a line each", async () => {
    const place = testPlace();
    const emulator = await emulate(EDIT);
    const end = await runCli([...RUN, "--output", "events", "fix it"], place, environmentOf(place, emulator));
    const lines = end.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; event?: { seq: number; kind: string } });
    const seqs = lines.flatMap((line) => (line.event ? [line.event.seq] : []));
    expect(seqs).toEqual(seqs.map((_, i) => i + 1));
    expect(lines.some((line) => line.type === "delta")).toBe(true);
    expect(lines.findLast((line) => line.event)?.event?.kind).toBe("RunEnded");
    expect(lines.at(-1)).toMatchObject({ type: "report", report: { outcome: "completed" } });
  });

  it("needs a key from the environment, and reads none from the repository", async () => {
    const place = testPlace();
    writeFileSync(join(place.repository, ".env"), "ANTHROPIC_API_KEY=sk-ant-from-the-repository\n");
    const end = await runCli([...RUN, "fix it"], place, environmentOf(place, null));
    expect(end.code).not.toBe(0);
    expect(end.stderr).toMatch(/ANTHROPIC_API_KEY/);
    expect(end.stderr.trim().split("\n").length).toBeLessThanOrEqual(3);
  });

  it("keeps the key out of the journal, the output and the commands' environment", async () => {
    const place = testPlace();
    writeFileSync(join(place.repository, "copied.txt"), "key: sk-ant-test-key-0123456789\n");
    const emulator = await emulate([
      { call: [{ tool: "bash", input: { command: "env; cat copied.txt" } }] },
      { say: "Done." },
    ]);
    const environment = { ...environmentOf(place, emulator), MY_TOKEN: "tok-abcdefghij" };
    const end = await runCli([...RUN, "--output", "events", "look"], place, environment);
    expect(end.code).toBe(0);
    expect(end.stdout).not.toContain("sk-ant-test-key-0123456789");
    expect(end.stdout).not.toContain("tok-abcdefghij");
    expect(readFileSync(join(place.home, "belay.db")).includes("sk-ant-test-key-0123456789")).toBe(false);
    expect(JSON.stringify(emulator.requests.map((request) => request.body))).not.toContain(
      "sk-ant-test-key-0123456789",
    );
  });

  it("brings a file named with @ into the task, and says which one is missing", async () => {
    const place = testPlace();
    const emulator = await emulate([{ say: "Read." }]);
    const end = await runCli([...RUN, "summarise @notes.txt"], place, environmentOf(place, emulator));
    expect(end.code).toBe(0);
    expect(JSON.stringify(emulator.requests[0]?.body)).toContain("some notes");
    const missing = await runCli([...RUN, "summarise @nothing.txt"], place, environmentOf(place, emulator));
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("nothing.txt");
  });

  it("on SIGTERM ends in good order, resumable, and nothing it started is alive", async () => {
    const place = testPlace();
    const emulator = await emulate([
      { call: [{ tool: "bash", input: { command: "echo $$ > pid; touch started; sleep 300" } }] },
      { say: "Done." },
    ]);
    const environment = environmentOf(place, emulator);
    const running = startCli([...RUN, "--output", "json", "wait"], place, environment);
    await startedCommand(place.home);
    const before = performance.now();
    running.child.kill("SIGTERM");
    const end = await running.ended;
    expect(performance.now() - before).toBeLessThan(7_000);
    expect(end.code).toBe(143);
    expect(reportIn(end)).toMatchObject({ outcome: "canceled", exit_code: 143 });
    const resumed = await runCli(["resume", "--last", "--output", "json"], place, environment);
    expect(reportIn(resumed)).toMatchObject({ outcome: "completed", session: reportIn(end).session });
  });

  it("after kill -9 in the middle of a command is resumed with every line written once", async (context) => {
    if (SANDBOX === "none") context.skip("an unconfined command is not repeated: apt-get install bubblewrap");
    const place = testPlace();
    const emulator = await emulate([
      {
        call: [
          {
            tool: "bash",
            input: { command: "touch started; for i in 1 2 3 4 5 6; do echo $i >> lines.txt; sleep 0.2; done" },
          },
        ],
      },
      { say: "Done." },
    ]);
    const environment = environmentOf(place, emulator);
    const running = startCli([...RUN, "count"], place, environment);
    await startedCommand(place.home);
    running.child.kill("SIGKILL");
    expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
    const list = await runCli(["sessions", "list", "--json"], place, environment);
    expect(list.stdout).toContain("count");
    const end = await runCli(["resume", "--output", "json"], place, environment);
    const report = reportIn(end);
    expect(report).toMatchObject({ outcome: "completed" });
    expect(readFileSync(join(report.workspace ?? "", "lines.txt"), "utf8")).toBe("1\n2\n3\n4\n5\n6\n");
  });

  it("is stopped by `belay cancel` from another terminal", async () => {
    const place = testPlace();
    const emulator = await emulate([
      { call: [{ tool: "bash", input: { command: "touch started; sleep 300" } }] },
      { say: "Done." },
    ]);
    const environment = environmentOf(place, emulator);
    const running = startCli([...RUN, "--output", "json", "wait"], place, environment);
    await startedCommand(place.home);
    const [session] = await sessionsIn(place, environment);
    const cancel = await runCli(["cancel", session ?? ""], place, environment);
    expect(cancel.code).toBe(0);
    const end = await running.ended;
    expect(reportIn(end)).toMatchObject({ outcome: "canceled", exit_code: 130 });
  });
});

describe("bringing work back", () => {
  it("diff, rollback, resume, apply and merge do what they say, and nothing else", async () => {
    const place = testPlace();
    const git = (...args: string[]): string => execFileSync("git", args, { cwd: place.repository, encoding: "utf8" });
    const emulator = await emulate([
      ...EDIT,
      { call: [{ tool: "write", input: { path: "more.txt", content: "more\n" } }] },
      { say: "More." },
    ]);
    const environment = environmentOf(place, emulator);
    expect((await runCli([...RUN, "fix it"], place, environment)).code).toBe(0);
    expect((await runCli(["diff"], place, environment)).stdout).toContain("+  return 2;");
    expect(git("status", "--short")).toBe("?? uncommitted.txt\n");

    const back = await runCli(["rollback", "--reason", "not like that"], place, environment);
    expect(back.code).toBe(0);
    expect((await runCli(["diff"], place, environment)).stdout).not.toContain("return 2");
    const more = await runCli(["resume", "--message", "write more", "--output", "json"], place, environment);
    expect(reportIn(more)).toMatchObject({ outcome: "completed" });
    expect(JSON.stringify(emulator.requests.at(-1)?.body)).toContain("not like that");

    expect((await runCli(["apply"], place, environment)).code).toBe(0);
    expect(git("status", "--short")).toBe("?? more.txt\n?? uncommitted.txt\n");
    execFileSync("rm", [join(place.repository, "more.txt")]);
    const merged = await runCli(["merge"], place, environment);
    expect(merged.code).toBe(0);
    expect(git("show", "--name-only", "--format=", "HEAD").trim()).toBe("more.txt");
    expect(git("status", "--short")).toBe("?? uncommitted.txt\n");
  });

  it("works on a directory that is no git repository", async () => {
    const place = testPlace();
    const plain = join(place.directory, "plain");
    mkdirSync(plain);
    writeFileSync(join(plain, "a.txt"), "return 1\n");
    const emulator = await emulate([
      { call: [{ tool: "edit", input: { path: "a.txt", old_string: "return 1", new_string: "return 2" } }] },
      { say: "Done." },
    ]);
    const environment = environmentOf(place, emulator);
    expect((await runCli([...RUN, "--cwd", plain, "fix it"], { ...place, repository: plain }, environment)).code).toBe(
      0,
    );
    expect(readFileSync(join(plain, "a.txt"), "utf8")).toBe("return 1\n");
    const apply = await runCli(["apply"], { ...place, repository: plain }, environment);
    expect(apply.code).toBe(0);
    expect(readFileSync(join(plain, "a.txt"), "utf8")).toBe("return 2\n");
    expect(existsSync(join(plain, ".git"))).toBe(false);
  });
});

/** Waits until the agent's command has begun: it touches `started`. */
async function startedCommand(home: string): Promise<void> {
  for (;;) {
    if (globSync("sessions/*/tree/started", { cwd: home }).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
  }
}

async function sessionsIn(
  place: ReturnType<typeof testPlace>,
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const { stdout } = await runCli(["sessions", "list", "--json"], place, environment);
  return [...new Set(stdout.match(/ses_[a-z0-9]+/g) ?? [])];
}
