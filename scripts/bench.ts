/**
 * `npm run bench`: belay as it is built beside a bare loop of sixty lines, on the same server, in the same run. The contenders
 * take their turns, round after round, so that a slow machine is slow for all; medians and their spread are what to quote. A
 * first round is not counted: it fills the disk's cache, and for belay the cache of compiled code.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Contender, type Ground, makeGround, type Name } from "./bench-ground.ts";
import { type Figures, type Measure, MEASURES } from "./bench-measures.ts";
import { statistic } from "./bench-statistics.ts";
import { type Result, resultOf, ROWS, tableOf } from "./bench-table.ts";
import { probeSandbox } from "../src/workspace/sandbox/probe.ts";

const ROOT = join(import.meta.dirname, "..");
const HELP = `npm run bench -- [options]

  --quick         a few rounds of each, without the largest project: about a minute
  --only NAMES    only these measures, by comma: ${MEASURES.map(({ name }) => name).join(", ")}
  --against DIR   another belay, built, in the same rounds: a before beside an after
  --write         put the table into docs/performance.md, between its marks
  --json          figures with all their samples, on standard output

Run \`npm run build\` first: what is measured is bin/belay.`;

interface Options {
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly against: string | null;
  readonly json: boolean;
  readonly write: boolean;
}

function optionsOf(argv: readonly string[]): Options | string {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: "boolean" },
      json: { type: "boolean" },
      write: { type: "boolean" },
      only: { type: "string" },
      against: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return HELP;
  const only = values.only?.split(",") ?? [];
  const unknown = only.filter((name) => MEASURES.every((measure) => measure.name !== name));
  if (unknown.length > 0) throw new TypeError(`there is no measure ${unknown.join(", ")}`);
  const against = values.against === undefined ? null : resolve(values.against);
  for (const root of [ROOT, ...(against === null ? [] : [against])]) {
    if (!existsSync(join(root, "dist/cli/belay.js")))
      throw new TypeError(`${root} is not built: run \`npm run build\``);
  }
  return { quick: values.quick === true, json: values.json === true, write: values.write === true, only, against };
}

type Samples = Map<string, number[]>;

async function measureAll(ground: Ground, options: Options): Promise<Samples> {
  const samples: Samples = new Map();
  const wanted = MEASURES.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const least = options.only.length > 0 ? 1 : 0; // what was named is measured
  const rounds = (measure: Measure): number => (options.quick ? Math.max(least, measure.quick_rounds) : measure.rounds);
  const most = Math.max(...wanted.map(rounds));
  for (let round = 0; round <= most; round++) {
    for (const measure of wanted.filter((one) => rounds(one) > 0 && round <= rounds(one))) {
      const at = `round ${round} of ${most}, load ${(loadavg()[0] ?? 0).toFixed(1)}: ${measure.name}`;
      process.stderr.write(`${at}\n`);
      for (const contender of inTurn(ground.contenders, round)) {
        if (!measure.contenders.includes(contender.name)) continue;
        const figures = await measure.run(ground, contender);
        if (round > 0) keep(samples, measure, contender.name, figures);
      }
    }
  }
  return samples;
}

/** Nobody is always the first after something else. */
function inTurn(contenders: readonly Contender[], round: number): readonly Contender[] {
  return round % 2 === 0 ? contenders : [...contenders].reverse();
}

function keep(samples: Samples, measure: Measure, contender: Name, figures: Figures): void {
  for (const [figure, value] of Object.entries(figures)) {
    const key = keyOf(measure.name, figure, contender);
    const known = samples.get(key);
    if (known === undefined) samples.set(key, [value]);
    else known.push(value);
  }
}

function keyOf(measure: string, figure: string, contender: Name): string {
  return `${measure} ${figure} ${contender}`;
}

function resultsOf(samples: Samples): readonly Result[] {
  const of = (measure: string, figure: string) => (contender: Name) =>
    statistic(samples.get(keyOf(measure, figure, contender)) ?? []);
  const results = ROWS.map((row) => resultOf(row, of(row.measure, row.figure)));
  return results.filter(({ belay, other }) => belay !== null || other !== null);
}

const PAGE = join(ROOT, "docs/performance.md");
const [BEGIN, END] = ["<!-- figures: npm run bench -- --write -->", "<!-- end of figures -->"];

function writePage(printed: string): void {
  const [before, rest = ""] = readFileSync(PAGE, "utf8").split(BEGIN);
  const after = rest.split(END)[1];
  if (after === undefined) throw new TypeError(`${PAGE} has lost the marks around its figures`);
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${printed}\n\n${END}${after}`);
}

function machine(): string {
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${memory} GiB, ${process.platform} ${release()}, Node ${process.version}`;
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (typeof options === "string") return console.log(options);
  const sandbox = await probeSandbox();
  if (sandbox.mode === "none") throw new TypeError(`the bench measures belay with its sandbox: ${sandbox.reason}`);
  const started = performance.now();
  const ground = makeGround({ root: ROOT, against: options.against });
  try {
    const results = resultsOf(await measureAll(ground, options));
    const facts = {
      machine: machine(),
      load: (loadavg()[0] ?? 0).toFixed(1),
      minutes: ((performance.now() - started) / 60_000).toFixed(1),
    };
    if (options.json) return console.log(JSON.stringify({ ...facts, results }, null, 2));
    const printed = `${facts.machine}; load ${facts.load} at the end; ${facts.minutes} minutes\n\n${tableOf(results)}`;
    console.log(printed);
    if (options.write) writePage(printed);
    const missed = results.filter(({ met }) => met === false).length;
    console.log(`\n${results.filter(({ met }) => met === true).length} aims met, ${missed} missed`);
  } finally {
    ground.remove();
  }
}

await main();
