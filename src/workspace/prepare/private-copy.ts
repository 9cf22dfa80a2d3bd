/** Copies of plain files into a workspace: a directory that is no repository, and ignored files that are needed. Bounded. */
import * as fs from "node:fs";
import { join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import {
  absoluteBytes,
  type BytePath,
  directoriesAbove,
  joinPath,
  pathFromText,
  splitNul,
  textOf,
  TOP,
} from "../byte-path.ts";
import type { Git, GitRepository } from "../git/git.ts";
import { IGNORE_FILE_BYTES_MAX } from "../snapshot/ignore-rules.ts";
import { LEFT_OUT_PATHS_MAX, type LeftOut } from "../snapshot/left-out.ts";
import { isSystemError, RootedDirectory } from "../files/rooted.ts";
import { leftOut } from "../snapshot/scope.ts";
import { nextTurn } from "../turns.ts";
import type { WorkspaceLimits } from "../workspace-limits.ts";

/** Files copied before other work of the process gets its turn. */
const FILES_PER_TURN = 128;

interface Budget {
  files: number;
  bytes: number;
}

/** Copies a directory. What it leaves out (nested repositories, pipes and the like) it says. */
export async function copyDirectory(
  from: string,
  to: string,
  limits: WorkspaceLimits,
  except: string,
  signal: AbortSignal,
): Promise<readonly LeftOut[]> {
  const nested = new Set<BytePath>();
  const special = new Set<BytePath>();
  const unreadable = new Set<BytePath>();
  const budget: Budget = { files: 0, bytes: 0 };
  const modes: (readonly [BytePath, number])[] = [];
  const pending: BytePath[] = [TOP];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const entries = readEntries(from, directory);
    if (entries === null) {
      unreadable.add(directory);
      continue;
    }
    if (directory !== "" && entries.some((entry) => entry.name === ".git")) {
      nested.add(directory);
      continue;
    }
    if (directory !== "") {
      fs.mkdirSync(absoluteBytes(to, directory));
      modes.push([directory, fs.statSync(absoluteBytes(from, directory)).mode & 0o1777]);
    }
    for (const entry of entries) {
      const path = joinPath(directory, entry.name);
      if (entry.name === ".git" || isSame(from, path, except)) continue;
      if (entry.isDirectory()) pending.push(path);
      else if (!entry.isFile() && !entry.isSymbolicLink()) special.add(path);
      else if (!copyOne(from, to, path, budget, limits)) unreadable.add(path);
      if (budget.files % FILES_PER_TURN === 0) await turn(from, signal);
    }
  }
  // Last, and from the inside out: a directory that may not be written could not have been filled.
  for (const [path, mode] of modes.reverse()) fs.chmodSync(absoluteBytes(to, path), mode);
  return [
    leftOut("nested_repository", nested),
    leftOut("special_file", special),
    leftOut("unreadable", unreadable),
  ].filter((reason) => reason !== null);
}

function readEntries(root: string, directory: BytePath): readonly fs.Dirent[] | null {
  try {
    return fs.readdirSync(absoluteBytes(root, directory), { withFileTypes: true, encoding: "latin1" });
  } catch (error) {
    if (isSystemError(error, "EACCES", "EPERM", "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

function isSame(root: string, path: BytePath, other: string): boolean {
  return other.startsWith(root) && join(root, textOf(path)) === other;
}

async function turn(from: string, signal: AbortSignal): Promise<void> {
  await nextTurn();
  if (signal.aborted)
    throw new HarnessError("workspace_refused", `Copying ${from} was stopped.`, "Run the command again.");
}

/** False when it may not be read, or is gone. */
function copyOne(from: string, to: string, path: BytePath, budget: Budget, limits: WorkspaceLimits): boolean {
  const source = absoluteBytes(from, path);
  const target = absoluteBytes(to, path);
  try {
    const stat = fs.lstatSync(source);
    budget.files++;
    budget.bytes += stat.size;
    if (budget.files > limits.copy_files || budget.bytes > limits.copy_bytes) throw tooMuch(from, limits);
    if (stat.isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(source, { encoding: "buffer" }), target);
    } else {
      fs.copyFileSync(source, target, fs.constants.COPYFILE_FICLONE | fs.constants.COPYFILE_EXCL);
      fs.chmodSync(target, stat.mode & 0o7777);
    }
    return true;
  } catch (error) {
    if (isSystemError(error, "EACCES", "EPERM", "ENOENT")) return false;
    throw error;
  }
}

function tooMuch(from: string, limits: WorkspaceLimits): HarnessError {
  const happened = `${from} holds more than ${limits.copy_files} files or ${limits.copy_bytes} bytes to copy.`;
  return new HarnessError(
    "workspace_refused",
    happened,
    "Choose a smaller directory with --cwd, or work with --in-place.",
  );
}

export const INCLUDE_FILE = pathFromText(".worktreeinclude");

/**
 * Brings ignored files that `.worktreeinclude` of the user's tree names (in the syntax of ignore files). `repository` is the
 * shadow with its index and the user's tree. Nothing of them is ever part of a snapshot.
 */
export async function bringIncluded(
  git: Git,
  repository: GitRepository & { readonly work_tree: string },
  rules: string,
  to: string,
  limits: WorkspaceLimits,
): Promise<readonly string[]> {
  const from = repository.work_tree;
  const wanted = new RootedDirectory(from).readFile(INCLUDE_FILE, IGNORE_FILE_BYTES_MAX);
  if (wanted === null) return [];
  const patterns = join(repository.git_dir, "include");
  fs.writeFileSync(patterns, wanted.content, { mode: 0o600 });
  const [named, ignored] = await Promise.all([
    git({ repository, args: ["ls-files", "-z", "-o", "-i", `--exclude-from=${patterns}`] }),
    git({ repository, args: ["ls-files", "-z", "-o", "-i", "--directory", `--exclude-from=${rules}`] }),
  ]);
  const outside = new Set(splitNul(ignored.output).map((path) => path.replace(/\/$/, "")));
  const isOutside = (path: BytePath): boolean => [path, ...directoriesAbove(path)].some((at) => outside.has(at));
  const budget: Budget = { files: 0, bytes: 0 };
  const files = new RootedDirectory(to);
  const brought: string[] = [];
  for (const path of splitNul(named.output)) {
    if (path.endsWith("/") || !isOutside(path)) continue;
    const [above] = directoriesAbove(path);
    if (above !== undefined) files.makeDirectory(above);
    if (files.lstat(path) === null && copyOne(from, to, path, budget, limits)) brought.push(textOf(path));
  }
  return brought.slice(0, LEFT_OUT_PATHS_MAX);
}
