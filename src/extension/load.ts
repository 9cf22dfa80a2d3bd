/**
 * The one way in for everything that is read from a repository or a home: settings and descriptions of servers now, and what
 * else others add. It says of each file whose it is, whether git keeps it, its hash, and whether somebody trusted these bytes.
 *
 * L1: files of a repository are read through `readFileBelow`: no link leads out of it.
 * L2: a file that git tracks is the repository's, whatever it is called; where git cannot be asked it counts as tracked.
 * L3: nothing that is read here starts anything, and only bytes that were trusted are `trusted`.
 */
import { type PlainFile, readFileBelow, readPlainFile } from "./plain-file.ts";

export type FileOrigin = "managed" | "user" | "project" | "local";
export type FileKind = "settings" | "mcp" | "instructions" | "skill" | "agent" | "hooks";

/** A place where a file may be. */
export interface Place {
  readonly kind: FileKind;
  readonly origin: FileOrigin;
  /** Absolute, without links. */
  readonly root: string;
  /** Below the root. */
  readonly path: string;
  /** For people and for journals: not absolute, but for what is at the same place on every machine. */
  readonly shown: string;
  readonly bytes_max: number;
}

export interface LoadedFile {
  /** For people and for journals. */
  readonly path: string;
  readonly kind: FileKind;
  readonly origin: FileOrigin;
  /** Null outside a repository, and where git could not be asked. */
  readonly tracked: boolean | null;
  readonly ignored: boolean | null;
  /** sha256 of the bytes. */
  readonly hash: string;
  readonly trusted: boolean;
  readonly text: string;
}

/** It is there, and what it says is not known. */
export interface RefusedFile {
  readonly path: string;
  /** Where it is on this machine: for a person, never for a journal. */
  readonly absolute: string;
  readonly kind: FileKind;
  readonly origin: FileOrigin;
  readonly why: string;
}

/** What git says of paths below the repository's top: answered without running anything of the repository's. */
export interface GitFacts {
  /** Those of them that the index holds, or something that they lie in; null where git could not say. */
  isTracked(paths: readonly string[]): Promise<ReadonlySet<string> | null>;
  isIgnored(paths: readonly string[]): Promise<ReadonlySet<string> | null>;
}

export interface LoadContext {
  /** Null where there is no repository. */
  readonly git: GitFacts | null;
  /** Whether a person trusted this file of a repository with these bytes. */
  readonly trusted: (file: { readonly path: string; readonly hash: string }) => boolean;
}

export interface Loaded {
  readonly files: readonly LoadedFile[];
  readonly refused: readonly RefusedFile[];
}

/** In the order of the places. What is not there is left out. */
export async function loadFiles(places: readonly Place[], { git, trusted }: LoadContext): Promise<Loaded> {
  const read = places.map((place) => ({ place, found: readPlace(place) }));
  const asked = read.flatMap(({ place, found }) => (isOfRepository(place) && found.found === "text" ? [found.at] : []));
  const [tracked, ignored] =
    git === null || asked.length === 0 ? [null, null] : await Promise.all([git.isTracked(asked), git.isIgnored(asked)]);
  const files: LoadedFile[] = [];
  const refused: RefusedFile[] = [];
  for (const { place, found } of read) {
    const { kind, shown: path } = place;
    if (found.found === "refused") {
      const absolute = `${place.root}/${place.path}`;
      refused.push({ path, absolute, kind, origin: place.origin, why: found.why });
    }
    if (found.found !== "text") continue;
    const { text, hash, at } = found;
    const own = !isOfRepository(place);
    const kept = own ? null : (tracked?.has(at) ?? null);
    // L2
    const origin = place.origin === "local" && git !== null && kept !== false ? "project" : place.origin;
    const facts = { tracked: kept, ignored: own ? null : (ignored?.has(at) ?? null) };
    files.push({ path, kind, origin, ...facts, hash, trusted: own || trusted({ path, hash }), text });
  }
  return { files, refused };
}

function isOfRepository({ origin }: Pick<Place, "origin">): boolean {
  return origin === "project" || origin === "local";
}

function readPlace(place: Place): PlainFile {
  const { root, path, bytes_max } = place;
  return isOfRepository(place) ? readFileBelow(root, path, bytes_max) : readPlainFile(`${root}/${path}`, bytes_max);
}
