/** Reads for the context: through the one way in for files that others may have put there. */
import * as fs from "node:fs";
import { join } from "node:path";
import type { ContextEntry, ContextFiles, ContextNames, ContextPlace, ContextRoot } from "../context/context-files.ts";
import { readFileBelow, readPlainFile } from "../extension/plain-file.ts";

/** Absolute. Null: there is none. */
export type ContextRoots = { readonly [R in ContextRoot]: string | null };

export function createContextFiles(roots: ContextRoots): ContextFiles {
  const real = Object.fromEntries(
    Object.entries(roots).map(([root, path]) => [root, path === null ? null : realPath(path)]),
  ) as ContextRoots; // the same names
  return {
    read: ({ root, path }, bytes_max) => {
      const base = real[root];
      if (base === null) return { found: "nothing" };
      if (root === "project") return readFileBelow(base, path, bytes_max);
      const found = readPlainFile(join(base, path), bytes_max);
      return found.found === "text" ? { ...found, at: path } : found;
    },
    list: (place, entries_max) => namesOf(place, real[place.root], entries_max),
  };
}

function namesOf({ root, path }: ContextPlace, base: string | null, entries_max: number): ContextNames {
  if (base === null) return { found: "nothing" };
  try {
    const directory = fs.realpathSync(join(base, path));
    // Names alone are learned here; what they name is read by a walk that nothing leads out of.
    if (root === "project" && directory !== base && !directory.startsWith(`${base}/`))
      return { found: "refused", why: "it leads out of the directory" };
    return listed(fs.opendirSync(directory), entries_max);
  } catch (error) {
    const code = error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : null;
    if (code === null) throw error;
    if (code === "ENOENT" || code === "ENOTDIR") return { found: "nothing" };
    return { found: "refused", why: `it cannot be read (${code})` };
  }
}

function listed(directory: fs.Dir, entries_max: number): ContextNames {
  const entries: ContextEntry[] = [];
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const kind = kindOf(entry);
      if (kind === null) continue;
      if (entries.length === entries_max) return { found: "names", entries: sorted(entries), cut: true };
      entries.push({ name: entry.name, kind });
    }
    return { found: "names", entries: sorted(entries), cut: false };
  } finally {
    directory.closeSync();
  }
}

function kindOf(entry: fs.Dirent): ContextEntry["kind"] | null {
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "link";
  return entry.isFile() ? "file" : null;
}

function sorted(entries: readonly ContextEntry[]): readonly ContextEntry[] {
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Null where it is not there. */
function realPath(path: string): string | null {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
