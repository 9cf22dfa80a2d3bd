/** One run of one contender as a whole process: when its requests came, what it took of processor and memory, when it ended. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { type Script, startBenchServer } from "./bench-server.ts";

const MEMORY_POLL_MS = 10;
/** A run that hangs must not hang the bench. Milliseconds. */
const RUN_LIMIT_MS = 240_000;
const STAMP = /@(\d+\.\d+);/g;

export interface Run {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly environment: (url: string) => NodeJS.ProcessEnv;
  readonly script: Script;
  /** Requests at which the processor time is noted, from 0. */
  readonly marks?: readonly number[];
}

export interface Observed {
  /** From the start of the process to each request. Milliseconds. */
  readonly arrivals_ms: readonly number[];
  /** Processor time of the process up to a marked request, its children not counted. Milliseconds; empty where unknown. */
  readonly cpu_ms: ReadonlyMap<number, number>;
  /** From the last byte of the last answer to the end of the process. Milliseconds. */
  readonly exit_ms: number;
  readonly peak_mib: number;
  readonly bodies: readonly Buffer[];
  /** From a token's writing to its reading here. Milliseconds. */
  readonly tokens_ms: readonly number[];
}

export async function observe(run: Run): Promise<Observed> {
  const cpu = new Map<number, number>();
  const running: { pid?: number | undefined } = {};
  const server = await startBenchServer(run.script, (n) => {
    if (run.marks?.includes(n) !== true || running.pid === undefined) return;
    const used = processorMs(running.pid);
    if (used !== null) cpu.set(n, used);
  });
  const [program = "", ...args] = run.command;
  const started = performance.now();
  const child = spawn(program, args, {
    cwd: run.cwd,
    env: run.environment(server.url),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: RUN_LIMIT_MS,
  });
  running.pid = child.pid;
  const tokens = new Map<string, number>();
  let complaint = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const now = performance.now();
    // The first sight of it counts: an answer may be printed once more as a whole.
    for (const [, at = ""] of text.matchAll(STAMP)) if (!tokens.has(at)) tokens.set(at, now - Number(at));
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(-2_000)));
  let peak_kib = 0;
  const watch = setInterval(() => (peak_kib = peakOf(child.pid) ?? peak_kib), MEMORY_POLL_MS);
  try {
    const code = await new Promise<number | null>((resolve) => {
      child.on("exit", resolve);
      child.on("error", () => resolve(null));
    });
    const ended = performance.now();
    if (code !== 0) throw new Error(`${run.command.join(" ")} ended with ${code}: ${complaint}`);
    return {
      arrivals_ms: server.arrivals.map((at) => at - started),
      cpu_ms: cpu,
      exit_ms: ended - (server.answered.at(-1) ?? ended),
      peak_mib: peak_kib / 1024,
      bodies: server.bodies,
      tokens_ms: [...tokens.values()],
    };
  } finally {
    clearInterval(watch);
    await server.close();
  }
}

/** The most memory the process ever had, in KiB; null when it is gone or the system does not tell. */
function peakOf(pid: number | undefined): number | null {
  const status = quietly(() => readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(/VmHWM:\s+(\d+)/.exec(status ?? "")?.[1] ?? Number.NaN) || null;
}

/** Of all its threads, as the scheduler counts it; null when it is gone or the system does not tell. */
function processorMs(pid: number): number | null {
  return quietly(() => {
    const tasks = readdirSync(`/proc/${pid}/task`);
    const used = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
    return used.reduce((sum, ns) => sum + ns, 0) / 1e6;
  });
}

function quietly<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && "code" in error) return null; // it ended between two looks, or there is no /proc
    throw error;
  }
}
