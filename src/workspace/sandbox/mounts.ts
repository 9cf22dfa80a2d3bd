/**
 * What the sandbox's file system looks like: the machine read-only, homes and sockets hidden, the workspace writable,
 * and what belongs to nobody's command covered again. A list of mounts, the shallow before the deep, so that a deeper
 * one always stands on top of the one around it.
 *
 * B1: nothing outside `root` and the scratch directories is writable (what a command writes in a hidden place is memory
 *     that ends with it).
 * B2: a protected path can neither be changed, nor replaced by renaming a directory above it, nor made when it is missing.
 * B3: what is found to be a secret is there and cannot be read.
 * B4: of a tree that belongs to somebody else, not even the root is writable.
 */
import { existsSync, lstatSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { COVERED_PATHS } from "../../kernel/protected-paths.ts";
import { homes, listeningSockets, secretPaths } from "./masks.ts";
import { isPlaceholder } from "./placeholders.ts";
import type { WorkspaceFindings } from "./scan.ts";
import { pathDirectories, toolchainDirectories } from "./toolchains.ts";
import type { ScratchDirectories } from "../workspace.ts";

export interface SandboxLayout {
  /** The one directory that commands may change. */
  readonly root: string;
  readonly scratch: ScratchDirectories;
  /** Read-only although it stands in a hidden place: git objects, belay's own programs. */
  readonly readable: readonly string[];
  /** Whose tree the root is: belay's own (a clone), or the user's. */
  readonly tree: "own" | "users";
  /** Commands change nothing below `root` either. Absent is false. */
  readonly readOnly?: boolean;
  /** Below `root`, and not to be changed, besides `COVERED_PATHS`. They need not exist. */
  readonly protectedPaths: readonly string[];
  /** The user's own home: hidden, but for tool chains. */
  readonly home: string;
  /** PATH of commands. */
  readonly path: string;
  /** Directories of belay's own (its home, with the journal): hidden. They need not exist. */
  readonly hidden: readonly string[];
  /** More files and directories to be covered. They need not exist. */
  readonly maskedPaths: readonly string[];
}

interface Mount {
  readonly path: string;
  readonly kind: "hide" | "write" | "read" | "mask";
  /** What is shown there; itself when absent. */
  readonly source?: string;
}

export interface MountPlan {
  readonly arguments: readonly string[];
  /** Directories that must be made below `root` before the sandbox, for it to stand on. */
  readonly placeholders: readonly string[];
}

export interface PlanRequest {
  /** Whether the machine's network is shared. */
  readonly network: boolean;
  readonly findings: WorkspaceFindings;
  /** Of bubblewrap: what it can do. */
  readonly version: string;
  /** Of each place in memory that commands may write. */
  readonly memory_bytes: number;
}

/** From these versions on bubblewrap takes `--perms`, and `--size`. */
const WITH_PERMS = [0, 5] as const;
const WITH_SIZE = [0, 7] as const;

/** Reads the machine as it is now. @throws `sandbox_failed` when a protected path cannot be protected */
export function planMounts(layout: SandboxLayout, request: PlanRequest): MountPlan {
  const { network, findings } = request;
  const root = realDirectory(layout.root);
  const readOnly = layout.readOnly === true;
  const protection = readOnly ? NO_PROTECTION : protect(root, layout, request);
  // A service user's home may be the root directory itself: that cannot be hidden.
  const to_hide = [...homes(layout.home), ...layout.hidden.flatMap(real)].filter((path) => path !== "/");
  const hidden = to_hide.map((path): Mount => ({ path, kind: "hide" }));
  const shown = shownAgain(layout, hidden);
  const open: readonly Mount[] = [
    { path: "/run", kind: "hide" },
    { path: "/var/tmp", kind: "hide" },
    { path: "/dev/shm", kind: "hide" },
    { path: "/tmp", kind: "write", source: realDirectory(layout.scratch.tmp) },
    { path: realDirectory(layout.scratch.home), kind: "write" },
    { path: root, kind: readOnly ? "read" : "write" },
    ...runReadable(network).map((path): Mount => ({ path, kind: "read" })),
  ];
  const standing = ordered([...hidden, ...shown, ...open, ...protection.mounts]);
  const masked = [...layout.maskedPaths, ...findings.secrets].flatMap(real);
  const masks = [...secretPaths(layout.home), ...masked, ...listeningSockets()]
    .filter((path) => isVisible(path, standing))
    .map((path): Mount => ({ path, kind: "mask" }));
  const still_hidden = standing.filter(({ path, kind }) => kind === "hide" && to_hide.includes(path));
  const read_only_homes = still_hidden.flatMap(({ path }) => ["--remount-ro", path]);
  return {
    arguments: [
      ...ordered([...standing, ...masks]).flatMap((mount) => argumentsOf(mount, request)),
      ...protection.covers,
      ...read_only_homes,
    ],
    placeholders: protection.placeholders,
  };
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [own_major = 0, own_minor = 0] = version.split(".").map(Number);
  return own_major > major || (own_major === major && own_minor >= minor);
}

function argumentsOf(mount: Mount, { version, memory_bytes }: PlanRequest): readonly string[] {
  switch (mount.kind) {
    case "hide":
      // Without a size it may take half of the machine's memory.
      return [...(isAtLeast(version, WITH_SIZE) ? ["--size", String(memory_bytes)] : []), "--tmpfs", mount.path];
    case "write":
      return ["--bind", mount.source ?? mount.path, mount.path];
    case "read":
      return ["--ro-bind", mount.path, mount.path];
    case "mask":
      // Reading the device there is refused: it is mounted without devices.
      return statSync(mount.path).isDirectory()
        ? ["--tmpfs", mount.path, "--remount-ro", mount.path]
        : ["--ro-bind", "/dev/null", mount.path];
  }
}

/** The shallow first; of two for one path the later. */
function ordered(mounts: readonly Mount[]): readonly Mount[] {
  const last = new Map(mounts.map((mount) => [mount.path, mount]));
  const depth = (mount: Mount): number => mount.path.split(sep).length;
  return [...last.values()].sort((a, b) => depth(a) - depth(b));
}

/** Tool chains and readable directories, as far as they stand in a hidden place; never what would uncover one. */
function shownAgain(layout: SandboxLayout, hidden: readonly Mount[]): readonly Mount[] {
  const secrets = new Set(secretPaths(layout.home));
  const candidates = [...toolchainDirectories(layout.home), ...pathDirectories(layout.path)].filter(
    (path) =>
      isInside(path, [...hidden.map((mount) => mount.path), "/tmp", "/var/tmp"]) &&
      !isInside(path, [
        ...secrets,
        realDirectory(layout.root),
        realDirectory(layout.scratch.home),
        realDirectory(layout.scratch.tmp),
      ]),
  );
  const covers_hidden = (path: string): boolean => hidden.some((mount) => isInside(mount.path, [path]));
  return [...candidates.filter((path) => !covers_hidden(path)), ...layout.readable.flatMap(real)].map((path) => ({
    path,
    kind: "read",
  }));
}

/** What of /run must stay: where the resolver's configuration points, and where NixOS keeps its programs. */
function runReadable(network: boolean): readonly string[] {
  const resolver = network ? real("/etc/resolv.conf").filter((path) => path.startsWith("/run/")) : [];
  return [...resolver, ...["/run/current-system", "/run/opengl-driver"].filter(existsSync)];
}

/** Whether a path can be seen: the deepest mount around it shows the machine's own files. */
function isVisible(path: string, standing: readonly Mount[]): boolean {
  const around = standing.findLast((mount) => isInside(path, [mount.path]));
  return around === undefined || (around.kind !== "hide" && around.source === undefined);
}

interface Protection {
  readonly mounts: readonly Mount[];
  /** Arguments that cover what does not exist. */
  readonly covers: readonly string[];
  readonly placeholders: readonly string[];
}

/** B4: what is read-only as a whole needs no more: nothing is made in it, and no part of it can be opened again. */
const NO_PROTECTION: Protection = { mounts: [], covers: [], placeholders: [] };

/** B2: the path is read-only, and every directory between it and the root is a mount of its own, which cannot be renamed. */
function protect(root: string, layout: SandboxLayout, { findings: { settings }, version }: PlanRequest): Protection {
  const read_only = new Set<string>();
  const pins = new Set<string>();
  const missing = new Set<string>();
  const named = [...layout.protectedPaths, ...COVERED_PATHS.map((path) => join(root, path))];
  for (const given of new Set([...named, ...settings])) {
    const way = wayTo(root, join(root, relative(root, given)));
    if (way.link !== null && layout.tree === "users" && named.includes(given)) refuseLink(way.link);
    for (const step of way.above) pins.add(step);
    if (way.missing !== null) missing.add(way.missing);
    else if (way.end !== null) read_only.add(way.end);
  }
  // Read-only wins over a pin of the same directory, and what is in a read-only directory needs nothing more.
  const outermost = [...read_only].filter((path) => !isInside(dirname(path), [...read_only]));
  const placeholders = [...missing].filter((path) => !isInside(path, outermost));
  return {
    mounts: [
      ...[...pins].filter((path) => !isInside(path, outermost)).map((path): Mount => ({ path, kind: "write" })),
      ...outermost.map((path): Mount => ({ path, kind: "read" })),
    ],
    // Memory that nobody may write in is the cheapest cover: a read-only mount has all mounts looked through once more.
    covers: placeholders.flatMap((path) =>
      isAtLeast(version, WITH_PERMS) ? ["--perms", "0555", "--tmpfs", path] : ["--ro-bind", path, path],
    ),
    placeholders,
  };
}

interface Way {
  /** Directories between the root and the end. */
  readonly above: readonly string[];
  /** What is to be read-only; null when there is nothing. */
  readonly end: string | null;
  /** The first that is not there, or is a place for a cover. */
  readonly missing: string | null;
  /** A link on the way: it can be replaced, whatever it leads to. */
  readonly link: string | null;
}

function wayTo(root: string, path: string): Way {
  const above: string[] = [];
  for (const step of stepsBelow(root, path)) {
    const stat = lstatSync(step, { throwIfNoEntry: false });
    if (stat === undefined || isPlaceholder(step)) return { above, end: null, missing: step, link: null };
    if (stat.isSymbolicLink()) return { above, end: targetInside(root, step), missing: null, link: step };
    // A file where a directory was expected (`.git` of a linked worktree): nothing can be below it while it stays.
    if (step === path || !stat.isDirectory()) return { above, end: step, missing: null, link: null };
    above.push(step);
  }
  return { above, end: null, missing: null, link: null };
}

/** What the link leads to, when that is below the root. */
function targetInside(root: string, link: string): string | null {
  const [target] = real(link);
  return target?.startsWith(`${root}/`) === true ? target : null;
}

function stepsBelow(root: string, path: string): readonly string[] {
  const names = relative(root, path).split(sep);
  if (names[0] === ".." || names[0] === "") {
    throw new HarnessError(
      "sandbox_failed",
      `The protected path ${path} is not below the workspace.`,
      "This is a defect of belay: report it.",
    );
  }
  return names.map((_, index) => join(root, ...names.slice(0, index + 1)));
}

function refuseLink(path: string): never {
  throw new HarnessError(
    "sandbox_failed",
    `${path} is a symbolic link, and a link cannot be protected from being replaced.`,
    "Work in the default workspace, a private clone, instead of --in-place.",
  );
}

/** @throws `process_failed` */
export function realDirectory(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new HarnessError(
      "process_failed",
      `The directory ${path} is not there, so no command can run in it.`,
      "Look whether the workspace was removed.",
      { cause },
    );
  }
}

function real(path: string): readonly string[] {
  return existsSync(path) ? [realpathSync(path)] : [];
}

/** Below one of them, or one of them. */
function isInside(path: string, directories: readonly string[]): boolean {
  return directories.some(
    (directory) => path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`),
  );
}
