/**
 * `npm run bench`: belay beside a bare loop of sixty lines, on the same emulator, in the same run. Both are whole processes
 * that read a file in every turn; belay journals, snapshots and confines while it does. Pairs are run in turn, so that a
 * slow machine is slow for both; the medians are what to quote.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import type { ScenarioInput } from "../src/testing/emulator/scenario.ts";
import { probeSandbox } from "../src/workspace/sandbox-probe.ts";
import { type Emulator, startEmulator } from "../src/testing/emulator/emulator.ts";

const ROOT = join(import.meta.dirname, "..");
const PAIRS = 5;
const TURNS = 50;
const COMMAND_TURNS = 20;
const FILES = 1_000;
const MEMORY_POLL_MS = 20;

interface Measured {
  /** From the start of the process to the arrival of its first request. */
  readonly first_request_ms: number;
  /** Median time between two requests. */
  readonly turn_ms: number;
  readonly peak_mib: number;
  readonly first_request_bytes: number;
}

function reads(turns: number): ScenarioInput {
  const call = [{ tool: "read", input: { path: "file-1.txt" } }];
  return { turns: [...Array.from({ length: turns }, () => ({ call, chunk_chars: 1_000 })), { say: "Done." }] };
}

function commands(turns: number): ScenarioInput {
  const call = [{ tool: "bash", input: { command: "echo x >> file-1.txt" } }];
  return { turns: [...Array.from({ length: turns }, () => ({ call, chunk_chars: 1_000 })), { say: "Done." }] };
}

async function measure(
  scenario: ScenarioInput,
  program: readonly string[],
  cwd: string,
  home: string,
): Promise<Measured> {
  const emulator = await startEmulator({ scenario });
  try {
    const started = performance.now();
    const startedOnEmulator = await emulatorNow(emulator);
    const offset = performance.now() - started;
    const [command = "", ...args] = program;
    const child = spawn(command, args, {
      cwd,
      env: {
        ...process.env,
        BELAY_HOME: join(home, "belay"),
        ANTHROPIC_API_KEY: "bench",
        ANTHROPIC_BASE_URL: emulator.url,
      },
      stdio: ["ignore", "ignore", "inherit"],
    });
    let peak_kib = 0;
    const watch = setInterval(() => (peak_kib = peakOf(child.pid) ?? peak_kib), MEMORY_POLL_MS);
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    clearInterval(watch);
    if (code !== 0) throw new Error(`${program.join(" ")} ended with ${code}`);
    const asked = emulator.requests.filter((request) => request.path.startsWith("/v1/messages"));
    const times = asked.map((request) => request.at);
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
    return {
      first_request_ms: (times[0] ?? 0) - startedOnEmulator - offset,
      turn_ms: median(gaps),
      peak_mib: peak_kib / 1024,
      first_request_bytes: Buffer.byteLength(JSON.stringify(asked[0]?.body)),
    };
  } finally {
    await emulator.close();
  }
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
  makeProject(project);
  const bare = [process.execPath, join(ROOT, "scripts/bench-bare-loop.js")];
  const belay = [join(ROOT, "bin/belay"), "run", "--output", "json", "bench"];
  const unsandboxed = (await probeSandbox()).mode === "none";
  if (unsandboxed) belay.splice(2, 0, "--no-sandbox");
  const results: { readonly bare: Measured[]; readonly belay: Measured[]; readonly commands: Measured[] } = {
    bare: [],
    belay: [],
    commands: [],
  };
  try {
    for (let pair = 0; pair < PAIRS; pair++) {
      const home = join(directory, `home-${pair}`);
      mkdirSync(home);
      results.bare.push(await measure(reads(TURNS), bare, project, home));
      results.belay.push(await measure(reads(TURNS), belay, project, home));
      results.commands.push(await measure(commands(COMMAND_TURNS), belay, project, home));
      process.stderr.write(`pair ${pair + 1} of ${PAIRS}\n`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  print(results, unsandboxed);
}

function print(results: { readonly [name: string]: readonly Measured[] }, unsandboxed: boolean): void {
  const of = (name: string, figure: keyof Measured): number => median((results[name] ?? []).map((one) => one[figure]));
  console.log(
    `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`,
  );
  console.log(
    `${PAIRS} pairs, medians; ${TURNS} turns of one read; a project of ${FILES} files${unsandboxed ? "; NO SANDBOX" : ""}\n`,
  );
  console.log("| | bare loop | belay |\n|---|---|---|");
  const row = (label: string, figure: keyof Measured, unit: string, digits = 0): void =>
    console.log(
      `| ${label} | ${of("bare", figure).toFixed(digits)} ${unit} | ${of("belay", figure).toFixed(digits)} ${unit} |`,
    );
  row("start to first request", "first_request_ms", "ms");
  row("a turn with a read tool", "turn_ms", "ms", 1);
  console.log(`| a turn with a changing command (snapshot, sandbox) | | ${of("commands", "turn_ms").toFixed(1)} ms |`);
  row("peak memory", "peak_mib", "MiB");
  row("bytes of the first request", "first_request_bytes", "B");
}

await main();
