/** Runs `test/crash/session-child.ts` and reads what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { RunReport } from "../../src/engine/report.ts";
import type { StorePlace } from "./store-place.ts";

const CHILD = join(import.meta.dirname, "..", "crash", "session-child.ts");

export interface ChildOrder {
  readonly home: string;
  readonly repository: string;
  readonly url: string;
  /** Different for every session, so that the model server keeps them apart. */
  readonly task: string;
  readonly sandbox: "bwrap" | "none";
  /** The point at which it kills itself; 0 or absent for none. */
  readonly killAt?: number;
  readonly verify?: string | null;
  /** Commands may use the network, which makes them unconfined. */
  readonly network?: boolean;
  /** Default: SQLite in `home`. */
  readonly store?: StorePlace;
  readonly unconfined?: boolean;
  readonly inPlace?: boolean;
  /** Canceled while this command runs, the first being 1. */
  readonly cancelAtCommand?: number;
  /** Tokens that the model reads at most. Default: as many as it likes. */
  readonly window?: number;
  /** When the verification failed the user says once more what he wants. */
  readonly insist?: boolean;
  readonly after?: "rollback" | "merge" | "apply";
}

export interface ChildEnd {
  readonly lines: readonly string[];
  readonly report: RunReport | null;
  readonly killed: boolean;
  readonly code: number | null;
  readonly stderr: string;
}

export interface SessionChild {
  readonly child: ChildProcess;
  readonly ended: Promise<ChildEnd>;
  /** Resolves when a line of it holds the text, or when it has ended. */
  until(text: string): Promise<void>;
}

/** How the child is started, where many are: `bundledChild`. */
export interface ChildProgram {
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
}

export function startSessionChild(order: ChildOrder, program?: ChildProgram): SessionChild {
  const whole = { killAt: 0, verify: null, ...order };
  const child = spawn(process.execPath, [program?.path ?? CHILD, JSON.stringify(whole)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...program?.environment },
  });
  let stdout = "";
  let stderr = "";
  const waiting: { readonly text: string; readonly resolve: () => void }[] = [];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const { text, resolve } of waiting) if (stdout.includes(text)) resolve();
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<ChildEnd>((resolve) => {
    child.on("close", (code, signal) => {
      const lines = stdout.split("\n");
      const report = lines.find((line) => line.startsWith("report "));
      for (const one of waiting) one.resolve();
      resolve({
        lines,
        report: report === undefined ? null : (JSON.parse(report.slice("report ".length)) as RunReport),
        killed: signal === "SIGKILL",
        code,
        stderr: stderr.replaceAll(/\(node:\d+\) ExperimentalWarning.*\n.*\n/g, ""),
      });
    });
  });
  return {
    child,
    ended,
    until: (text) =>
      new Promise((resolve) => {
        if (stdout.includes(text)) resolve();
        else waiting.push({ text, resolve });
      }),
  };
}
