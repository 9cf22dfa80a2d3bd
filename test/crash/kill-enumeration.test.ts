/**
 * What breaks if belay dies before, in, or after any append or effect?
 *
 * A child process is killed with SIGKILL at every point of a real session (real HTTP, git, processes, SQLite or PostgreSQL),
 * its resume is killed too, and then the session is resumed to its end. Whatever the point: every acknowledged event is still
 * there, no effect happened twice, every call has exactly one result, and the files end as in an undisturbed run.
 *
 * `npm run test:long` takes every point of every scenario on both stores; `npm test` a sample, drawn with BELAY_KILL_SEED.
 * To look at single points again: BELAY_KILL_POINTS=work/sqlite/16,merge/postgres/40.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import { probeSandbox } from "../../src/workspace/sandbox/probe.ts";
import { type ChildEnd, type ChildProgram, startSessionChild } from "../support/session-child.ts";
import { BACK_ENDS, type BackEnd } from "./back-ends.ts";
import { bundledChild } from "./bundled-child.ts";
import { type CrashPlace, crashPlace, type Remains, remainsOf } from "./crash-place.ts";
import { problemsIn } from "./invariants.ts";
import { chosenPoints, POINTS_MIN, type Selection, selectionOf } from "./selection.ts";
import { type CrashScenario, SCENARIOS } from "./scenarios.ts";

const AT_ONCE = 2;
/** Between two lines of progress. Points. */
const PROGRESS_EVERY = 50;
/** The second kill moves along the resume; a resume that ends before is not killed. */
const SECOND_KILL_MAX = 40;

const sandbox = (await probeSandbox()).mode;
const selection: Selection = selectionOf(process.env, SCENARIOS, BACK_ENDS);
const directory = mkdtempSync(join(tmpdir(), "belay-kill-"));
const counts = { points: 0, kills: 0, acknowledged: 0 };
let program: ChildProgram;

beforeAll(async () => {
  program = await bundledChild(join(directory, "child"));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  console.log(
    `kill enumeration (${selection.how}): ${counts.points} points, ${counts.kills} kills, ${counts.acknowledged} acknowledged events looked for`,
  );
});

describe("a session that is killed at any point is resumed with nothing lost and nothing done twice", () => {
  for (const { scenario, backEnd } of selection.combinations) {
    it(`${scenario.name} on ${backEnd.name}`, { timeout: 3_600_000 }, async (context) => {
      if (sandbox === "none") context.skip("commands are not confined without bubblewrap: apt-get install bubblewrap");
      const emulator = await startEmulator({ scenario: scenario.script });
      try {
        await enumerate({ scenario, backEnd, emulator });
      } finally {
        await emulator.close();
      }
    });
  }

  if (selection.all) {
    it(`and there are at least ${POINTS_MIN} points`, () => {
      expect(counts.points).toBeGreaterThanOrEqual(POINTS_MIN);
    });
  }
});

interface Combination {
  readonly scenario: CrashScenario;
  readonly backEnd: BackEnd;
  readonly emulator: Emulator;
}

async function enumerate(combination: Combination): Promise<void> {
  const { scenario, backEnd } = combination;
  const { remains: reference, points } = await undisturbed(combination);
  expect(points.length).toBeGreaterThanOrEqual(scenario.pointsMin);
  const chosen = chosenPoints(selection, scenario, backEnd, points.length);
  const problems: string[] = [];
  let done = 0;
  await inParallel(chosen, async (point) => {
    const found = await killedAt(combination, point, reference);
    const named = found.map(
      (problem) => `${scenario.name}/${backEnd.name}/${point} (${points[point - 1] ?? "?"}): ${problem}`,
    );
    for (const problem of named) console.log(problem); // at once: the whole takes long
    problems.push(...named);
    counts.points += 1;
    done += 1;
    if (done % PROGRESS_EVERY === 0) console.log(`${scenario.name}/${backEnd.name}: ${done} of ${chosen.length}`);
  });
  console.log(
    `${scenario.name}/${backEnd.name}: ${chosen.length} of ${points.length} points, ${problems.length} problems`,
  );
  expect(problems).toEqual([]);
}

/** The same session without a kill: its points, and what it leaves. */
async function undisturbed({ scenario, backEnd, emulator }: Combination): Promise<{
  readonly remains: Remains;
  readonly points: readonly string[];
}> {
  const place = await crashPlace(backEnd);
  try {
    const runner = runnerOf(scenario, place, emulator, "undisturbed");
    const first = await runner(0, true);
    const last = scenario.cancelAtCommand === undefined ? first : await runner(0, false);
    expect(last.stderr).toBe("");
    const remains = await remainsOf(place);
    expect(problemsIn(scenario, place, [first, last], remains, remains)).toEqual([]);
    expect(remains.row.summary).toMatchObject({
      outcome: "completed",
      ...(scenario.verify === null ? {} : { verification: "passed" }),
    });
    return { remains, points: first.lines.filter((line) => line.startsWith("point ")) };
  } finally {
    await place.remove();
  }
}

async function killedAt(
  { scenario, backEnd, emulator }: Combination,
  point: number,
  reference: Remains,
): Promise<readonly string[]> {
  const place = await crashPlace(backEnd);
  try {
    const runner = runnerOf(scenario, place, emulator, `kill ${point}`);
    const first = await runner(point, true);
    if (!first.killed)
      return [`it passed only ${first.lines.filter((line) => line.startsWith("point ")).length} points`];
    const second = await runner(1 + ((point * 7) % SECOND_KILL_MAX), false);
    // A resume that came to its end was not killed; one more does nothing but say so.
    const ends = [first, second, await runner(0, false)];
    counts.kills += ends.filter(({ killed }) => killed).length;
    counts.acknowledged += ends.flatMap(({ lines }) => lines.filter((line) => line.startsWith("ack "))).length;
    return problemsIn(scenario, place, ends, await remainsOf(place), reference);
  } finally {
    await place.remove();
  }
}

function runnerOf(
  scenario: CrashScenario,
  { home, repository, store }: CrashPlace,
  emulator: Emulator,
  task: string,
): (killAt: number, first: boolean) => Promise<ChildEnd> {
  const { verify, unconfined, inPlace, insist, after, cancelAtCommand, window } = scenario;
  const order = { home, repository, store, task, url: emulator.url, sandbox, verify };
  return (killAt, first) =>
    startSessionChild(
      {
        ...order,
        killAt,
        ...(unconfined ? { unconfined } : {}),
        ...(inPlace ? { inPlace } : {}),
        ...(insist ? { insist } : {}),
        ...(window === undefined ? {} : { window }),
        ...(after === undefined ? {} : { after }),
        ...(first && cancelAtCommand !== undefined ? { cancelAtCommand } : {}),
      },
      program,
    ).ended;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
