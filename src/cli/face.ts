/** What a command has around it: the environment, the directory, the terminal. Made once, in `main.ts`. */
import { homedir } from "node:os";
import type { Readable } from "node:stream";
import { type Environment, readEnvironment } from "./environment.ts";
import { OutputStream } from "./output-stream.ts";

export interface Face {
  readonly environment: Environment;
  /** Absolute. */
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly out: OutputStream;
  readonly err: OutputStream;
}

export function openFace(from: NodeJS.Process): Face {
  const environment = readEnvironment(from.env, homedir());
  const options = { colors: !environment.noColor && !environment.dumbTerminal, redraws: !environment.dumbTerminal };
  return {
    environment,
    cwd: from.cwd(),
    stdin: from.stdin,
    out: new OutputStream(from.stdout, options),
    err: new OutputStream(from.stderr, options),
  };
}
