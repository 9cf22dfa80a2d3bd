/** The built command and batches, as a user types it: real HTTP to the emulator, real files, real processes and signals. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { type CliEnd, environmentOf, runCli, startCli } from "../support/cli.ts";
import { testPlace } from "../support/session.ts";

const MANY_JOBS = 60;
/** What the worst case of so many jobs is more than twice: a part under this cap has 25 of them. */
const THREE_PARTS_USD = "0.262";
/** From the submission of a part on: a signal comes sooner. Milliseconds. */
const ANSWERED_AFTER_MS = 1_500;

type Run = (...args: readonly string[]) => Promise<CliEnd>;

interface World {
  readonly emulator: Emulator;
  readonly belay: Run;
  readonly start: (...args: readonly string[]) => ReturnType<typeof startCli>;
  readonly home: string;
}

const JOBS = 5;
/** The longest wait between two looks: the tests' own patience. Milliseconds. */
const SOON = ["--poll-ms", "40"];
/** Nobody waits for the second look: a signal comes first. */
const LATE = ["--poll-ms", "3600000"];

async function world(batches: ScenarioInput["batches"] = {}, jobs = JOBS): Promise<World> {
  const place = testPlace();
  const emulator = await startEmulator({ scenario: { batches } });
  onTestFinished(() => emulator.close());
  const lines = Array.from({ length: jobs }, (_, n) => JSON.stringify({ id: `job-${n}`, prompt: `say ${n}` }));
  writeFileSync(join(place.repository, "jobs.jsonl"), `${lines.join("\n")}\n`);
  const environment = environmentOf(place, emulator);
  return {
    emulator,
    home: place.home,
    belay: (...args) => runCli(args, place, environment),
    start: (...args) => startCli(args, place, environment),
  };
}

interface Result {
  readonly id: string;
  readonly ok: boolean;
  readonly error?: { readonly kind: string };
}

async function resultsOf(belay: Run, id: string, ...more: readonly string[]): Promise<readonly Result[]> {
  const { code, stdout } = await belay("batch", "results", id, ...more);
  expect(code).toBe(0);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Result); // printed by the command under test
}

async function batches(belay: Run): Promise<readonly { readonly batch: string; readonly state: string }[]> {
  const { stdout } = await belay("batch", "list", "--json");
  return JSON.parse(stdout) as { batch: string; state: string }[]; // printed by the command under test
}

async function onlyBatch(belay: Run): Promise<string> {
  const [first, ...others] = await batches(belay);
  expect(others).toEqual([]);
  return first?.batch ?? "";
}

describe("belay batch", () => {
  it("plans without a request, runs with its progress in a log, and prints every result", async () => {
    const { belay, emulator } = await world({ polls: 2 });
    const plan = await belay("batch", "plan", "jobs.jsonl");
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout).toContain("batch at most");
    expect(emulator.requests).toEqual([]);

    const run = await belay("batch", "run", "jobs.jsonl", ...SOON);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("part 1 is submitted");
    expect(run.stdout).toContain("5 of 5 jobs answered, 0 failed");
    expect(run.stdout).not.toContain("\u001b");
    expect(run.stderr).toMatch(/^belay: 5 jobs, likely \$[\d.]+ \(live \$[\d.]+\), at most \$[\d.]+\.\n$/);

    const id = await onlyBatch(belay);
    expect((await resultsOf(belay, id)).map((result) => result.id).sort()).toEqual(
      Array.from({ length: JOBS }, (_, n) => `job-${n}`),
    );
    expect((await belay("batch", "status", id)).stdout).toContain("completed");
    expect((await belay("batch", "resume", id)).code).toBe(0);
    expect(emulator.batches().requests).toBe(JOBS);
  });

  it("says with --json what it came to in one object, and nothing else on standard output", async () => {
    const { belay } = await world();
    const { code, stdout, stderr } = await belay("batch", "run", "jobs.jsonl", "--json", ...SOON);
    expect(code).toBe(0);
    expect(stdout.trim().split("\n").length).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ended: true,
      outcome: "completed",
      exit_code: 0,
      jobs: JOBS,
      answered: JOBS,
      failed: 0,
      error: null,
    });
    expect(stderr).toContain("part 1 is submitted");
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "on %s stops watching and ends with %i; `batch resume` collects, and sends nothing anew",
    async (signal, code) => {
      const { belay, start, emulator } = await world({ polls: 2 });
      const running = start("batch", "run", "jobs.jsonl", ...LATE);
      await running.until("is submitted");
      running.child.kill(signal);
      const end = await running.ended;
      expect(end).toMatchObject({ code, signal: null });
      const id = await onlyBatch(belay);
      expect(end.stdout).toContain(`belay batch resume ${id}`);
      expect(await batches(belay)).toMatchObject([{ state: "under_way" }]);
      expect((await belay("batch", "status", id)).stdout).toContain("part 1: 5 jobs, submitted as");

      const resumed = await belay("batch", "resume", id, ...SOON);
      expect(resumed.code).toBe(0);
      expect((await resultsOf(belay, id)).length).toBe(JOBS);
      expect(emulator.batches()).toMatchObject({ requests: JOBS, custom_ids_repeated: [], paid_twice: [] });
    },
  );

  it("killed five times with SIGKILL has one result for each job, and was handed in once", async () => {
    const { belay, start, emulator } = await world({ delay_ms: ANSWERED_AFTER_MS }, MANY_JOBS);
    // Each time where nothing is being submitted: what was cut off there is looked for only after half an hour.
    const first = start("batch", "run", "jobs.jsonl", "--budget", THREE_PARTS_USD, ...SOON);
    await first.until("part 1 is submitted");
    first.child.kill("SIGKILL");
    expect(await first.ended).toMatchObject({ signal: "SIGKILL" });
    const id = await onlyBatch(belay);
    for (const seen of [`/${MANY_JOBS} jobs`, "part 2 is submitted", "part 3 is submitted", `/${MANY_JOBS} jobs`]) {
      const running = start("batch", "resume", id, ...SOON);
      await running.until(seen);
      running.child.kill("SIGKILL");
      expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
    }
    expect((await belay("batch", "resume", id, ...SOON)).code).toBe(0);
    const results = await resultsOf(belay, id);
    expect([results.length, new Set(results.map((one) => one.id)).size]).toEqual([MANY_JOBS, MANY_JOBS]);
    expect(emulator.batches()).toMatchObject({
      batches: 3,
      requests: MANY_JOBS,
      custom_ids_repeated: [],
      paid_twice: [],
    });
    expect((await belay("replay", id)).code).toBe(0);
  });

  it("hands in again what failed for now, and ends with 1 where a job cannot be mended", async () => {
    const { belay, emulator } = await world({
      errored: [
        { custom_id: "-1-1-2", error: "overloaded" },
        { custom_id: "-1-1-3", error: "invalid_request" },
      ],
    });
    expect((await belay("batch", "run", "jobs.jsonl", ...SOON)).code).toBe(1);
    const id = await onlyBatch(belay);
    expect(await resultsOf(belay, id, "--failed")).toMatchObject([{ id: "job-3", ok: false }]);
    expect((await resultsOf(belay, id)).length).toBe(JOBS);
    expect(emulator.batches().requests).toBe(JOBS + 1);
  });

  it("submitted with --detach is canceled at the provider, also by another process", async () => {
    const { belay, emulator } = await world({ delay_ms: 600_000 });
    const run = await belay("batch", "run", "jobs.jsonl", "--detach");
    expect(run.code).toBe(0);
    const id = await onlyBatch(belay);
    expect(run.stdout).toContain(`belay batch resume ${id}`);
    expect(emulator.batches().requests).toBe(JOBS);
    expect((await belay("batch", "cancel", id)).code).toBe(0);
    expect((await resultsOf(belay, id)).map(({ error }) => error?.kind)).toEqual(Array(JOBS).fill("canceled"));
    expect(await batches(belay)).toMatchObject([{ state: "canceled" }]);
    expect((await belay("batch", "cancel", id)).code).toBe(0);
  });

  it("ends with 6 at its cap, says so, and goes on with a higher one", async () => {
    const { belay } = await world();
    const refused = await belay("batch", "run", "jobs.jsonl", "--budget", "0.0001");
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/belay batch resume ses_\w+ --budget/);
    const id = await onlyBatch(belay);
    expect((await belay("batch", "resume", id, "--budget", "1", ...SOON)).code).toBe(0);
    expect((await resultsOf(belay, id)).length).toBe(JOBS);
  });

  it("names lines that are no jobs and starts nothing; --skip-bad leaves them out", async () => {
    const { belay, emulator } = await world();
    const place = testPlace();
    const path = join(place.directory, "bad.jsonl");
    writeFileSync(path, '{"prompt":"say a"}\n{"prompt":7}\n');
    const refused = await belay("batch", "run", path);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("line 2");
    expect(await batches(belay)).toEqual([]);
    expect(emulator.requests).toEqual([]);
    expect((await belay("batch", "run", path, "--skip-bad", ...SOON)).code).toBe(0);
    expect((await resultsOf(belay, await onlyBatch(belay))).length).toBe(1);
  });

  it("gathers runs that can wait, and hands them in as one batch", async () => {
    const { belay, emulator } = await world({ polls: 2 });
    const first = await belay("run", "--defer", "say one");
    const second = await belay("run", "--defer", "say two");
    expect([first.code, second.code]).toEqual([0, 0]);
    const ids = [first.stdout.trim(), second.stdout.trim()];
    expect(ids).toEqual([expect.stringMatching(/^job_\w+$/), expect.stringMatching(/^job_\w+$/)]);
    expect(await belay("batch", "results", ids[0] ?? "")).toMatchObject({ code: 75, stdout: "" });
    expect(emulator.requests).toEqual([]);

    const flush = await belay("batch", "flush", "--now");
    expect(flush.code).toBe(0);
    expect(flush.stdout).toContain("No job waits.");
    expect(emulator.batches().requests).toBe(2);
    for (const id of ids) expect(await belay("batch", "results", id)).toMatchObject({ code: 0, stderr: "" });
    const [answer, other] = await Promise.all(ids.map((id) => belay("batch", "results", id)));
    expect(answer?.stdout).toMatch(/^echo \w+\n$/);
    expect(other?.stdout).not.toBe(answer?.stdout);
  });
});

describe("what is done with a session", () => {
  it("is refused for a batch in words that name its own command, and nothing is written", async () => {
    const { belay, home } = await world();
    expect((await belay("batch", "run", "jobs.jsonl", ...SOON)).code).toBe(0);
    const id = await onlyBatch(belay);
    const journal = await belay("sessions", "export", id);
    const commands = [
      ["resume", id, "--message", "and now?"],
      ["diff", id],
      ["sessions", "export", id, "-o", join(home, "out.belay")],
    ];
    for (const command of commands) {
      const end = await belay(...command);
      expect({ command, code: end.code }).toEqual({ command, code: 2 });
      expect(end.stderr).toContain(`belay batch resume ${id}`);
    }
    const canceled = await belay("cancel", id);
    expect(canceled).toMatchObject({ code: 2, stderr: expect.stringContaining(`belay batch cancel ${id}`) as string });
    expect((await belay("sessions", "export", id)).stdout).toBe(journal.stdout);
    expect(await belay("replay", id)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("replayed to the byte") as string,
    });
    expect((await belay("sessions", "show", id)).code).toBe(0);
  });

  it("means the last session of a directory where none is named, and never a batch", async () => {
    const { belay } = await world();
    expect((await belay("batch", "run", "jobs.jsonl", ...SOON)).code).toBe(0);
    expect(await belay("diff")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("No session was started") as string,
    });
  });
});
