/**
 * Looks through a workspace once, before its first command, for what commands must not read (secrets) and what they must not
 * change (settings of other programs, deeper than the top). Names first, content only where a name alone says nothing.
 *
 * S1: the top of the workspace is always looked at; below it the shallow before the deep, up to the limits.
 * S2: links are not followed. A link with a secret's name stands for what it leads to, when that is in the workspace.
 */
import { closeSync, type Dirent, openSync, readdirSync, readSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { isProtectedPath } from "../../kernel/protected-paths.ts";
import { isSecretPath, secretContent } from "../../kernel/secret-paths.ts";
import { isUnreadable } from "../process/table.ts";
import { nextTurn } from "../turns.ts";

/** Directories deep; the top is 0. */
const DEPTH_MAX = 8;
/** Entries that are looked at, and between two of other work's turns. */
const ENTRIES_MAX = 50_000;
const ENTRIES_PER_TURN = 2_048;
/** Every one is a mount of every command. */
const SECRETS_MAX = 300;
const SETTINGS_MAX = 100;
/** Files that are looked into, and how far. */
const CONTENTS_MAX = 300;
const CONTENT_BYTES_MAX = 16 * 1024;
/** Not looked into: other people's packages, and git's own. */
const SKIPPED: ReadonlySet<string> = new Set(["node_modules", ".git", ".venv", "venv", "target"]);

export interface WorkspaceFindings {
  /** Real paths of files. */
  readonly secrets: readonly string[];
  /** Absolute paths, each of an existing entry below the workspace. */
  readonly settings: readonly string[];
}

export interface ScanRequest {
  /** A real path. */
  readonly root: string;
  /** In belay's own, repositories within are left to commands: nothing of their hooks and settings is ever delivered. */
  readonly tree: "own" | "users";
  /** Secrets that commands may read: paths relative to the workspace. */
  readonly readable: readonly string[];
}

/** Does not throw for what it may not look into. */
export async function scanWorkspace(request: ScanRequest): Promise<WorkspaceFindings> {
  const { root } = request;
  const found: Found = { secrets: new Set(), settings: [], contents: 0 };
  const allowed = new Set(request.readable.map((path) => join(root, path)));
  let level: readonly string[] = [""];
  let entries = 0;
  for (let depth = 0; depth <= DEPTH_MAX && level.length > 0; depth++) {
    const below: string[] = [];
    for (const directory of level) {
      if (entries >= ENTRIES_MAX) break;
      for (const entry of entriesOf(join(root, directory))) {
        if (entry.name !== ".git") look(root, join(directory, entry.name), entry, allowed, found);
        else if (directory !== "" && request.tree === "users")
          note(gitSettings(join(root, directory, ".git"), entry), found);
        if (entry.isDirectory() && !SKIPPED.has(entry.name)) below.push(join(directory, entry.name));
        if (++entries % ENTRIES_PER_TURN === 0) await nextTurn();
      }
    }
    level = below;
  }
  return { secrets: [...found.secrets], settings: found.settings };
}

interface Found {
  readonly secrets: Set<string>;
  readonly settings: string[];
  contents: number;
}

function look(root: string, relative: string, entry: Dirent, allowed: ReadonlySet<string>, found: Found): void {
  const path = join(root, relative);
  // What is above it was looked at before: the name decides.
  if (isProtectedPath(entry.name)) note([path], found);
  if (entry.isDirectory() || allowed.has(path) || found.secrets.size >= SECRETS_MAX) return;
  if (isSecretPath(relative) || isSecretByContent(relative, path, entry, found)) {
    const file = realFile(path, root);
    if (file !== null) found.secrets.add(file);
  }
}

function note(settings: readonly string[], found: Found): void {
  if (found.settings.length < SETTINGS_MAX) found.settings.push(...settings);
}

/** A repository within: its hooks and settings. A `.git` that is a file says where they are. */
function gitSettings(path: string, entry: Dirent): readonly string[] {
  if (!entry.isDirectory()) return entry.isFile() ? [path] : [];
  const names = new Set(entriesOf(path).map(({ name }) => name));
  return ["hooks", "config"].filter((name) => names.has(name)).map((name) => join(path, name));
}

function isSecretByContent(relative: string, path: string, entry: Dirent, found: Found): boolean {
  const content = secretContent(relative);
  if (content === null || !entry.isFile() || found.contents >= CONTENTS_MAX) return false;
  found.contents++;
  return content.test(beginningOf(path));
}

function beginningOf(path: string): string {
  try {
    const fd = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(CONTENT_BYTES_MAX);
      return bytes.toString("latin1", 0, readSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isUnreadable(error)) return "";
    throw error;
  }
}

/** S2. */
function realFile(path: string, root: string): string | null {
  try {
    const real = realpathSync(path);
    return real.startsWith(`${root}/`) ? real : null;
  } catch (error) {
    if (isUnreadable(error) || (error instanceof Error && "code" in error && error.code === "ELOOP")) return null;
    throw error;
  }
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (isUnreadable(error)) return [];
    throw error;
  }
}
