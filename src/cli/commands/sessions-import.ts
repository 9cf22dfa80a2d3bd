/** `belay sessions import`: takes a session in from a file. How its commands are confined is for this machine to say. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Imported, importSession } from "../../engine/transfer/import.ts";
import type { SessionConfig } from "../../kernel/config.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { probeSandbox } from "../../workspace/sandbox/probe.ts";
import { createHost } from "../command-host.ts";
import type { Face } from "../face.ts";
import { hasPerson } from "../question.ts";
import { withStore } from "../session-choice.ts";
import { plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";

export interface ImportOptions {
  readonly cwd?: string;
  readonly asNew?: true;
  readonly json?: true;
}

/** Below belay's home. */
const SESSIONS_DIRECTORY = "sessions";

export async function importOne(file: string, options: ImportOptions, face: Face): Promise<number> {
  const cwd = directoryOf(face, options.cwd);
  const source = await opened(file, face);
  const confinement = await confinementHere(face);
  return withStore(face, async (store) => {
    const imported = await importSession(createHost({ face, store, prompter: null }), {
      file: source,
      cwd,
      sessions: join(face.environment.home, SESSIONS_DIRECTORY),
      as_new: options.asNew === true,
      confinement,
    });
    if (options.json === true) face.out.json(JSON.stringify(imported));
    else for (const line of told(imported, cwd)) face.out.line(line);
    return 0;
  });
}

function told(imported: Imported, cwd: string): readonly string[] {
  const { session, from, events, turns, workspace, connected, without_files, exact, unknown_kinds } = imported;
  const name = session === from ? `session ${session}` : `session ${from} as ${session}`;
  const apart = `${safeLine(cwd)} has not the commit it started from: its work can be looked at and applied, not merged.`;
  return [
    `Imported ${name}: ${plural(events, "event")}, ${plural(turns, "turn")}.`,
    ...(workspace === null ? [] : [`Its files are in ${safeLine(workspace)}.`]),
    ...(workspace === null || connected ? [] : [apart]),
    ...(without_files === null ? [] : [`Its files did not come along: ${safeLine(without_files)}.`]),
    ...(exact ? [] : ["Its last changes were not in a snapshot when it was exported; they did not come along."]),
    unknown_kinds.length === 0
      ? `\`belay resume ${session}\` goes on with it.`
      : `It holds events that this version does not know (${safeLine(unknown_kinds.join(", "))}): it can be read, not resumed.`,
  ];
}

function directoryOf(face: Face, named: string | undefined): string {
  const directory = resolve(face.cwd, named ?? ".");
  if (existsSync(directory) && statSync(directory).isDirectory()) return realpathSync(directory);
  throw new HarnessError("usage", `There is no directory ${directory}.`, "Name one with --cwd.");
}

/** A file, or a pipe with a name (`<(ssh …)`). */
async function opened(named: string, { stdin, cwd }: Face): Promise<AsyncIterable<Uint8Array>> {
  if (named === "-" && stdin.isTTY === true)
    throw new HarnessError("usage", "A session's file does not come from a terminal.", "Name a file, or pipe it in.");
  if (named === "-") return stdin;
  try {
    const file = await open(resolve(cwd, named));
    if (!(await file.stat()).isDirectory()) return file.createReadStream();
    await file.close();
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    const happened = `${safeLine(named)} could not be read (${String(cause.code)}).`;
    throw new HarnessError("usage", happened, "`belay sessions export ID -o FILE` writes one.", { cause });
  }
  throw new HarnessError("usage", `${safeLine(named)} is a directory.`, "Name the file in it.");
}

/** Fail closed: where there is neither a sandbox nor a person, a resume says so before it runs anything. */
async function confinementHere(face: Face): Promise<Pick<SessionConfig, "sandbox" | "approval">> {
  const { mode } = await probeSandbox();
  if (mode === "none" && hasPerson(face)) return { sandbox: { mode, network: false }, approval: "ask" };
  return { sandbox: { mode: "bwrap", network: false }, approval: "sandbox" };
}
