/** A reading in a form that tests compare at a glance. */
import { readShellAt } from "../../src/policy/shell/read-shell.ts";
import type { ShellWord } from "../../src/policy/shell/reading.ts";

/** Where the tests' commands start. */
export const START = "/project";

/** `via: words`, a word that is not plain in angle brackets. */
export async function commandsOf(text: string): Promise<string[]> {
  const { commands } = await readShellAt(text, START);
  return commands.map(({ words, via }) => [...via.map((one) => `${one}:`), ...words.map(shown)].join(" "));
}

export async function problemsOf(text: string): Promise<readonly string[]> {
  return (await readShellAt(text, START)).problems;
}

function shown({ text, plain }: ShellWord): string {
  return plain ? text : `⟨${text}⟩`;
}
