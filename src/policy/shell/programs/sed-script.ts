/**
 * Reads a sed script, as far as it is certain what each command does. Commands that run programs (`e`, the flag `e` of `s`) are
 * refused, and so is every form that two seds read differently; files that are read or written are named.
 */

export interface SedScript {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

interface Cursor {
  readonly text: string;
  at: number;
  readonly reads: string[];
  readonly writes: string[];
}

/** Characters of a script that is looked at. */
const SCRIPT_CHARS_MAX = 20_000;
/** Standard output, by name. */
const STREAMS: ReadonlySet<string> = new Set(["/dev/stdout", "/dev/stderr"]);

/** Why a script is refused. */
export type SedRefusal = string;

export function readSedScript(text: string): SedScript | SedRefusal {
  if (text.length > SCRIPT_CHARS_MAX) return "The script is too long to be read.";
  const cursor: Cursor = { text, at: 0, reads: [], writes: [] };
  while (cursor.at < text.length) {
    skip(cursor, /[\s;]*/y);
    if (cursor.at >= text.length) break;
    const refusal = readAddresses(cursor) ?? readCommand(cursor);
    if (refusal !== null) return refusal;
  }
  return { reads: cursor.reads, writes: cursor.writes };
}

function skip(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? "";
  cursor.at += found.length;
  return found;
}

function readAddresses(cursor: Cursor): SedRefusal | null {
  const first = readAddress(cursor);
  if (typeof first === "string") return first;
  if (first) {
    skip(cursor, / */y);
    if (cursor.text[cursor.at] === ",") {
      cursor.at += 1;
      skip(cursor, / */y);
      if (skip(cursor, /[+~]\d+/y) === "") {
        const second = readAddress(cursor);
        if (typeof second === "string") return second;
        if (!second) return "An address of the script is not understood.";
      }
    }
  }
  skip(cursor, /[ !]*/y);
  return null;
}

/** Whether there was one, or why it is refused. */
function readAddress(cursor: Cursor): boolean | SedRefusal {
  if (skip(cursor, /\d+(?:~\d+)?|\$/y) !== "") return true;
  let delimiter = cursor.text[cursor.at];
  if (delimiter !== "/" && delimiter !== "\\") return false;
  if (delimiter === "\\") {
    cursor.at += 1;
    delimiter = cursor.text[cursor.at];
  }
  cursor.at += 1;
  const refusal = readDelimited(cursor, delimiter, "regex");
  if (refusal !== null) return refusal;
  skip(cursor, /[IM]*/y);
  return true;
}

/** To the delimiter, and over it. */
function readDelimited(cursor: Cursor, delimiter: string | undefined, part: "regex" | "text"): SedRefusal | null {
  if (delimiter === undefined || !/^[!-/:<-@[\]^_`{-~]$/.test(delimiter))
    return "A delimiter of the script is unusual.";
  const end = endOf(cursor.text, cursor.at, delimiter, false);
  if (end === -1) return "A part of the script does not end.";
  // Some seds end a pattern at a delimiter in brackets, others do not.
  if (part === "regex" && endOf(cursor.text, cursor.at, delimiter, true) !== end)
    return "A delimiter stands in brackets: seds read that differently.";
  if (part === "regex" && cursor.text.slice(cursor.at, end).includes("\n")) return "A pattern goes over a line's end.";
  cursor.at = end + 1;
  return null;
}

function endOf(text: string, from: number, delimiter: string, brackets: boolean): number {
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\\") at += 1;
    else if (char === delimiter) return at;
    else if (brackets && char === "[") {
      const close = /^\[\^?\]?(?:\[[:.=][^\]]*[:.=]\]|[^\]])*\]/.exec(text.slice(at))?.[0];
      if (close === undefined) return -1;
      at += close.length - 1;
    }
  }
  return -1;
}

type Command = (cursor: Cursor) => SedRefusal | null;

/** Commands that take nothing, a number, a label, a text, files. What is not here is refused: `e` runs a program. */
const COMMANDS: Readonly<Record<string, Command>> = {
  "{": () => null,
  "}": () => null,
  "#": (cursor) => {
    skip(cursor, /[^\n]*/y);
    return null;
  },
  ...each("=dDgGhHnNpPxzF", readEnd),
  ...each("lLqQ", (cursor) => {
    skip(cursor, / *\d*/y);
    return readEnd(cursor);
  }),
  ...each(":btT", (cursor) => {
    skip(cursor, / *[A-Za-z0-9_]*/y);
    return readEnd(cursor);
  }),
  ...each("aic", readText),
  ...each("rR", (cursor) => readFile(cursor, cursor.reads)),
  ...each("wW", (cursor) => readFile(cursor, cursor.writes)),
  y: readTransliteration,
  s: readSubstitution,
};

function each(names: string, command: Command): Readonly<Record<string, Command>> {
  return Object.fromEntries([...names].map((name) => [name, command]));
}

function readCommand(cursor: Cursor): SedRefusal | null {
  const name = cursor.text[cursor.at] ?? "";
  cursor.at += 1;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return command === undefined ? `The command \`${name}\` of sed runs a program or is not known.` : command(cursor);
}

function readEnd(cursor: Cursor): SedRefusal | null {
  skip(cursor, /[ \t]*/y);
  const next = cursor.text[cursor.at];
  if (next === undefined || /[\n;}#]/.test(next)) return null;
  return "A command of the script has something behind it that is not understood.";
}

function readText(cursor: Cursor): SedRefusal | null {
  // Up to a line's end that has no backslash before it.
  skip(cursor, /(?:\\[\s\S]|[^\\\n])*/y);
  if (cursor.text[cursor.at] === "\\") return "A text of the script ends in a backslash.";
  return null;
}

function readTransliteration(cursor: Cursor): SedRefusal | null {
  const delimiter = cursor.text[cursor.at];
  cursor.at += 1;
  return readDelimited(cursor, delimiter, "text") ?? readDelimited(cursor, delimiter, "text") ?? readEnd(cursor);
}

function readSubstitution(cursor: Cursor): SedRefusal | null {
  const delimiter = cursor.text[cursor.at];
  cursor.at += 1;
  const refusal = readDelimited(cursor, delimiter, "regex") ?? readDelimited(cursor, delimiter, "text");
  if (refusal !== null) return refusal;
  skip(cursor, /[gpiIMm0-9]*/y);
  const flag = cursor.text[cursor.at];
  if (flag === "w") {
    cursor.at += 1;
    return readFile(cursor, cursor.writes);
  }
  if (flag === "e") return "The flag `e` of `s` runs what it made as a command.";
  return readEnd(cursor);
}

function readFile(cursor: Cursor, into: string[]): SedRefusal | null {
  skip(cursor, /[ \t]*/y);
  const path = skip(cursor, /[^\n]*/y);
  if (path === "") return "A file of the script has no name.";
  // Written so, one sed ends the name here and another does not.
  if (/[;}\\]/.test(path)) return "The name of a file in the script is not certain.";
  if (!STREAMS.has(path)) into.push(path);
  return null;
}
