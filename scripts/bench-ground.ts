/** Where the bench works: its directories, the projects in them, and the commands that are compared there. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Observed, observe, type Run } from "./bench-process.ts";
import type { Script } from "./bench-server.ts";

const FILES_PER_DIRECTORY = 50;
/** What a read tool hands to the model whole. Bytes. */
const LARGE_FILE_BYTES = 24_000;
export const LARGE_FILES = 7;
const LINE = "the quick brown fox jumps over the lazy dog, and goes home\n";

export type Name = "bare" | "belay" | "other";

export interface Contender {
  readonly name: Name;
  /** What starts it. */
  readonly command: readonly string[];
  /** belay's own directory. */
  readonly home: string;
}

export interface Ground {
  readonly contenders: readonly Contender[];
  readonly directory: string;
  /** A project of so many files, made when it is first asked for. `copy` names another one of the same files. */
  project(files: number, copy?: string): string;
  remove(): void;
}

export interface GroundOptions {
  /** This package. */
  readonly root: string;
  /** Another belay to be compared, built: its package's directory. */
  readonly against: string | null;
}

export function makeGround({ root, against }: GroundOptions): Ground {
  const directory = mkdtempSync(join(tmpdir(), "belay-bench-"));
  const made = new Set<string>();
  const belay = (name: Name, at: string): Contender => ({
    name,
    command: [join(at, "bin/belay")],
    home: join(directory, `home-${name}`),
  });
  return {
    directory,
    contenders: [
      { name: "bare", command: [process.execPath, join(root, "scripts/bench-bare-loop.js")], home: directory },
      belay("belay", root),
      ...(against === null ? [] : [belay("other", against)]),
    ],
    project: (files, copy = "project") => {
      const path = join(directory, `${copy}-${files}`);
      if (!made.has(path)) makeProject(path, files);
      made.add(path);
      return path;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export interface Work {
  readonly cwd: string;
  readonly script: Script;
  /** Of belay's command line, without the options that every run has. */
  readonly words?: readonly string[];
  readonly marks?: readonly number[];
}

export function observeContender(contender: Contender, work: Work): Promise<Observed> {
  const words = contender.name === "bare" ? [] : (work.words ?? ["run", ...COMMON, "--output", "json", "bench"]);
  const run: Run = {
    command: [...contender.command, ...words],
    cwd: work.cwd,
    script: work.script,
    marks: work.marks ?? [],
    environment: (url) => ({
      ...process.env,
      BELAY_HOME: contender.home,
      ANTHROPIC_API_KEY: "bench",
      ANTHROPIC_BASE_URL: url,
    }),
  };
  return observe(run);
}

/** More turns than any measure takes. */
export const COMMON: readonly string[] = ["--max-turns", "2000"];

function makeProject(directory: string, files: number): void {
  mkdirSync(directory, { recursive: true });
  for (let i = 1; i <= files; i++) {
    const folder = join(directory, `part-${Math.floor((i - 1) / FILES_PER_DIRECTORY)}`);
    if (i % FILES_PER_DIRECTORY === 1) mkdirSync(folder, { recursive: true });
    writeFileSync(join(i === 1 ? directory : folder, `file-${i}.txt`), `line ${i}\n`.repeat(20));
  }
  for (let i = 1; i <= LARGE_FILES; i++) {
    const text = `file ${i}\n${LINE.repeat(Math.ceil(LARGE_FILE_BYTES / LINE.length))}`;
    writeFileSync(join(directory, `large-${i}.txt`), text);
  }
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    ["-c", "user.name=b", "-c", "user.email=b@localhost", "commit", "-qm", "start"],
  ]) {
    const { status, stderr } = spawnSync("git", args, { cwd: directory, encoding: "utf8" });
    if (status !== 0) throw new Error(`git ${args.join(" ")} ended with ${status}: ${stderr}`);
  }
}
