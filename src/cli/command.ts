/** What the command files share: how a command is defined, and how its work becomes an exit code. */
import type { Command } from "commander";
import type { Face } from "./face.ts";

export interface CommandContext {
  readonly face: Face;
  /** Runs a command's work; what it returns is the exit code. */
  readonly does: (work: () => Promise<number>) => Promise<void>;
  /** Whether --debug was given. */
  readonly debug: () => boolean;
}

/** Defines one command below its parent. Imports what it needs only when it is run: start-up is paid by every command. */
export type DefineCommand = (parent: Command, context: CommandContext) => void;

export const ID_HELP = "the session; without it the last one of this directory";

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
