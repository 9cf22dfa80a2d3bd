/**
 * `npm run bench`: belay beside a bare loop of sixty lines, on the same emulator, in the same run. Both are whole processes
 * that read a file in every turn; belay journals, snapshots and confines while it does. They run one after the other, again
 * and again, so that a slow machine is slow for both; the medians are what to quote. A first round is not counted: it fills
 * the disk's cache, and for belay the cache of compiled code.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { type Emulator, startEmulator } from "../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../src/testing/emulator/scenario.ts";
import { probeSandbox } from "../src/workspace/sandbox-probe.ts";
import { measureTokens } from "./bench-tokens.ts";

const ROOT = join(import.meta.dirname, "..");
const ROUNDS = 7;
/** Long sessions tell how things grow; a few are enough. */
const LONG_ROUNDS = 3;
const TURNS = 50;
const LONG_TURNS = 200;
/** Turns at the beginning and at the end of a long session that are compared. */
const EDGE_TURNS = 50;
const COMMAND_TURNS = 20;
const FILES = 1_000;
const MEMORY_POLL_MS = 10;

interface Measured {
  /** From the start of the process to the arrival of its first request. */
  readonly first_request_ms: number;
  /** When requests arrived. The first turn waits for the workspace and is left out. */
  readonly arrivals_ms: readonly number[];
  readonly peak_mib: number;
  readonly first_request_bytes: number;
}

interface Contender {
  readonly name: string;
  readonly scenario: ScenarioInput;
  readonly program: readonly string[];
  readonly rounds: number;
}

type Results = ReadonlyMap<string, readonly Measured[]>;

function scenarioOf(turns: number, tool: string, input: Readonly<Record<string, string>>): ScenarioInput {
  const call = [{ tool, input }];
  return { turns: [...Array.from({ length: turns }, () => ({ call, chunk_chars: 1_000 })), { say: "Done." }] };
}

function contenders(belay: readonly string[]): readonly Contender[] {
  const bare = [process.execPath, join(ROOT, "scripts/bench-bare-loop.js")];
  const reads = (turns: number): ScenarioInput => scenarioOf(turns, "read", { path: "file-1.txt" });
  const commands = scenarioOf(COMMAND_TURNS, "bash", { command: "echo x >> file-1.txt" });
  const both = (turns: number, rounds: number): readonly Contender[] => [
    { name: `bare ${turns}`, scenario: reads(turns), program: bare, rounds },
    { name: `belay ${turns}`, scenario: reads(turns), program: belay, rounds },
  ];
  return [
    ...both(1, ROUNDS),
    ...both(TURNS, ROUNDS),
    { name: "commands", scenario: commands, program: belay, rounds: ROUNDS },
    ...both(LONG_TURNS, LONG_ROUNDS),
  ];
}

async function measure({ scenario, program }: Contender, cwd: string, home: string): Promise<Measured> {
  const emulator = await startEmulator({ scenario });
  try {
    const asked_at = performance.now();
    const started = (await emulatorNow(emulator)) + performance.now() - asked_at;
    const [command = "", ...args] = program;
    const child = spawn(command, args, { cwd, env: environment(home, emulator.url), stdio: "ignore" });
    let peak_kib = 0;
    const watch = setInterval(() => (peak_kib = peakOf(child.pid) ?? peak_kib), MEMORY_POLL_MS);
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    clearInterval(watch);
    if (code !== 0) throw new Error(`${program.join(" ")} ended with ${code}`);
    const asked = emulator.requests.filter((request) => request.path.startsWith("/v1/messages"));
    const [first, ...later] = asked.map((request) => request.at);
    return {
      first_request_ms: (first ?? 0) - started,
      arrivals_ms: later,
      peak_mib: peak_kib / 1024,
      first_request_bytes: Buffer.byteLength(JSON.stringify(asked[0]?.body)),
    };
  } finally {
    await emulator.close();
  }
}

function environment(home: string, url: string): NodeJS.ProcessEnv {
  return { ...process.env, BELAY_HOME: home, ANTHROPIC_API_KEY: "bench", ANTHROPIC_BASE_URL: url };
}

/** The most memory the process ever had, in KiB; null when it is gone. */
function peakOf(pid: number | undefined): number | null {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) || null;
  } catch (error) {
    if (error instanceof Error && "code" in error) return null; // it ended between two looks
    throw error;
  }
}

/** The emulator's clock, read by asking it something. */
async function emulatorNow(emulator: Emulator): Promise<number> {
  await fetch(`${emulator.url}/v1/models`, { headers: { "x-api-key": "bench", "anthropic-version": "2023-06-01" } });
  return emulator.requests.at(-1)?.at ?? 0;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Mean time of a turn: arrivals are known to the millisecond, so single turns are not. */
function meanTurn(arrivals: readonly number[]): number {
  return ((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)) / Math.max(1, arrivals.length - 1);
}

function makeProject(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (let i = 1; i <= FILES; i++) writeFileSync(join(directory, `file-${i}.txt`), `line ${i}\n`.repeat(20));
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    ["-c", "user.name=b", "-c", "user.email=b@localhost", "commit", "-qm", "start"],
  ]) {
    spawnSync("git", args, { cwd: directory });
  }
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "belay-bench-"));
  const project = join(directory, "project");
  const home = join(directory, "home");
  const unsandboxed = (await probeSandbox()).mode === "none";
  const options = [...(unsandboxed ? ["--no-sandbox"] : []), "--max-turns", String(LONG_TURNS + 1)];
  const belay = [join(ROOT, "bin/belay"), "run", ...options];
  try {
    makeProject(project);
    const results = await compare(contenders([...belay, "--output", "json", "bench"]), project, home);
    const tokens = await measureTokens([...belay, "bench"], project, (url) => environment(home, url));
    print(results, median(tokens), unsandboxed);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function compare(all: readonly Contender[], project: string, home: string): Promise<Results> {
  const results = new Map<string, Measured[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const contender of all.filter(({ rounds }) => round <= rounds)) {
      const measured = await measure(contender, project, home);
      if (round > 0) results.get(contender.name)?.push(measured);
    }
    process.stderr.write(`round ${round} of ${ROUNDS}, load ${(loadavg()[0] ?? 0).toFixed(1)}\n`);
  }
  return results;
}

function print(results: Results, token_ms: number, unsandboxed: boolean): void {
  const of = (name: string, figure: (one: Measured) => number): number => median((results.get(name) ?? []).map(figure));
  const row = (label: string, suffix: string, figure: (one: Measured) => number, unit: string, digits = 0): void =>
    console.log(
      `| ${label} | ${of(`bare ${suffix}`, figure).toFixed(digits)} ${unit} | ${of(`belay ${suffix}`, figure).toFixed(digits)} ${unit} |`,
    );
  const memory = totalmem() / 2 ** 30;
  console.log(
    `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${memory.toFixed(0)} GiB, Node ${process.version}`,
  );
  console.log(`${ROUNDS} rounds, medians; a project of ${FILES} files${unsandboxed ? "; NO SANDBOX" : ""}\n`);
  console.log("| | bare loop | belay |\n|---|---|---|");
  row("start to first request", String(TURNS), (one) => one.first_request_ms, "ms");
  row("a turn with a read tool", String(TURNS), (one) => meanTurn(one.arrivals_ms), "ms", 1);
  row(
    `… of ${LONG_TURNS}, the first ${EDGE_TURNS}`,
    String(LONG_TURNS),
    (one) => meanTurn(one.arrivals_ms.slice(0, EDGE_TURNS)),
    "ms",
    1,
  );
  row(
    `… of ${LONG_TURNS}, the last ${EDGE_TURNS}`,
    String(LONG_TURNS),
    (one) => meanTurn(one.arrivals_ms.slice(-EDGE_TURNS)),
    "ms",
    1,
  );
  const command = of("commands", (one) => meanTurn(one.arrivals_ms));
  console.log(`| a turn with a changing command (snapshot, sandbox) | | ${command.toFixed(1)} ms |`);
  for (const turns of [1, TURNS, LONG_TURNS])
    row(`peak memory, ${turns} turns`, String(turns), (one) => one.peak_mib, "MiB");
  row("bytes of the first request", String(TURNS), (one) => one.first_request_bytes, "B");
  console.log(`| a token from its arrival to stdout | | ${token_ms.toFixed(1)} ms |`);
}

await main();
