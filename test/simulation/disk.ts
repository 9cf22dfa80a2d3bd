/**
 * A simulated workspace: a tree in memory that outlives processes, as a disk does. Each call is one system call: it takes
 * effect when it is made and its answer comes later; a process that dies or freezes in between has done it and does not know.
 *
 * D1: the same content has the same tree. A tree that was taken can be restored for ever.
 * D2: `restore` that is cut off by a death leaves some files as they were.
 */
import { createHash } from "node:crypto";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import type { ErrorKind } from "../../src/kernel/error-kind.ts";
import { parseTreeHash, type TreeHash } from "../../src/kernel/ids.ts";
import type { Workspace, Workspaces } from "../../src/workspace/workspace.ts";
import type { Dice } from "./dice.ts";
import type { Ledger } from "./ledger.ts";
import type { SimProcess, World } from "./world.ts";

export interface Disk {
  readonly tracked: Map<string, string>;
  /** Ignored files: a line each, with the time at which it was written. */
  readonly untracked: { readonly token: string; readonly at: number }[];
  readonly trees: Map<TreeHash, ReadonlyMap<string, string>>;
  ready: boolean;
  commits: number;
}

export interface Disks {
  at(directory: string): Disk;
}

export function createDisks(): Disks {
  const disks = new Map<string, Disk>();
  return {
    at: (directory) => {
      const known = disks.get(directory);
      if (known) return known;
      const made: Disk = { tracked: new Map(), untracked: [], trees: new Map(), ready: false, commits: 0 };
      disks.set(directory, made);
      return made;
    },
  };
}

/** Everything a process needs to touch a disk. */
export interface DiskParts {
  readonly world: World;
  readonly process: SimProcess;
  readonly disks: Disks;
  readonly ledger: Ledger;
  readonly luck: Dice;
  /** Of each call. */
  readonly faults: { readonly fail: number; readonly crash: number; readonly slow: number; readonly freeze: number };
  readonly freeze: (process: SimProcess) => void;
  readonly snapshots: boolean;
}

const PREPARE_MS = 120;
const SLOW_MS_MAX = 3_000;

export function simulatedWorkspaces(parts: DiskParts): Workspaces {
  const { disks } = parts;
  const call = calls(parts);
  return {
    prepare: (request) =>
      call("prepare", "git_failed", PREPARE_MS, () => {
        const disk = disks.at(request.directory);
        disk.tracked.clear();
        disk.tracked.set("readme.txt", "hello\n");
        disk.ready = true;
        const base = take(disk);
        return {
          workspace: workspaceOf(parts, request.directory, request.mode),
          base,
          head: null,
          branch: request.mode === "clone" ? request.branch : null,
          files: disk.tracked.size,
          snapshots: parts.snapshots,
          left_out: [],
        };
      }),
    open: (request) =>
      call("open", "workspace_missing", 1, () => {
        if (!disks.at(request.directory).ready)
          throw new HarnessError("workspace_missing", "The simulated workspace is gone.", "Start anew.");
        return workspaceOf(parts, request.directory, request.mode);
      }),
  };
}

type Call = <T>(name: string, failure: ErrorKind, ms: number, work: () => T) => Promise<T>;

/** One system call, with the faults of the seed. */
function calls({ world, process, ledger, luck, faults, freeze }: DiskParts): Call {
  return (name, failure, ms, work) =>
    process.edge(async () => {
      const crash = luck.chance(faults.crash) ? luck.pick(["before", "after"] as const) : null;
      if (luck.chance(faults.fail)) {
        ledger.met(`fault:workspace ${failure}`);
        ledger.tell(`fault: ${process.name} workspace.${name} fails (${failure})`);
        throw new HarnessError(failure, `The simulated disk failed at ${name}.`, "Try again.");
      }
      if (crash === "before") crashed(process, ledger, `before workspace.${name}`);
      const result = crash === "before" ? undefined : work();
      if (crash === "after") crashed(process, ledger, `after workspace.${name}`);
      if (luck.chance(faults.freeze)) freeze(process);
      const slow = luck.chance(faults.slow) ? luck.duration(10, SLOW_MS_MAX) : 0;
      if (slow > 0) ledger.met("fault:workspace slow");
      ledger.slowed += slow + ms;
      if (ms + slow > 0) await world.sleep(ms + slow);
      return result as Awaited<ReturnType<typeof work>>; // undefined only for a process that is dead: nobody sees it
    });
}

export function crashed(process: SimProcess, ledger: Ledger, where: string): void {
  ledger.met(`fault:crash ${where.split(" ")[0] ?? ""}`);
  ledger.tell(`fault: ${process.name} is killed ${where}`);
  process.kill();
}

function workspaceOf(parts: DiskParts, directory: string, mode: Workspace["mode"]): Workspace {
  const { world, disks, luck, ledger, process, faults } = parts;
  const disk = disks.at(directory);
  const call = calls(parts);
  const unused = (): never => {
    throw new Error("the simulation does not do this");
  };
  return {
    mode,
    root: `${directory}/tree`,
    scratch: { home: `${directory}/home`, tmp: `${directory}/tmp` },
    readable: [],
    protected: [],
    files: {
      read: (path) => call("read", "file_failed", 0, () => Buffer.from(disk.tracked.get(path) ?? "", "utf8")),
      stat: (path) =>
        call("stat", "file_failed", 0, () => {
          const text = disk.tracked.get(path);
          return text === undefined ? null : { type: "file", size: text.length, mtime_ms: world.time(), mode: 0o644 };
        }),
      list: () =>
        call("list", "file_failed", 0, () => [...disk.tracked.keys()].map((name) => ({ name, type: "file" as const }))),
      write: (path, content) =>
        call("write", "file_failed", 1, () => {
          const text = Buffer.from(content).toString("utf8");
          for (const token of newLines(disk.tracked.get(path) ?? "", text))
            ledger.happens({ token, kind: "tracked", by: process.pid, command: null });
          disk.tracked.set(path, text);
        }),
    },
    snapshot: () =>
      call("snapshot", "snapshot_failed", 2, () => ({ tree: take(disk), files: disk.tracked.size, left_out: [] })),
    restore: (tree) =>
      call("restore", "snapshot_failed", 2, () => {
        const wanted = disk.trees.get(tree);
        if (wanted === undefined) throw new HarnessError("snapshot_failed", `There is no tree ${tree}.`, "Look.");
        return putBack(disk, wanted, () => {
          if (!luck.chance(faults.crash * 3)) return false;
          crashed(process, ledger, "within workspace.restore");
          return true;
        });
      }),
    markFileClock: () => ({ at_ms: world.time(), passed: process.edge(() => world.sleep(4)) }),
    untrackedChangedSince: (mark, limit) =>
      call("look", "git_failed", 2, () =>
        disk.untracked
          .filter(({ at }) => at > mark)
          .map(() => "ignored/log.txt")
          .slice(0, limit),
      ),
    // No part of what a session leaves: it takes no time and no luck.
    note: async () => "written",
    resetScratch: () => call("resetScratch", "file_failed", 1, () => undefined),
    commit: (tree) =>
      call("commit", "git_failed", 3, () => {
        if (!disk.trees.has(tree)) throw new HarnessError("git_failed", `There is no tree ${tree}.`, "Look.");
        return mode === "clone" ? String((disk.commits += 1)).padStart(40, "0") : null;
      }),
    diff: unused,
    changes: unused,
    merge: unused,
    apply: unused,
    remove: unused,
  };
}

/** D1. */
function take(disk: Disk): TreeHash {
  const files = new Map([...disk.tracked].sort(([a], [b]) => (a < b ? -1 : 1)));
  const tree = parseTreeHash(
    createHash("sha1")
      .update(JSON.stringify([...files]))
      .digest("hex"),
  );
  disk.trees.set(tree, files);
  return tree;
}

/** D2. @param stop says whether the process died before the next file */
function putBack(disk: Disk, wanted: ReadonlyMap<string, string>, stop: () => boolean): readonly string[] {
  const paths = [...new Set([...disk.tracked.keys(), ...wanted.keys()])];
  const changed = paths.filter((path) => disk.tracked.get(path) !== wanted.get(path));
  for (const path of changed) {
    if (stop()) break;
    const text = wanted.get(path);
    if (text === undefined) disk.tracked.delete(path);
    else disk.tracked.set(path, text);
  }
  return changed;
}

function newLines(before: string, after: string): readonly string[] {
  const known = new Set(before.split("\n"));
  return after.split("\n").filter((line) => line.startsWith("T") && !known.has(line));
}
