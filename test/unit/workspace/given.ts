/** Builders for tests about workspaces: real repositories in temporary directories, and the manifest of a directory. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";
import type { Clock } from "../../../src/kernel/clock.ts";
import { RootedDirectory } from "../../../src/workspace/files/rooted.ts";
import { pathFromText } from "../../../src/workspace/byte-path.ts";
import type {
  PreparedWorkspace,
  PrepareRequest,
  Workspaces,
  WorkspaceTransfer,
} from "../../../src/workspace/workspace.ts";
import type { WorkspaceLimits } from "../../../src/workspace/workspace-limits.ts";
import { createWorkspaces } from "../../../src/workspace/workspaces.ts";

const made: string[] = [];

afterEach(() => {
  for (const directory of made.splice(0))
    new RootedDirectory(dirname(directory)).removeAll(pathFromText(directory.slice(dirname(directory).length + 1)));
});

/** Removed after the test. */
export function temporaryDirectory(): string {
  const directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "belay-workspace-")));
  made.push(directory);
  return directory;
}

export const PATH = process.env["PATH"] ?? "/usr/bin:/bin";
export const gitSettings = { path: PATH, locale: "C.UTF-8" };

/** Stands still at a known instant; nothing here waits. */
export const clock: Clock = { now: () => 1_700_000_000_000, monotonic: () => 0, sleep: async () => undefined };

/** The user's own git, as the user would call it: hooks, configuration and all. */
export function userGit(directory: string, ...args: readonly string[]): string {
  const env = {
    PATH,
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "User",
    GIT_AUTHOR_EMAIL: "user@example.org",
    GIT_COMMITTER_NAME: "User",
    GIT_COMMITTER_EMAIL: "user@example.org",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "protocol.file.allow",
    GIT_CONFIG_VALUE_0: "always",
  };
  return execFileSync("git", args, { cwd: directory, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

export type Files = Readonly<Record<string, string | Buffer>>;

export function writeFiles(directory: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(directory, path)), { recursive: true });
    fs.writeFileSync(join(directory, path), content);
  }
}

/** A repository with one commit on `main`. */
export function repositoryWith(files: Files): string {
  const directory = join(temporaryDirectory(), "repository");
  fs.mkdirSync(directory);
  userGit(directory, "init", "-q", "-b", "main");
  writeFiles(directory, files);
  if (Object.keys(files).length > 0) {
    userGit(directory, "add", "-A");
    userGit(directory, "commit", "-q", "-m", "one");
  }
  return directory;
}

export function workspaces(limits: Partial<WorkspaceLimits> = {}, home?: string): Workspaces & WorkspaceTransfer {
  return createWorkspaces({ git: gitSettings, clock, limits, ...(home === undefined ? {} : { home }) });
}

export const BRANCH = "belay/ses_test";

export function requestFor(source: string, changes: Partial<PrepareRequest> = {}): PrepareRequest {
  const directory = join(temporaryDirectory(), "session");
  return {
    mode: "clone",
    source,
    directory,
    base: null,
    branch: BRANCH,
    signal: new AbortController().signal,
    ...changes,
  };
}

export function prepare(source: string, changes: Partial<PrepareRequest> = {}): Promise<PreparedWorkspace> {
  return workspaces().prepare(requestFor(source, changes));
}

/** Everything below a directory, `.git` included: kind, mode and content; for `.git/index` also its time. */
export function manifestOf(directory: string): Readonly<Record<string, string>> {
  const manifest: Record<string, string> = {};
  const visit = (path: Buffer, name: Buffer): void => {
    const stat = fs.lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    manifest[name.toString("latin1")] =
      `${mode} ${describe(path, stat)}${name.toString().endsWith(".git/index") ? ` ${stat.mtimeMs}` : ""}`;
    if (!stat.isDirectory()) return;
    for (const child of fs.readdirSync(path, { encoding: "buffer" })) {
      visit(Buffer.concat([path, Buffer.from("/"), child]), Buffer.concat([name, Buffer.from("/"), child]));
    }
  };
  visit(Buffer.from(directory), Buffer.from("."));
  return manifest;
}

function describe(path: Buffer, stat: fs.Stats): string {
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return `link ${fs.readlinkSync(path)}`;
  if (stat.isFile()) return createHash("sha256").update(fs.readFileSync(path)).digest("hex");
  return "special";
}

/** The same without git directories: what people call the files. */
export function filesOf(directory: string): Readonly<Record<string, string>> {
  const entries = Object.entries(manifestOf(directory));
  // Where a sandbox covers what is missing stand empty directories with a mark: nobody's work.
  const work = entries.filter(([name, what]) => !/(^|\/)\.git(\/|$)/.test(name) && what !== "1555 directory");
  return Object.fromEntries(work);
}

/** The same without belay's own note, which is nobody's work: for workspaces of sessions that ran. */
export function workIn(directory: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(filesOf(directory)).filter(([name]) => !NOTES.has(name)));
}

const NOTES: ReadonlySet<string> = new Set(["./.belay", "./.belay/.gitignore", "./.belay/CONTINUITY.md"]);

/** An executable script that leaves a file behind when it runs. */
export function writeCanary(path: string, left: string): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, `#!/bin/sh\ntouch '${left}'\n`, { mode: 0o755 });
}
