/**
 * Writes a delivery into the user's tree: all of it, or nothing. Everything is decided beforehand; what stood there is kept
 * in belay's store, so that a failure in the middle is taken back.
 */
import { HarnessError } from "../../kernel/harness-error.ts";
import { type BytePath, directoriesAbove, textOf } from "../byte-path.ts";
import type { Side } from "../snapshot/changed-paths.ts";
import type { Git } from "../git/git.ts";
import { gitModeOf, type OrdinaryModes } from "../snapshot/manifest.ts";
import { MODE_EXECUTABLE, MODE_LINK, objectName, readBlobs, writeObject } from "../git/objects.ts";
import type { RootedDirectory } from "../files/rooted.ts";
import type { ShadowPlace } from "../snapshot/shadow.ts";

/** What stands at a path of the user's tree. */
export type Standing =
  | { readonly is: "nothing" }
  | { readonly is: "file"; readonly side: Side; readonly bits: number; readonly content: Buffer }
  | { readonly is: "link"; readonly side: Side; readonly content: Buffer }
  /** A directory, a pipe, or a file too large to be compared. */
  | { readonly is: "other" };

export function standingAt(files: RootedDirectory, path: BytePath, bytes_max: number): Standing {
  const file = files.readFile(path, bytes_max);
  if (file !== null) {
    const side = { mode: gitModeOf(file.stat.mode), object: objectName("blob", file.content) };
    return { is: "file", side, bits: file.stat.mode & 0o7777, content: file.content };
  }
  const link = files.readLink(path);
  if (link !== null) return { is: "link", side: { mode: MODE_LINK, object: objectName("blob", link) }, content: link };
  return files.lstat(path) === null ? { is: "nothing" } : { is: "other" };
}

export function sideOf(standing: Standing): Side | null {
  return standing.is === "file" || standing.is === "link" ? standing.side : null;
}

export function sameSide(a: Side | null, b: Side | null): boolean {
  return a === null || b === null ? a === b : a.mode === b.mode && a.object === b.object;
}

export interface Write {
  readonly path: BytePath;
  readonly before: Standing;
  /** Null removes. The object is in belay's store. */
  readonly after: Side | null;
}

export interface WriteBack {
  readonly git: Git;
  readonly files: RootedDirectory;
  readonly store: ShadowPlace;
  readonly ordinary: OrdinaryModes;
}

/** @param then the last step, which fails together with the rest. */
export async function writeBack(target: WriteBack, writes: readonly Write[], then: () => Promise<void>): Promise<void> {
  const done: Write[] = [];
  for (const { before } of writes) if (before.is === "file") writeObject(target.store.objects, "blob", before.content);
  try {
    // Removals first: a directory may make room for a file.
    for (const write of writes.filter((one) => one.after === null)) {
      done.push(write);
      remove(target.files, write.path);
    }
    const added = writes.filter((one) => one.after !== null);
    await readBlobs(
      target.git,
      target.store,
      added.map((one) => one.after?.object ?? ""),
      (name, content) => {
        for (const write of added) {
          if (write.after?.object !== name) continue;
          done.push(write);
          put(target, write, write.after, content);
        }
      },
    );
    await then();
  } catch (cause) {
    takeBack(target, done, cause);
    if (cause instanceof HarnessError) throw cause;
    const happened = `Bringing the work into ${target.files.root} failed and was taken back.`;
    throw new HarnessError("file_failed", happened, "Look at the disk and the permissions, then try again.", { cause });
  }
}

function put(target: WriteBack, { path, before }: Write, after: Side, content: Buffer): void {
  if (after.mode === MODE_LINK) target.files.replaceLink(path, content);
  else target.files.replaceFile(path, content, bitsFor(after.mode, before, target.ordinary));
}

/** The bits that were there, but for the executable ones, which the work decides. */
function bitsFor(mode: string, before: Standing, ordinary: OrdinaryModes): number {
  const wanted = mode === MODE_EXECUTABLE ? ordinary.executable : ordinary.file;
  if (before.is !== "file") return wanted;
  return before.side.mode === mode ? before.bits : (before.bits & ~0o111) | (wanted & 0o111);
}

function remove(files: RootedDirectory, path: BytePath): void {
  files.removeFile(path);
  for (const directory of directoriesAbove(path)) if (!files.removeEmptyDirectory(directory)) return;
}

function takeBack(target: WriteBack, done: readonly Write[], cause: unknown): void {
  const failed: BytePath[] = [];
  for (const { path, before, after } of [...done].reverse()) {
    try {
      if (before.is === "file") target.files.replaceFile(path, before.content, before.bits);
      else if (before.is === "link") target.files.replaceLink(path, before.content);
      else if (before.is === "nothing" && after !== null) remove(target.files, path);
    } catch {
      failed.push(path); // whatever it was, the rest must be taken back too, and the message names what was not
    }
  }
  if (failed.length === 0) return;
  const happened = `Bringing the work back failed, and these could not be set back: ${failed.map(textOf).join(", ")}.`;
  const todo = `What stood there is kept in ${target.store.objects} by its content.`;
  throw new HarnessError("file_failed", happened, todo, { cause });
}
