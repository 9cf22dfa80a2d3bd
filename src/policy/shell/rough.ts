/**
 * The commands in a text that could not be read, roughly: for deny rules alone, which must hold although bash may run the
 * lines before the one that is wrong. Too many are listed rather than too few; nothing is ever allowed by this.
 */
import type { ShellWord } from "./reading.ts";
import { readWord, unknownWord } from "./words.ts";

// Everything before which or behind which a command may begin, quoted or not.
const BOUNDARY = /[;&|\n(){}`"']|\$\(|\b(?:then|do|else|elif|if|while|until|time|coproc)\b|!/;

export function roughCommands(text: string): readonly (readonly ShellWord[])[] {
  // Once with quotes as boundaries (a command may stand in a text), once without (a quote may stand in a name).
  const joined = text.replace(/\\\n/g, "").replace(/["'\\]/g, "");
  return [text, joined]
    .flatMap((source) => source.split(BOUNDARY))
    .flatMap((part) => {
      const words = part.split(/\s+/u).filter((word) => word !== "" && !/^[A-Za-z_]\w*\+?=/.test(word));
      return words.length === 0 ? [] : [words.map(roughWord)];
    });
}

function roughWord(source: string): ShellWord {
  const word = readWord(source);
  return word.plain ? word : unknownWord(source.replace(/["'\\]/g, ""));
}
