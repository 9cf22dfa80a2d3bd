/** Which points are killed: all, a seeded sample, or those that were named. */
import type { BackEnd } from "./back-ends.ts";
import type { CrashScenario } from "./scenarios.ts";

/** What `npm run test:long` promises. */
export const POINTS_MIN = 2_000;
/** Of each scenario of the sample. */
const SAMPLE_POINTS = 1;

export interface Combination {
  readonly scenario: CrashScenario;
  readonly backEnd: BackEnd;
}

export interface Selection {
  /** For the last line. */
  readonly how: string;
  readonly all: boolean;
  readonly combinations: readonly Combination[];
  readonly seed: number;
  /** `scenario/store/point`; null when none was named. */
  readonly named: readonly string[] | null;
}

export function selectionOf(
  environment: Readonly<Record<string, string | undefined>>,
  scenarios: readonly CrashScenario[],
  backEnds: readonly BackEnd[],
): Selection {
  const every = scenarios.flatMap((scenario) => backEnds.map((backEnd) => ({ scenario, backEnd })));
  const named = environment["BELAY_KILL_POINTS"]?.split(",") ?? null;
  const seed = Number(environment["BELAY_KILL_SEED"] ?? 1);
  if (named !== null) {
    const combinations = every.filter((one) => named.some((name) => name.startsWith(`${idOf(one)}/`)));
    return { how: "named points", all: false, combinations, seed, named };
  }
  if (environment["BELAY_TEST_LONG"] === "1")
    return { how: "every point", all: true, combinations: every, seed, named: null };
  // Each scenario once, on one store or the other.
  const combinations = scenarios.flatMap((scenario, i) => {
    const backEnd = backEnds[(i + seed) % backEnds.length];
    return backEnd === undefined ? [] : [{ scenario, backEnd }];
  });
  return { how: `sample, BELAY_KILL_SEED=${seed}`, all: false, combinations, seed, named: null };
}

/** The points of a session with `total` of them, the first being 1. */
export function chosenPoints(
  selection: Selection,
  scenario: CrashScenario,
  backEnd: BackEnd,
  total: number,
): readonly number[] {
  if (selection.all) return Array.from({ length: total }, (_, i) => i + 1);
  const id = idOf({ scenario, backEnd });
  if (selection.named !== null) {
    return selection.named.filter((name) => name.startsWith(`${id}/`)).map((name) => Number(name.slice(id.length + 1)));
  }
  // Spread over the session, shifted by the seed: a few runs with other seeds see other points.
  const step = total / SAMPLE_POINTS;
  const shift = fraction(selection.seed * 97 + id.length * 13 + total);
  return Array.from({ length: SAMPLE_POINTS }, (_, i) => 1 + Math.floor(step * (i + shift)));
}

function idOf({ scenario, backEnd }: Combination): string {
  return `${scenario.name}/${backEnd.name}`;
}

/** In [0, 1), far apart for neighbours. */
function fraction(n: number): number {
  const mixed = Math.imul(n ^ (n >>> 7), 0x9e3779b1) >>> 0;
  return mixed / 2 ** 32;
}
