/**
 * Escape sequences of terminals, found in one pass: CSI (colours, cursor), the string sequences (OSC: titles, links, clipboard;
 * DCS, SOS, PM, APC) and the short ones, in their seven-bit and eight-bit forms. What becomes of them is the caller's.
 *
 * Q1: a sequence ends with its line at the latest, terminated or not: one character cannot hide the lines that follow it.
 */

export interface TerminalSequence {
  readonly kind: "csi" | "osc" | "dcs" | "sos" | "pm" | "apc" | "short";
  /** As it stands in the text. */
  readonly raw: string;
  /** Of a string sequence: what it carries. */
  readonly payload: string;
  /** A terminal would still wait for the rest of it. */
  readonly unfinished: boolean;
}

const BEGINS = /[\u001b\u0090\u0098\u009b\u009d-\u009f]/;
const STRINGS: Readonly<Record<string, TerminalSequence["kind"]>> = {
  "]": "osc",
  "\u009d": "osc",
  P: "dcs",
  "\u0090": "dcs",
  X: "sos",
  "\u0098": "sos",
  "^": "pm",
  "\u009e": "pm",
  _: "apc",
  "\u009f": "apc",
};

/** Linear in the length of the text, whatever it holds. */
export function replaceSequences(text: string, replacement: (sequence: TerminalSequence) => string): string {
  if (!BEGINS.test(text)) return text;
  const endOf = stringEnds(text);
  const begins = new RegExp(BEGINS, "g");
  let out = "";
  let from = 0;
  for (let found = begins.exec(text); found !== null; found = begins.exec(text)) {
    const sequence = sequenceAt(text, found.index, endOf);
    if (sequence === null) continue;
    out += text.slice(from, found.index) + replacement(sequence);
    from = found.index + sequence.raw.length;
    begins.lastIndex = from;
  }
  return out + text.slice(from);
}

type StringEnds = (from: number, bell: boolean) => { readonly at: number; readonly length: number };

function sequenceAt(text: string, at: number, endOf: StringEnds): TerminalSequence | null {
  const escape = text[at] === "\u001b";
  const letter = (escape ? text[at + 1] : text[at]) ?? "";
  const body = at + (escape ? 2 : 1);
  const kind = STRINGS[letter];
  if (kind !== undefined) {
    const end = endOf(body, kind === "osc");
    const raw = text.slice(at, end.at + end.length);
    return { kind, raw, payload: text.slice(body, end.at), unfinished: end.length === 0 };
  }
  if (letter === "[" || letter === "\u009b") {
    const parameters = matchAt(/[0-?]*[ -/]*[@-~]/y, text, body);
    return parameters === ""
      ? { kind: "csi", raw: text.slice(at, body), payload: "", unfinished: true }
      : { kind: "csi", raw: text.slice(at, body) + parameters, payload: "", unfinished: false };
  }
  const short = escape ? matchAt(/[ -/]*[0-~]/y, text, at + 1) : "";
  return short === "" ? null : { kind: "short", raw: `\u001b${short}`, payload: "", unfinished: false };
}

function matchAt(sticky: RegExp, text: string, at: number): string {
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? "";
}

/**
 * Where a string sequence that begins at `from` ends, and how long its terminator is: none where it is cut off (`ESC`, `CAN`,
 * `SUB` and the end of the line abort it). A stop that was found is remembered, so that many beginnings without an end cost one search.
 */
function stringEnds(text: string): StringEnds {
  const stops = {
    osc: { pattern: /[\n\u0007\u0018\u001a\u001b\u009c]/g, known: -1 },
    other: { pattern: /[\n\u0018\u001a\u001b\u009c]/g, known: -1 },
  };
  return (from, bell) => {
    const stop = bell ? stops.osc : stops.other;
    if (stop.known < from) {
      stop.pattern.lastIndex = from;
      stop.known = stop.pattern.exec(text)?.index ?? text.length;
    }
    const at = stop.known;
    const character = text[at];
    if (character === "\u0007" || character === "\u009c") return { at, length: 1 };
    if (character === "\u001b" && text[at + 1] === "\\") return { at, length: 2 };
    return { at, length: 0 };
  };
}
