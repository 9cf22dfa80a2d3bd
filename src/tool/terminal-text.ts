/**
 * Output as text: what a terminal would have been told to do (colours, cursor, title, clipboard) is taken out, and of
 * lines drawn over themselves (progress bars) the last drawing stays. A model reads no escape sequences, and a person's
 * terminal must not obey those of a program.
 */
const ESC = "\\u001b";
const SEQUENCES = new RegExp(
  [
    `(?:${ESC}\\]|\\u009d)[^\\u0007\\u001b\\u009c]*(?:\\u0007|${ESC}\\\\|\\u009c)?`, // OSC: titles, links, clipboard
    `(?:${ESC}[PX^_]|[\\u0090\\u0098\\u009e\\u009f])[^\\u001b\\u009c]*(?:${ESC}\\\\|\\u009c)?`, // DCS, SOS, PM, APC
    `(?:${ESC}\\[|\\u009b)[0-?]*[ -/]*[@-~]`, // CSI: colours and cursor
    `${ESC}[ -/]*[0-~]`, // the two-character ones
  ].join("|"),
  "g",
);
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

export function plainTerminalText(text: string): string {
  return text
    .replace(SEQUENCES, "")
    .replace(/\r+\n/g, "\n")
    .split("\n")
    .map(lastDrawing)
    .join("\n")
    .replace(CONTROLS, "");
}

/** A carriage return goes back to the start of the line, and what follows overwrites it. */
function lastDrawing(line: string): string {
  if (!line.includes("\r")) return line;
  return line.split("\r").findLast((drawing) => drawing !== "") ?? "";
}
