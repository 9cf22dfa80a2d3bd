/**
 * The port through which files reach the context: whoever puts the parts together reads them, safely. Nothing here throws for
 * what a file or a directory is; links, sizes and kinds are the reader's concern.
 */

/** `project`: the top of the repository, or the directory itself. `claude`, `belay`: the user's own directories of settings. */
export type ContextRoot = "project" | "claude" | "belay";

/** `path` is below the root, of names alone: no `..`, no beginning `/`; empty is the root. */
export interface ContextPlace {
  readonly root: ContextRoot;
  readonly path: string;
}

/** Refused: it is there, and what it says is not known. `why` begins with `it`. */
export type ContextText =
  | {
      readonly found: "text";
      readonly text: string;
      /** sha256 of the bytes, hexadecimal. */
      readonly hash: string;
      /** Where links led, below the root. */
      readonly at: string;
    }
  | { readonly found: "nothing" }
  | { readonly found: "refused"; readonly why: string };

export interface ContextEntry {
  readonly name: string;
  /** A link may lead to either. */
  readonly kind: "file" | "directory" | "link";
}

export type ContextNames =
  | {
      readonly found: "names";
      /** Sorted by name. */
      readonly entries: readonly ContextEntry[];
      /** There are more. */
      readonly cut: boolean;
    }
  | { readonly found: "nothing" }
  | { readonly found: "refused"; readonly why: string };

export interface ContextFiles {
  /** Never outside a project's root, wherever links lead; a user's own links lead wherever the user put them. */
  read(place: ContextPlace, bytes_max: number): ContextText;
  /** The names of a directory; of a project's only when it lies in the project. */
  list(place: ContextPlace, entries_max: number): ContextNames;
}

/** With what the name of a user's own file begins, and no project's. */
export const USERS = "~/";
const SHOWN: { readonly [R in ContextRoot]: string } = {
  project: "",
  claude: `${USERS}.claude/`,
  belay: `${USERS}.belay/`,
};

/** For people, the model and journals: the same on every machine. */
export function shownPath({ root, path }: ContextPlace): string {
  return root === "project" && path.startsWith("~") ? `./${path}` : `${SHOWN[root]}${path}`;
}

export function joined(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/**
 * Where a path leads that stands in a file of `directory`; null when it leaves the root, as far as names tell.
 * @param path relative
 */
export function resolvedBelow(directory: string, path: string): string | null {
  const names: string[] = [];
  for (const name of `${directory}/${path}`.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.pop() === undefined) return null;
  }
  return names.join("/");
}
