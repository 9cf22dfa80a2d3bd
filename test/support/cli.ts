/** The built command as a process: what `npm run build` made, run as a user runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { RunReport } from "../../src/engine/report.ts";
import type { Emulator } from "../../src/testing/emulator/emulator.ts";

export const BELAY: string = join(import.meta.dirname, "..", "..", "bin", "belay");

export interface CliPlace {
  readonly home: string;
  readonly repository: string;
}

export interface CliEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<CliEnd>;
  /** Resolves when standard output contains the text. Rejects when the process ends without it. */
  until(text: string): Promise<void>;
}

export function environmentOf(place: CliPlace, emulator: Pick<Emulator, "url"> | null): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: join(place.home, "user"),
    BELAY_HOME: place.home,
    LANG: "C.UTF-8",
    ...(emulator ? { ANTHROPIC_API_KEY: "sk-ant-test-key-0123456789", ANTHROPIC_BASE_URL: emulator.url } : {}),
  };
}

/** Another user than the test's own; only root can. */
export interface RunAs {
  readonly uid?: number;
  readonly gid?: number;
}

export function startCli(
  args: readonly string[],
  place: CliPlace,
  environment: NodeJS.ProcessEnv,
  /** Null leaves it open. */
  input: string | null = "",
  user: RunAs = {},
): CliProcess {
  const child = spawn(BELAY, args, {
    cwd: place.repository,
    env: environment,
    stdio: ["pipe", "pipe", "pipe"],
    ...user,
  });
  child.stdin.on("error", () => undefined); // a command that reads nothing may be gone before the input is
  if (input !== null) child.stdin.end(input);
  let stdout = "";
  let stderr = "";
  const waiting: { readonly text: string; readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const one of waiting) if (stdout.includes(one.text)) one.resolve();
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<CliEnd>((resolve) => {
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
      for (const one of waiting) one.reject(new Error(`ended without "${one.text}": ${stdout}${stderr}`));
    });
  });
  return {
    child,
    ended,
    until: (text) =>
      new Promise((resolve, reject) => {
        if (stdout.includes(text)) resolve();
        else waiting.push({ text, resolve, reject });
      }),
  };
}

export function runCli(
  args: readonly string[],
  place: CliPlace,
  environment: NodeJS.ProcessEnv,
  input = "",
  user: RunAs = {},
): Promise<CliEnd> {
  return startCli(args, place, environment, input, user).ended;
}

/** The last line of `--output json`. */
export function reportIn(end: CliEnd): RunReport {
  return JSON.parse(end.stdout.trim().split("\n").at(-1) ?? "") as RunReport; // printed by the command under test
}
