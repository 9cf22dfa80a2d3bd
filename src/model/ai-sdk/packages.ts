/**
 * Packages of the AI SDK that a user installed for belay. To load one is to run its code outside every sandbox, so:
 *
 * K1: it is looked for in belay's own places alone, never along the directories above some file, as Node would: the
 *     repository that an agent works in can hold a package of any name.
 * K2: a place inside a repository is no place, whoever named it; nor is one beside a project's `package.json`.
 * K3: the file that is loaded lies, all links followed, in no repository either.
 */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { HarnessError } from "../../kernel/harness-error.ts";
import { asRecord, at, type JsonRecord, parseJson, textAt } from "../json-view.ts";

export interface PackagePlaces {
  /** A directory of the user's for nothing else: `npm install --prefix <it> <package>` fills it. Absolute. */
  readonly own: string;
  /** Where belay itself is installed, if it may be for all projects: what lies beside it was installed with it. Absolute. */
  readonly belay: string;
  /** Directories that are never looked into. Absolute. */
  readonly never: readonly string[];
}

/** @returns the file to import, or null where the package is not installed in any of the places */
export function findPackage(name: string, places: PackagePlaces): string | null {
  for (const directory of directories(places)) {
    if (!existsSync(join(directory, ...name.split("/"), "package.json"))) continue;
    const file = realpathSync(entryOf(directory, name));
    if (!isForeign(file, places.never)) return file; // K3
  }
  return null;
}

export async function loadPackage(name: string, places: PackagePlaces): Promise<JsonRecord | null> {
  const file = findPackage(name, places);
  if (file === null) return null;
  try {
    const loaded: unknown = await import(pathToFileURL(file).href);
    return asRecord(loaded);
  } catch (cause) {
    throw new HarnessError(
      "config_invalid",
      `The package ${name} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}.`,
      `Install it again: ${installCommand(name, places)}.`,
      { cause },
    );
  }
}

/** @throws HarnessError `config_invalid`: how to install it */
export function packageMissing(provider: string, name: string, places: PackagePlaces): HarnessError {
  return new HarnessError(
    "config_invalid",
    `The provider ${provider} needs the package ${name}, which is not installed for belay.`,
    `Install it: ${installCommand(name, places)} (belay loads it from there, never from a repository).`,
  );
}

function installCommand(name: string, { own }: PackagePlaces): string {
  return `npm install --prefix ${own} ${name}`;
}

function directories({ own, belay, never }: PackagePlaces): readonly string[] {
  const mine = join(own, "node_modules");
  const beside = nodeModulesAround(belay);
  const project = beside === null || existsSync(join(dirname(beside), "package.json")); // K2
  return [mine, ...(project ? [] : [beside])].filter(
    (directory) => existsSync(directory) && !isForeign(realpathSync(directory), never),
  );
}

/** The `node_modules` that holds this file, the outermost of nested ones; null where it is in none. */
function nodeModulesAround(file: string): string | null {
  const parts = file.split(sep);
  const index = parts.indexOf("node_modules");
  return index === -1 ? null : parts.slice(0, index + 1).join(sep);
}

/** K2. In a repository (a worktree's `.git` is a file), or in one of the directories. */
function isForeign(path: string, never: readonly string[]): boolean {
  for (let directory = path; ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".git")) || never.some((one) => real(one) === directory)) return true;
    if (dirname(directory) === directory) return false;
  }
}

function real(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** The package's module for `import`, which Node's own look-up from here, begun where the package is known to be, is not asked for. */
function entryOf(directory: string, name: string): string {
  const path = join(directory, ...name.split("/"));
  const main = at(parseJson(readFileSync(join(path, "package.json"), "utf8")), "exports", ".");
  const entry = textAt(main, "import") ?? textAt(main, "import", "default");
  return entry === null ? createRequire(join(directory, "belay.js")).resolve(name) : join(path, entry);
}
