/** What a command has around it: the environment, the directory, the terminal. Made once, in `main.ts`. */
import { fstatSync } from "node:fs";
import { homedir } from "node:os";
import type { Readable } from "node:stream";
import { HarnessError } from "../kernel/harness-error.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { OutputStream } from "./output-stream.ts";
import { withoutCommands } from "./view/log-text.ts";

const STDOUT = 1;

export interface Face {
  readonly environment: Environment;
  /** Absolute. */
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly out: OutputStream;
  readonly err: OutputStream;
}

export function openFace(from: NodeJS.Process): Face {
  const cwd = workingDirectory(from);
  const environment = readEnvironment(from.env, homedir());
  const { noColor, forceColor, dumbTerminal, ci } = environment;
  const colors = !noColor && (forceColor || !dumbTerminal);
  const options = { colors, forceColors: forceColor, redraws: !dumbTerminal };
  return {
    environment,
    cwd,
    // Opened when it is looked at: that takes 4 ms, and most runs read nothing.
    get stdin() {
      return from.stdin;
    },
    // A file is no log; a pipe is one, for all that belay can know.
    out: new OutputStream(
      from.stdout,
      ci === null || isFile(STDOUT) ? options : { ...options, guard: withoutCommands },
    ),
    err: new OutputStream(from.stderr, ci === null ? options : { ...options, guard: withoutCommands }),
  };
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch (error) {
    if (error instanceof Error && "code" in error) return false; // closed: nobody reads it
    throw error;
  }
}

/** @throws `usage` when it was removed under the shell that is still in it */
function workingDirectory(from: NodeJS.Process): string {
  try {
    return from.cwd();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
    const cause = { cause: error };
    throw new HarnessError("usage", "The current directory was removed.", "Change to one that is there.", cause);
  }
}
