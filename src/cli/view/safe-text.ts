/**
 * Text of a model, a tool or a file on its way to a terminal. It may hold sequences that move the cursor, set the title,
 * write the clipboard or turn text around: none of that reaches the terminal, and what was there is seen.
 */

/** Complete escape sequences: CSI, the string sequences (OSC, DCS, SOS, PM, APC), and the short ones. Colours go with them. */
const SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-Z\\^-~]/g;

/** Everything else that a terminal or a reader could be misled by: C0 but tab and newline, DEL, C1, bidi, invisible, tags. */
const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

export function safeText(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(SEQUENCES, "").replaceAll("\r", "\n").replace(UNSAFE, visible);
}

/** On one line. */
export function safeLine(text: string): string {
  return safeText(text)
    .replaceAll(/\s*\n\s*/g, " ⏎ ")
    .replaceAll("\t", " ");
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
