/**
 * belay's own note in a workspace: `.belay/CONTINUITY.md`, and the ignore file that keeps it out of the user's git. They are
 * nobody's work: no snapshot, difference, delivery or recovery sees them, and a rollback leaves them alone.
 *
 * N1: nothing is written outside the root, whatever `.belay` is or becomes (no link is followed).
 * N2: what belay did not write stays as it is, to the byte: a project's own file of that name, a team's own ignore file.
 * N3: what stands in the way of the note is handed back as a reason and never thrown: the work goes on without it.
 */
import { type BytePath, joinPath, pathFromText } from "./byte-path.ts";
import { type FileContent, isSystemError, RootedDirectory } from "./files/rooted.ts";
import { isPlaceOfCover } from "./sandbox/placeholders.ts";
import type { OrdinaryModes } from "./snapshot/manifest.ts";

export const NOTE_DIRECTORY: BytePath = pathFromText(".belay");
export const NOTE_PATH: BytePath = pathFromText(".belay/CONTINUITY.md");
const IGNORE_PATH: BytePath = pathFromText(".belay/.gitignore");

/** The first line tells ours from a project's own. */
export const NOTE_MARK =
  "<!-- belay writes this file anew at each turn: it is no part of the work, and what is changed here is lost. -->";
/** Names what belay writes and nothing else: settings that a team shares in the same directory stay visible. */
export const OWN_IGNORE = "CONTINUITY.md\n.belay-*.tmp\n.gitignore\n";
/** For the agent's own repository, also where a team has an ignore file of its own there. */
export const NOTE_EXCLUDES = "/.belay/CONTINUITY.md\n/.belay/.belay-*.tmp\n";

/** A larger file is none of ours. Bytes. */
const NOTE_BYTES_MAX = 1024 * 1024;
/** What a write that was killed leaves beside the note. */
const TEMPORARY = /^\.belay\/\.belay-[0-9a-f]{16}\.tmp$/;

/** What became of a note. `refused`: nothing was written, and why, as a sentence without its end. */
export type NoteEnd = "written" | "same" | { readonly refused: string };

/** Whether a path of a workspace is belay's own note, or what is left of writing one. Looks at the file. */
export function isOwnNote(root: string, path: BytePath): boolean {
  if (!path.startsWith(".belay/")) return false;
  if (TEMPORARY.test(path)) return true;
  if (path === NOTE_PATH) return isNote(readQuietly(root, path));
  return path === IGNORE_PATH && isOwnIgnore(path, readQuietly(root, path)?.content ?? null);
}

/** The directory of the note, when the note is in it: its own times follow from that. */
export function holdsOwnNote(root: string, path: BytePath): boolean {
  return path === NOTE_DIRECTORY && isOwnNote(root, NOTE_PATH);
}

/** Rules of belay's own are no rules of the project: they are not frozen with them. */
export function isOwnIgnore(path: BytePath, content: Uint8Array | null): boolean {
  return path === IGNORE_PATH && content !== null && Buffer.from(OWN_IGNORE).equals(content);
}

function isNote(found: FileContent | null): boolean {
  return found !== null && found.content.subarray(0, NOTE_MARK.length).equals(Buffer.from(NOTE_MARK));
}

/** Null also for what may not be looked at: it is not taken for ours. */
function readQuietly(root: string, path: BytePath): FileContent | null {
  try {
    return new RootedDirectory(root).readFile(path, NOTE_BYTES_MAX);
  } catch (error) {
    if (isSystemError(error, "EACCES", "EPERM")) return null;
    throw error;
  }
}

export interface NoteWriter {
  readonly files: RootedDirectory;
  readonly ordinary: OrdinaryModes;
  /** Whose tree it is: in the user's own nothing may turn up that their git would show them. */
  readonly tree: "own" | "users";
  /** Whether the project's git has a file of that name: then it is part of the work. Asked only where one is there. */
  readonly isTracked: () => Promise<boolean>;
}

/** @param text what follows the mark */
export async function writeNote(writer: NoteWriter, text: string): Promise<NoteEnd> {
  const content = Buffer.from(`${NOTE_MARK}\n${text}`);
  try {
    const before = look(writer.files);
    if (typeof before === "string") return { refused: before };
    if (before !== null && (await writer.isTracked()))
      return { refused: "git of the project tracks .belay/CONTINUITY.md" };
    if (before?.content.equals(content) === true) return "same";
    return write(writer, content);
  } catch (error) {
    // N3: a full disk, a quota, a file system that is read-only, a directory that is closed or was swapped meanwhile.
    if (!(error instanceof Error) || !("code" in error)) throw error;
    return { refused: `it could not be written (${String(error.code)})` };
  }
}

/** The note that is there, null for none, or why none may be there. N1, N2. */
function look(files: RootedDirectory): FileContent | null | string {
  const directory = files.lstat(NOTE_DIRECTORY);
  if (directory === null) return null;
  if (!directory.isDirectory()) return ".belay is no directory";
  const stat = files.lstat(NOTE_PATH);
  if (stat === null) return null;
  const found = stat.isFile() ? files.readFile(NOTE_PATH, NOTE_BYTES_MAX) : null;
  return isNote(found) ? found : ".belay/CONTINUITY.md is there and was not written by belay";
}

/** No wait between its steps, so that nothing of this process sees half of it. */
function write({ files, ordinary, tree }: NoteWriter, content: Uint8Array): NoteEnd {
  // A place that a cover stands on stays the same directory: taking it away would take the cover from a command that runs.
  if (isPlaceOfCover(files.root, NOTE_DIRECTORY)) files.changeMode(NOTE_DIRECTORY, ordinary.directory);
  const ignore = files.lstat(IGNORE_PATH);
  if (ignore === null) files.replaceFile(IGNORE_PATH, Buffer.from(OWN_IGNORE), ordinary.file);
  else if (tree === "users" && !ignoresNote(files))
    return { refused: ".belay/.gitignore does not name CONTINUITY.md, so git would show it as a change" };
  removeLeftOvers(files);
  files.replaceFile(NOTE_PATH, content, ordinary.file);
  return "written";
}

function ignoresNote(files: RootedDirectory): boolean {
  const rules = files.readFile(IGNORE_PATH, NOTE_BYTES_MAX)?.content.toString("utf8") ?? "";
  return rules.split("\n").some((rule) => IGNORING.has(rule.trim()));
}

const IGNORING: ReadonlySet<string> = new Set(["CONTINUITY.md", "/CONTINUITY.md", "*", "/*", "*.md"]);

function removeLeftOvers(files: RootedDirectory): void {
  for (const name of files.list(NOTE_DIRECTORY)) {
    const path = joinPath(NOTE_DIRECTORY, name);
    if (TEMPORARY.test(path)) files.removeFile(path);
  }
}
