/**
 * What the sandbox's file system looks like: the machine read-only, homes and sockets hidden, the workspace writable,
 * and what belongs to nobody's command covered again. A list of mounts, the shallow before the deep, so that a deeper
 * one always stands on top of the one around it.
 *
 * B1: nothing outside `root` and the scratch directories is writable (what a command writes in a hidden place is memory
 *     that ends with it).
 * B2: a protected path can neither be changed, nor replaced by renaming a directory above it, nor made when it is missing.
 */
import { existsSync, lstatSync, realpathSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { homes, listeningSockets, secretPaths } from "./masks.ts";
import { pathDirectories, toolchainDirectories } from "./toolchains.ts";
import type { ScratchDirectories } from "../workspace.ts";

export interface SandboxLayout {
  /** The one directory that commands may change. */
  readonly root: string;
  readonly scratch: ScratchDirectories;
  /** Read-only although it stands in a hidden place: git objects, belay's own programs. */
  readonly readable: readonly string[];
  /** Below `root`, and not to be changed. They need not exist. */
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
  /** Empty directories that the sandbox makes below `root` to stand on; to be removed afterwards while they are empty. */
  readonly placeholders: readonly string[];
}

/** Reads the machine as it is now. @throws `sandbox_failed` when a protected path cannot be protected */
export function planMounts(layout: SandboxLayout, network: boolean): MountPlan {
  const root = realDirectory(layout.root);
  const protection = protect(root, layout.protectedPaths);
  // A service user's home may be the root directory itself: that cannot be hidden.
  const to_hide = [...homes(layout.home), ...layout.hidden.flatMap(real)].filter((path) => path !== "/");
  const hidden = to_hide.map((path): Mount => ({ path, kind: "hide" }));
  const shown = shownAgain(layout, hidden);
  const open: readonly Mount[] = [
    { path: "/run", kind: "hide" },
    { path: "/var/tmp", kind: "hide" },
    { path: "/tmp", kind: "write", source: realDirectory(layout.scratch.tmp) },
    { path: realDirectory(layout.scratch.home), kind: "write" },
    { path: root, kind: "write" },
    ...runReadable(network).map((path): Mount => ({ path, kind: "read" })),
  ];
  const standing = ordered([...hidden, ...shown, ...open, ...protection.mounts]);
  const masks = [...secretPaths(layout.home), ...layout.maskedPaths.flatMap(real), ...listeningSockets()]
    .filter((path) => isVisible(path, standing))
    .map((path): Mount => ({ path, kind: "mask" }));
  const still_hidden = standing.filter(({ path, kind }) => kind === "hide" && to_hide.includes(path));
  const read_only_homes = still_hidden.flatMap(({ path }) => ["--remount-ro", path]);
  return {
    arguments: [...ordered([...standing, ...masks]).flatMap(argumentsOf), ...protection.covers, ...read_only_homes],
    placeholders: protection.placeholders,
  };
}

function argumentsOf(mount: Mount): readonly string[] {
  switch (mount.kind) {
    case "hide":
      return ["--tmpfs", mount.path];
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

/** B2: the path is read-only, and every directory between it and the root is a mount of its own, which cannot be renamed. */
function protect(root: string, paths: readonly string[]): Protection {
  const mounts: Mount[] = [];
  const missing = new Set<string>();
  for (const given of paths) {
    const steps = stepsBelow(root, join(root, relative(root, given)));
    const first_missing = steps.find((step) => !exists(step));
    const present = steps.slice(0, first_missing === undefined ? undefined : steps.indexOf(first_missing));
    present.forEach(refuseLink);
    for (const step of present) mounts.push({ path: step, kind: step === steps.at(-1) ? "read" : "write" });
    if (first_missing !== undefined) missing.add(first_missing);
  }
  // Read-only wins over a pin of the same directory, and what is missing in a read-only directory needs no cover.
  const read_only = mounts.filter((mount) => mount.kind === "read");
  const pins = mounts.filter(
    (mount) =>
      mount.kind === "write" &&
      !isInside(
        mount.path,
        read_only.map((each) => each.path),
      ),
  );
  const placeholders = [...missing].filter(
    (path) =>
      !isInside(
        path,
        read_only.map((each) => each.path),
      ),
  );
  return {
    mounts: [...pins, ...read_only],
    covers: placeholders.flatMap((path) => ["--tmpfs", path, "--remount-ro", path]),
    placeholders,
  };
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

function refuseLink(path: string): void {
  if (!lstatSync(path).isSymbolicLink()) return;
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

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
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
