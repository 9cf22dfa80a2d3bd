/**
 * Text of a model, a tool or a file on its way to a terminal. It may hold sequences that move the cursor, set the title,
 * write the clipboard or turn text around: none of that reaches the terminal, and what was there is seen. Colours go without a
 * trace; everything else stands as the mark that the model sees, too (`kernel/invisible.ts`).
 */
import { neutralise } from "../../kernel/neutralise.ts";
import { replaceSequences } from "../../kernel/terminal-sequence.ts";

export function safeText(text: string): string {
  const plain = replaceSequences(text.replaceAll("\r\n", "\n"), ({ raw, unfinished }) => (unfinished ? raw : ""));
  return neutralise(plain.replaceAll("\r", "\n")).text;
}

/** On one line. */
export function safeLine(text: string): string {
  return safeText(text)
    .replaceAll(/\s*\n\s*/g, " ⏎ ")
    .replaceAll("\t", " ");
}
