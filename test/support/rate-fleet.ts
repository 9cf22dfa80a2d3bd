/** Eight processes that share one account of a provider that enforces its limits: what they got of them. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { join } from "node:path";
import type { Emulator } from "../../src/testing/emulator/emulator.ts";
import type { RateReturns, RateTask } from "./rate-child.ts";

const CHILD = join(import.meta.dirname, "rate-child.ts");

export interface FleetTask extends Omit<RateTask, "name" | "url" | "first"> {
  readonly emulator: Emulator;
  readonly processes: number;
}

export interface Fleet {
  /** Requests that the provider answered, and that it refused with 429. */
  readonly served: number;
  readonly refused: number;
  /** Tokens of input as the provider counted them. */
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** From when all were ready to the end. Seconds. */
  readonly seconds: number;
  /** Answers of the slowest process, as a share of the mean. */
  readonly slowest: number;
  readonly returns: readonly RateReturns[];
}

export async function runFleet({ emulator, processes, ...task }: FleetTask): Promise<Fleet> {
  const children = Array.from({ length: processes }, (_, i) =>
    start({ ...task, url: emulator.url, name: `ses_process_${i}`, first: i === 0 }),
  );
  try {
    await Promise.all(children.map(({ ready }) => ready));
    const before = totals(emulator);
    const began = performance.now();
    for (const { go } of children) go();
    const returns = await Promise.all(children.map(({ ended }) => ended));
    const seconds = Math.min(task.for_ms, performance.now() - began) / 1_000;
    const after = totals(emulator);
    const counts = returns.map(({ answered }) => answered);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    return {
      served: after.served - before.served,
      refused: after.refused - before.refused,
      input_tokens: after.input_tokens - before.input_tokens,
      output_tokens: after.output_tokens - before.output_tokens,
      seconds,
      slowest: Math.min(...counts) / mean,
      returns,
    };
  } finally {
    for (const { kill } of children) kill();
  }
}

interface Child {
  readonly ready: Promise<void>;
  readonly ended: Promise<RateReturns>;
  go(): void;
  kill(): void;
}

function start(task: RateTask): Child {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [CHILD, JSON.stringify(task)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<RateReturns>();
  ended.promise.catch(() => {}); // heard where it is awaited; a child that dies before is heard through `ready`
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "ready") ready.resolve();
    else ended.resolve(JSON.parse(line) as RateReturns); // the child's last line is its returns
  });
  child.once("exit", (code) => {
    const died = new Error(`${task.name} ended with ${code}`);
    ready.reject(died);
    ended.reject(died);
  });
  return {
    ready: ready.promise,
    ended: ended.promise,
    go: () => void child.stdin.write("go\n"),
    kill: () => void child.kill("SIGKILL"),
  };
}

function totals(emulator: Emulator): Pick<Fleet, "served" | "refused" | "input_tokens" | "output_tokens"> {
  const counts = emulator.counts();
  const sum = (of: (count: (typeof counts)[number]) => number): number =>
    counts.reduce((total, count) => total + of(count), 0);
  return {
    served: sum(({ served }) => served),
    refused: sum(({ refused }) => refused),
    input_tokens: sum(({ input_tokens }) => input_tokens),
    output_tokens: sum(({ output_tokens }) => output_tokens),
  };
}
