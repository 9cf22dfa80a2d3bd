/**
 * What breaks if belay dies before, in, or after any append or effect?
 *
 * A child process is killed with SIGKILL at every point of a real session (real HTTP, git, SQLite, processes), and the
 * session is resumed. Whatever the point: every acknowledged event is still there, no effect happened twice silently, and
 * the tracked files end as in an undisturbed run. `npm run test:long` takes every point, and kills the resume too;
 * `npm test` takes a sample spread over all of them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Event } from "../../src/kernel/events/index.ts";
import { isUnknown } from "../../src/kernel/fold.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import type { SessionRow } from "../../src/store/port.ts";
import { readEvents } from "../../src/store/journal.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import { systemClock } from "../support/host.ts";
import { probeSandbox } from "../../src/workspace/sandbox-probe.ts";
import { type ChildEnd, startSessionChild } from "../support/session-child.ts";
import { LOG, makeRepository, WORK } from "./work-scenario.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
/** Only these points, to look at one again: BELAY_KILL_POINTS=16,36. */
const NAMED = process.env["BELAY_KILL_POINTS"]?.split(",").map(Number);
/** Points of the sample in `npm test`. */
const SAMPLE = 16;
const AT_ONCE = 2;

const sandbox = (await probeSandbox()).mode;
let emulator: Emulator;
const directories: string[] = [];

beforeAll(async () => {
  emulator = await startEmulator({ scenario: WORK });
});
afterAll(async () => {
  await emulator.close();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

describe("a session that is killed", () => {
  let reference: { readonly tree: string; readonly points: readonly string[]; readonly turns: number };

  beforeAll(async () => {
    const place = newPlace("reference");
    const end = await runChild(place, 0);
    expect(end.stderr).toBe("");
    expect(end.report).toMatchObject({ outcome: "completed", verification: "passed" });
    expect(readLog(end)).toBe(LOG);
    reference = {
      tree: lastTree(end),
      points: end.lines.filter((line) => line.startsWith("point ")),
      turns: end.report?.turns ?? 0,
    };
  });

  it(
    "at any point is resumed with nothing lost and nothing done twice",
    { timeout: LONG ? 3_600_000 : 300_000 },
    async (context) => {
      if (sandbox === "none") context.skip("commands are not confined without bubblewrap: apt-get install bubblewrap");
      const total = reference.points.length;
      const all = Array.from({ length: total }, (_, i) => i + 1);
      const chosen = NAMED ?? (LONG ? all : all.filter((point) => point % Math.ceil(total / SAMPLE) === 1));
      console.log(`${chosen.length} of ${total} kill points`);
      expect(total).toBeGreaterThanOrEqual(200);
      const problems: string[] = [];
      await inParallel(chosen, async (point) => {
        const place = newPlace(`kill ${point}`);
        const acknowledged: string[] = [];
        const first = await runChild(place, point);
        acknowledged.push(...acks(first));
        expect(first.killed).toBe(true);
        // In the long run the resume is killed as well, at a point that moves along.
        if (LONG) acknowledged.push(...acks(await runChild(place, 1 + ((point * 7) % 40))));
        const last = await runChild(place, 0);
        acknowledged.push(...acks(last));
        const found = await problemsOf(place, last, acknowledged, reference);
        problems.push(
          ...found.map((problem) => `killed at ${point} (${reference.points[point - 1] ?? "?"}): ${problem}`),
        );
      });
      expect(problems).toEqual([]);
    },
  );
});

interface Place {
  readonly home: string;
  readonly repository: string;
  readonly task: string;
}

function newPlace(task: string): Place {
  const directory = mkdtempSync(join(tmpdir(), "belay-crash-"));
  directories.push(directory);
  const repository = join(directory, "repository");
  makeRepository(repository);
  return { home: join(directory, "home"), repository, task };
}

function runChild(place: Place, killAt: number): Promise<ChildEnd> {
  const order = { ...place, url: emulator.url, killAt, verify: "grep -q 'return 2' src/app.js", sandbox };
  return startSessionChild(order).ended;
}

async function problemsOf(
  place: Place,
  end: ChildEnd,
  acknowledged: readonly string[],
  expected: { readonly tree: string; readonly turns: number },
): Promise<string[]> {
  if (end.report === null) return [`no report: ${end.stderr.slice(0, 500)}`];
  const problems: string[] = [];
  const { events, row } = await journalOf(place);
  if (end.report.outcome !== "completed")
    problems.push(`outcome ${end.report.outcome}: ${end.report.error?.message ?? ""}`);
  if (end.report.verification !== "passed") problems.push(`verification ${end.report.verification}`);
  if (lastTree(end) !== expected.tree) problems.push(`the files differ: ${JSON.stringify(readLog(end))}`);

  const stored = new Set(events.map((event) => `ack ${row.session} ${event.seq} ${event.hash}`));
  const lost = acknowledged.filter((line) => line.startsWith(`ack ${row.session} `) && !stored.has(line));
  if (lost.length > 0) problems.push(`${lost.length} acknowledged events lost: ${lost[0] ?? ""}`);

  const asked = events.flatMap((event) =>
    event.kind === "ModelCallFinished"
      ? event.data.parts.flatMap((part) => (part.type === "tool_use" ? [part.call] : []))
      : [],
  );
  const answered = events.flatMap((event) => (event.kind === "ToolFinished" ? [event.data.call] : []));
  if ([...asked].sort().join() !== [...answered].sort().join()) problems.push("calls and results do not agree");
  const interrupted = events.filter((event) => event.kind === "ToolFinished" && event.data.status === "interrupted");
  if (interrupted.length > 0) problems.push("a confined call was reported as interrupted");
  return problems;
}

async function journalOf(place: Place): Promise<{ readonly events: readonly Event[]; readonly row: SessionRow }> {
  const store = await openSqliteStore({ path: join(place.home, "belay.db"), clock: systemClock });
  try {
    // A session that was killed before its first event stays in the list, empty; the work is in the newest.
    const [row] = await store.listSessions({ tenant: LOCAL_TENANT, limit: 1 });
    if (row === undefined) throw new Error("there is no session");
    const events: Event[] = [];
    for await (const event of readEvents(store, LOCAL_TENANT, row.session)) if (!isUnknown(event)) events.push(event);
    return { events, row };
  } finally {
    await store.close();
  }
}

function acks(end: ChildEnd): readonly string[] {
  return end.lines.filter((line) => line.startsWith("ack "));
}

function lastTree(end: ChildEnd): string {
  return end.report?.checkpoints.at(-1)?.tree ?? "none";
}

function readLog(end: ChildEnd): string {
  return readFileSync(join(end.report?.workspace ?? "", "log.txt"), "utf8");
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
