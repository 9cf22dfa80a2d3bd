/** Runs `test/crash/session-child.ts` and reads what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { RunReport } from "../../src/engine/report.ts";

const CHILD = join(import.meta.dirname, "..", "crash", "session-child.ts");

export interface ChildOrder {
  readonly home: string;
  readonly repository: string;
  readonly url: string;
  readonly task: string;
  readonly sandbox: "bwrap" | "none";
  readonly killAt?: number;
  readonly verify?: string | null;
  readonly network?: boolean;
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

export function startSessionChild(order: ChildOrder): SessionChild {
  const whole = { killAt: 0, verify: null, ...order };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(whole)], { stdio: ["ignore", "pipe", "pipe"] });
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
