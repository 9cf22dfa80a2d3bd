/** What is measured: each measure runs every contender it is about, once a round, and hands back its figures by name. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { journalAppends, plainAppends } from "./bench-appends.ts";
import { COMMON, type Contender, type Ground, LARGE_FILES, type Name, observeContender } from "./bench-ground.ts";
import { keptShare, worstShare } from "./bench-prefix.ts";
import type { Reply, Script } from "./bench-server.ts";
import { meanGap, statistic } from "./bench-statistics.ts";

export type Figures = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  /** Counted ones; one before them is not. */
  readonly rounds: number;
  readonly quick_rounds: number;
  readonly contenders: readonly Name[];
  run(ground: Ground, contender: Contender): Promise<Figures>;
}

const FILES = 1_000;
const TURNS = 50;
const LONG_TURNS = 200;
const EDGE_TURNS = 50;
/** Batches of reads of every large file: together a megabyte. */
const LARGE_BATCHES = 6;
const SMALL_TURNS = 40;
const TOKENS = 150;
const TOKEN_GAP_MS = 8;
const RESUME_EVENTS = 10_000;
const READS_PER_BATCH = 8;
/** Of a turn with that many reads: four of the call to the model, three of each read. */
const EVENTS_PER_BATCH = 4 + 3 * READS_PER_BATCH;

const DONE: Reply = { kind: "text", text: "Done." };
const READ: Reply = { kind: "calls", calls: [{ tool: "read", input: { path: "file-1.txt" } }] };
const COMMAND: Reply = { kind: "calls", calls: [{ tool: "bash", input: { command: "echo x >> file-1.txt" } }] };

const ALL: readonly Name[] = ["bare", "belay", "other"];
const BELAYS: readonly Name[] = ["belay", "other"];

/** So many turns that are all alike, then the end. */
function turns(count: number, reply: Reply): Script {
  return (n) => (n < count ? reply : DONE);
}

const start: Measure = {
  name: "start",
  rounds: 11,
  quick_rounds: 3,
  contenders: ALL,
  run: async (ground, contender) => {
    const seen = await observeContender(contender, { cwd: ground.project(FILES), script: turns(1, READ), marks: [0] });
    return {
      first_ms: seen.arrivals_ms[0] ?? 0,
      first_cpu_ms: seen.cpu_ms.get(0) ?? 0,
      exit_ms: seen.exit_ms,
      peak_mib: seen.peak_mib,
      first_bytes: seen.bodies[0]?.byteLength ?? 0,
    };
  },
};

const read: Measure = {
  name: "read",
  rounds: 9,
  quick_rounds: 3,
  contenders: ALL,
  run: async (ground, contender) => {
    const marks = [1, TURNS];
    const seen = await observeContender(contender, { cwd: ground.project(FILES), script: turns(TURNS, READ), marks });
    return {
      turn_ms: meanGap(seen.arrivals_ms.slice(1)),
      turn_cpu_ms: ((seen.cpu_ms.get(TURNS) ?? 0) - (seen.cpu_ms.get(1) ?? 0)) / (TURNS - 1),
      peak_mib: seen.peak_mib,
      all_bytes: seen.bodies.slice(0, TURNS).reduce((sum, body) => sum + body.byteLength, 0),
    };
  },
};

const long: Measure = {
  name: "long",
  rounds: 5,
  quick_rounds: 1,
  contenders: ALL,
  run: async (ground, contender) => {
    const marks = [1, 1 + EDGE_TURNS, LONG_TURNS - EDGE_TURNS, LONG_TURNS];
    const script = turns(LONG_TURNS, READ);
    const seen = await observeContender(contender, { cwd: ground.project(FILES), script, marks });
    const cpu = (from: number, to: number): number =>
      ((seen.cpu_ms.get(to) ?? 0) - (seen.cpu_ms.get(from) ?? 0)) / (to - from);
    return {
      early_ms: meanGap(seen.arrivals_ms.slice(1, 2 + EDGE_TURNS)),
      late_ms: meanGap(seen.arrivals_ms.slice(-1 - EDGE_TURNS)),
      early_cpu_ms: cpu(1, 1 + EDGE_TURNS),
      late_cpu_ms: cpu(LONG_TURNS - EDGE_TURNS, LONG_TURNS),
      peak_mib: seen.peak_mib,
    };
  },
};

const history: Measure = {
  name: "history",
  rounds: 5,
  quick_rounds: 1,
  contenders: ALL,
  run: async (ground, contender) => {
    const large: Reply = {
      kind: "calls",
      calls: Array.from({ length: LARGE_FILES }, (_, i) => ({ tool: "read", input: { path: `large-${i + 1}.txt` } })),
    };
    const grown = SMALL_TURNS + LARGE_BATCHES;
    const end = grown + SMALL_TURNS;
    const script: Script = (n) => (n >= end ? DONE : n >= SMALL_TURNS && n < grown ? large : READ);
    const marks = [1, SMALL_TURNS, grown + 1, end];
    const seen = await observeContender(contender, { cwd: ground.project(FILES), script, marks });
    const cpu = (from: number, to: number): number =>
      ((seen.cpu_ms.get(to) ?? 0) - (seen.cpu_ms.get(from) ?? 0)) / (to - from);
    const before = meanGap(seen.arrivals_ms.slice(1, SMALL_TURNS + 1));
    const after = meanGap(seen.arrivals_ms.slice(grown + 1));
    return {
      turn_ms: after,
      added_ms: after - before,
      added_cpu_ms: cpu(grown + 1, end) - cpu(1, SMALL_TURNS),
      request_kib: (seen.bodies.at(-1)?.byteLength ?? 0) / 1024,
      peak_mib: seen.peak_mib,
    };
  },
};

function commands(name: string, files: number, count: number, rounds: readonly [number, number]): Measure {
  return {
    name,
    rounds: rounds[0],
    quick_rounds: rounds[1],
    contenders: BELAYS,
    run: async (ground, contender) => {
      const seen = await observeContender(contender, { cwd: ground.project(files), script: turns(count, COMMAND) });
      return { turn_ms: meanGap(seen.arrivals_ms.slice(1)) };
    },
  };
}

function tokens(name: string, mode: string): Measure {
  return {
    name,
    rounds: 3,
    quick_rounds: 1,
    contenders: BELAYS,
    run: async (ground, contender) => {
      const seen = await observeContender(contender, {
        cwd: ground.project(FILES),
        script: () => ({ kind: "stamps", count: TOKENS, gap_ms: TOKEN_GAP_MS }),
        words: ["run", ...COMMON, "--output", mode, "bench"],
      });
      if (seen.tokens_ms.length < TOKENS / 2) throw new Error(`only ${seen.tokens_ms.length} of ${TOKENS} tokens came`);
      return { token_ms: statistic(seen.tokens_ms)?.median ?? 0 };
    },
  };
}

const prefix: Measure = {
  name: "prefix",
  rounds: 2,
  quick_rounds: 1,
  contenders: BELAYS,
  run: async (ground, contender) => {
    const script: Script = (n) => (n >= 20 ? DONE : n % 3 === 2 ? COMMAND : READ);
    const one = await observeContender(contender, { cwd: ground.project(FILES), script });
    const two = await observeContender(contender, { cwd: ground.project(FILES, "somewhere/else/project"), script });
    const [first, second] = [one.bodies[0], two.bodies[0]];
    return {
      within: 100 * Math.min(worstShare(one.bodies), worstShare(two.bodies)),
      across: first === undefined || second === undefined ? 0 : 100 * keptShare(first, second),
    };
  },
};

/** Made once for each contender: a session of that many events, at rest. */
const longSessions = new Map<string, string>();

const resume: Measure = {
  name: "resume",
  rounds: 5,
  quick_rounds: 2,
  contenders: BELAYS,
  run: async (ground, contender) => {
    const cwd = longSessions.get(contender.name) ?? (await makeLongSession(ground, contender));
    const words = ["resume", ...COMMON, "--output", "json", "--message", "more"];
    const seen = await observeContender(contender, { cwd, script: () => DONE, words, marks: [0] });
    return {
      first_ms: seen.arrivals_ms[0] ?? 0,
      first_cpu_ms: seen.cpu_ms.get(0) ?? 0,
      request_kib: (seen.bodies[0]?.byteLength ?? 0) / 1024,
    };
  },
};

async function makeLongSession(ground: Ground, contender: Contender): Promise<string> {
  const cwd = ground.project(READS_PER_BATCH, "long");
  const calls = Array.from({ length: READS_PER_BATCH }, (_, i) => ({
    tool: "read",
    input: { path: `${i === 0 ? "" : "part-0/"}file-${i + 1}.txt` },
  }));
  const script = turns(Math.ceil(RESUME_EVENTS / EVENTS_PER_BATCH), { kind: "calls", calls });
  await observeContender(contender, { cwd, script });
  const [program = ""] = contender.command;
  const env = { ...process.env, BELAY_HOME: contender.home };
  const { stdout } = spawnSync(program, ["sessions", "export"], { cwd, env, encoding: "utf8", maxBuffer: 2 ** 30 });
  const events = stdout.split("\n").length - 1;
  if (events < RESUME_EVENTS) throw new Error(`the long session has ${events} events instead of ${RESUME_EVENTS}`);
  longSessions.set(contender.name, cwd);
  return cwd;
}

const appends: Measure = {
  name: "appends",
  rounds: 5,
  quick_rounds: 2,
  contenders: ["bare", "belay"],
  run: async (ground, { name }) => {
    const directory = mkdtempSync(join(ground.directory, "appends-"));
    return { per_second: await (name === "bare" ? plainAppends(directory) : journalAppends(directory)) };
  },
};

export const MEASURES: readonly Measure[] = [
  start,
  read,
  long,
  history,
  commands("commands-1k", FILES, 20, [7, 2]),
  commands("commands-10k", 10_000, 12, [3, 1]),
  commands("commands-50k", 50_000, 10, [2, 0]),
  tokens("tokens-text", "text"),
  tokens("tokens-events", "events"),
  prefix,
  resume,
  appends,
];
