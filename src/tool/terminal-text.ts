/**
 * Output as text: what a terminal would have been told to do (colours, cursor, title, clipboard) is taken out, and of
 * lines drawn over themselves (progress bars, overstruck letters) the last drawing stays. A model reads no escape sequences, and
 * a person's terminal must not obey those of a program.
 */
import { replaceSequences } from "../kernel/terminal-sequence.ts";

const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

export function plainTerminalText(text: string): string {
  return replaceSequences(text, () => "")
    .replace(/\r+\n/g, "\n")
    .split("\n")
    .map((line) => overstruck(lastDrawing(line)))
    .join("\n")
    .replace(CONTROLS, "");
}

/** A carriage return goes back to the start of the line, and what follows overwrites it. */
function lastDrawing(line: string): string {
  if (!line.includes("\r")) return line;
  return line.split("\r").findLast((drawing) => drawing !== "") ?? "";
}

/** A backspace goes back by one, and what follows overwrites it: what a person would have seen, nothing below it. */
function overstruck(line: string): string {
  if (!line.includes("\b")) return line;
  const cells: string[] = [];
  let at = 0;
  for (const character of line) {
    if (character === "\b") at = Math.max(0, at - 1);
    else cells[at++] = character;
  }
  return cells.join("");
}
