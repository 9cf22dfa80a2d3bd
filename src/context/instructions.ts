/**
 * Instruction files: AGENTS.md and CLAUDE.md of the project, from its top down to where the user stands, and the user's own. The
 * general ones come first: of two that differ, the later one, which is nearer, wins.
 *
 * I1: nothing is read outside the project and the user's own directories of settings, and of those only Markdown.
 * I2: a text enters once, whichever files hold it, name it or lead to it.
 * I3: bytes, files and depths are bounded; the nearest files are the last to be cut, and what is cut is said.
 */
import type { Origin } from "../kernel/content.ts";
import { hashOf } from "../kernel/envelope.ts";
import { neutralise } from "../kernel/neutralise.ts";
import { isSecretPath } from "../kernel/secret-paths.ts";
import { type ContextFiles, type ContextPlace, joined, resolvedBelow, shownPath } from "./context-files.ts";
import { cutToBytes, line, markedNote } from "./frame.ts";
import { importsIn, withoutComments } from "./markdown.ts";

/** A file that is larger is not read at all. Bytes. */
export const INSTRUCTION_READ_BYTES_MAX = 1024 * 1024;
/** What of one file enters, and of all. Bytes. */
export const INSTRUCTION_FILE_BYTES_MAX = 32 * 1024;
export const INSTRUCTIONS_BYTES_MAX = 64 * 1024;
/** Imports that lead to imports. */
export const IMPORT_DEPTH_MAX = 5;
/** Paths that are tried for imports, over all files, and imported files that are read. */
const IMPORTS_TRIED_MAX = 200;
const IMPORTED_FILES_MAX = 40;
/** Directories between the top and the user; of more, the nearest count. */
const DIRECTORIES_MAX = 32;
/** What is left of a file that is cut to less says nothing. Bytes. */
const WORTH_BYTES_MIN = 200;

/** In each directory, the later one wins. */
const NAMES = ["AGENTS.md", "CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"] as const;
const OF_THE_USER: readonly ContextPlace[] = [
  { root: "claude", path: "CLAUDE.md" },
  { root: "belay", path: "AGENTS.md" },
];
/** I1. Credentials and transcripts lie in the user's directories, too. */
const OF_USERS_DIRECTORIES = /^(?!(?:sessions|projects|todos|history)\/)[^\0]+\.md$/i;
/** What is not there is worth a word only when it was surely meant as a path: people write `@someone`, too. */
const SURELY_A_PATH = /^(?:~\/|\.{1,2}\/)|\.(?:md|mdx|txt)$/i;

export interface InstructionFile {
  /** For people, the model and journals. */
  readonly path: string;
  readonly text: string;
  readonly origin: Origin;
  /** The file that named it; null for one that was found by its name. */
  readonly imported_by: string | null;
  /** Left out at its end. */
  readonly cut_bytes: number;
}

export interface InstructionRequest {
  readonly files: ContextFiles;
  /** Where the user stands below the top of the project; empty is the top. */
  readonly standing: string;
  /** The project is strangers' text. */
  readonly untrusted: boolean;
}

export interface FoundInstructions {
  /** In the order in which they count. */
  readonly files: readonly InstructionFile[];
  /** What was refused, left out or cut. */
  readonly findings: readonly string[];
}

export function findInstructions(request: InstructionRequest): FoundInstructions {
  const gathering = new Gathering(request);
  for (const place of OF_THE_USER) gathering.enter(place, null, 0);
  for (const directory of directoriesTo(request.standing))
    for (const name of NAMES) gathering.enter({ root: "project", path: joined(directory, name) }, null, 0);
  return gathering.found();
}

/** From the top down to `standing`, both included. */
function directoriesTo(standing: string): readonly string[] {
  const names = (resolvedBelow("", standing) ?? "").split("/").filter((name) => name !== "");
  return names
    .reduce<readonly string[]>((all, name) => [...all, joined(all.at(-1) ?? "", name)], [""])
    .slice(-DIRECTORIES_MAX);
}

export function originOf({ root, path }: ContextPlace, untrusted: boolean): Origin {
  const origin: Origin = { from: "workspace", by: line(shownPath({ root, path })) };
  return untrusted && root === "project" ? { ...origin, untrusted: true } : origin;
}

class Gathering {
  readonly #request: InstructionRequest;
  readonly #files: InstructionFile[] = [];
  readonly #findings: string[] = [];
  /** Where texts lie, and what they are. I2. */
  readonly #seen = new Set<string>();
  #tried = 0;
  #imported = 0;

  constructor(request: InstructionRequest) {
    this.#request = request;
  }

  /** @param by the file that named it, as shown; null where it was looked for @param written as it was named */
  enter(place: ContextPlace, by: string | null, depth: number, written = ""): void {
    const shown = line(shownPath(place));
    const found = this.#request.files.read(place, INSTRUCTION_READ_BYTES_MAX);
    if (found.found === "nothing") {
      if (by !== null && SURELY_A_PATH.test(written)) this.#say(`${by} imports ${shown}, and there is no such file`);
      return;
    }
    if (found.found === "refused") {
      if (by === null) this.#say(`${shown} was not read: ${found.why}`);
      else if (SURELY_A_PATH.test(written)) this.#say(`${by} imports ${shown}, which was not read: ${found.why}`);
      return;
    }
    // A link may lead to what its name does not say.
    if (isSecretPath(found.at)) return this.#say(`${shown} leads to a file that holds secrets: it was not read`);
    if (!this.#isNew(`at ${place.root}:${found.at}`)) return;
    if (by !== null && ++this.#imported > IMPORTED_FILES_MAX) {
      if (this.#imported === IMPORTED_FILES_MAX + 1)
        this.#say(`more than ${String(IMPORTED_FILES_MAX)} files are imported: ${shown} and what follows is left out`);
      return;
    }
    const clean = neutralise(found.text);
    const marked = markedNote(clean.found);
    if (marked !== null) this.#say(`${shown}: ${marked}`);
    const text = withoutComments(clean.text).trim();
    const { paths, left_out, alone } = importsIn(text);
    if (left_out > 0) this.#say(`${shown} names ${String(left_out)} more imports than are looked at`);
    for (const path of paths) this.#import(path, place, shown, depth + 1);
    if (alone || !this.#isNew(`text ${hashOf(text)}`)) return;
    const origin = originOf(place, this.#request.untrusted);
    this.#files.push({ path: shown, text, origin, imported_by: by, cut_bytes: 0 });
  }

  found(): FoundInstructions {
    let left = INSTRUCTIONS_BYTES_MAX;
    const fitting = this.#files.toReversed().flatMap((file): readonly InstructionFile[] => {
      const bytes = Buffer.byteLength(file.text, "utf8");
      const text = cutToBytes(file.text, Math.min(INSTRUCTION_FILE_BYTES_MAX, left));
      const kept = Buffer.byteLength(text, "utf8");
      if (kept < bytes && kept < WORTH_BYTES_MIN) {
        this.#say(
          `${file.path} is left out: all instructions together have more than ${String(INSTRUCTIONS_BYTES_MAX)} bytes`,
        );
        return [];
      }
      left -= kept;
      if (kept === bytes) return [file];
      this.#say(`${file.path} is cut: ${String(bytes - kept)} of its ${String(bytes)} bytes are left out`);
      return [{ ...file, text, cut_bytes: bytes - kept }];
    });
    return { files: fitting.toReversed(), findings: this.#findings };
  }

  #import(written: string, from: ContextPlace, by: string, depth: number): void {
    const sure = SURELY_A_PATH.test(written);
    const place = placeOf(written, from);
    if (place === null) {
      if (sure) this.#say(`${by} imports ${line(written)}, which lies outside: it was not read`);
      return;
    }
    if (place.root !== "project" && from.root === "project" && this.#request.untrusted) {
      return this.#say(`${by} imports ${line(written)}: strangers' files import nothing of the user's`);
    }
    if (place.root !== "project" && !OF_USERS_DIRECTORIES.test(place.path)) {
      return this.#say(`${by} imports ${line(written)}: of the user's directories only Markdown is read`);
    }
    if (isSecretPath(place.path))
      return this.#say(`${by} imports ${line(written)}, which holds secrets: it was not read`);
    if (depth > IMPORT_DEPTH_MAX) {
      return this.#say(`${by} imports ${line(written)}: imports go ${String(IMPORT_DEPTH_MAX)} files deep, no further`);
    }
    if (++this.#tried > IMPORTS_TRIED_MAX) {
      if (this.#tried === IMPORTS_TRIED_MAX + 1)
        this.#say(
          `more than ${String(IMPORTS_TRIED_MAX)} imports are named: ${line(written)} in ${by} and what follows is left out`,
        );
      return;
    }
    this.enter(place, by, depth, written);
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  #say(finding: string): void {
    this.#findings.push(finding);
  }
}

/** Null outside. I1. */
function placeOf(written: string, from: ContextPlace): ContextPlace | null {
  const own = /^~\/\.(claude|belay)\/(.+)$/s.exec(written);
  if (own !== null) {
    const path = resolvedBelow("", own[2] ?? "");
    return path === null || path === "" ? null : { root: own[1] === "claude" ? "claude" : "belay", path };
  }
  if (written.startsWith("~") || written.startsWith("/")) return null;
  const directory = from.path.includes("/") ? from.path.slice(0, from.path.lastIndexOf("/")) : "";
  const path = resolvedBelow(directory, written);
  return path === null || path === "" ? null : { root: from.root, path };
}
