/**
 * What a person sees of a call that waits for a yes: all of it, to the character; what asks; and where text of strangers came
 * from. The question at the terminal, `belay approve` and `belay deny` show the same.
 *
 * A1: what is approved was shown whole. What is too large to be read is not asked about at all (`isReadable`).
 */
import type { ToolUsePart } from "../../kernel/content.ts";
import { exactText } from "./exact-text.ts";
import { plural } from "./format.ts";
import { lookAlikes } from "./look-alike.ts";
import type { Paint } from "./paint.ts";
import { safeLine } from "./safe-text.ts";
import { displayWidth, padded, wrapped } from "./width.ts";

/** Characters of a call's input that a person can be asked to judge. */
export const SHOWN_CHARS_MAX = 40_000;
/** Places that text of strangers came from. */
const SOURCES_SHOWN_MAX = 5;
const MARKED_SHOWN_MAX = 6;
const LABEL_COLUMNS = 8;
const INDENT = "    ";
/** Before what a narrow terminal has no room for on the line. */
const GOES_ON = "  ↳ ";
/** A terminal is never taken to be narrower. */
const COLUMNS_MIN = 20;

export interface AskedCall {
  readonly part: Pick<ToolUsePart, "name" | "input">;
  readonly reason: string;
  /** The rule or the policy that asks; null where none is named. */
  readonly rule: string | null;
  /** Where text of strangers came from, when that is why. */
  readonly sources: readonly string[];
}

export interface Drawn {
  readonly paint: Paint;
  readonly columns: number;
}

export function isReadable({ input }: AskedCall["part"]): boolean {
  return JSON.stringify(input).length <= SHOWN_CHARS_MAX;
}

/** Lines without their newline. */
export function callLines({ part, reason, rule, sources }: AskedCall, drawn: Drawn): readonly string[] {
  const { paint } = drawn;
  const shown = membersOf(part);
  const marked = [...new Set(shown.flatMap(({ text }) => exactText(text).marked))];
  const alike = [...new Set(shown.flatMap(({ text }) => lookAlikes(text)))];
  return [
    ...shown.flatMap((member) => memberLines(member, drawn)),
    ...(marked.length === 0 ? [] : [warned(markedText(marked), paint)]),
    ...alike.map((text) => warned(exactText(text).text, paint)),
    row("asks", `${rule === null ? "" : `${safeLine(rule)}: `}${safeLine(reason)}`, paint),
    ...sourceRows(sources, paint),
  ];
}

interface Member {
  /** Null for a command, which stands alone. */
  readonly label: string | null;
  readonly text: string;
}

function membersOf({ input }: AskedCall["part"]): readonly Member[] {
  return Object.entries(input).map(([name, value]) => ({
    label: name === "command" && typeof value === "string" ? null : exactText(name.replaceAll("\n", " ")).text,
    text: typeof value === "string" ? value : JSON.stringify(value),
  }));
}

/** Around a mark while lines are measured: `exactText` leaves no control character that could be taken for these. */
const [MARK_BEGINS, MARK_ENDS] = ["\u0001", "\u0002"] as const;

function memberLines({ label, text }: Member, { paint, columns }: Drawn): readonly string[] {
  const head = label === null ? "" : `${label}: `;
  const { text: exact } = exactText(text, (name) => MARK_BEGINS + name + MARK_ENDS);
  const room = Math.max(COLUMNS_MIN, columns) - INDENT.length - GOES_ON.length - 1;
  return exact.split("\n").flatMap((line, i) => {
    const first = i === 0 ? head : "";
    const pieces = line.split(/(\u0001[^\u0002]*\u0002)/u);
    const rows = wrapped(pieces.map(bare), room - displayWidth(first), room);
    return rows.map((units, n) => {
      const drawn = units.map(({ text: unit, piece }) => (piece % 2 === 1 ? paint.yellow(unit) : unit)).join("");
      return `${INDENT}${n > 0 ? paint.dim(GOES_ON) : paint.dim(first)}${drawn}`;
    });
  });
}

function bare(piece: string): string {
  return piece.replaceAll(MARK_BEGINS, "").replaceAll(MARK_ENDS, "");
}

function markedText(marked: readonly string[]): string {
  const named = marked.slice(0, MARKED_SHOWN_MAX).join(", ");
  const more = marked.length - MARKED_SHOWN_MAX;
  return `It holds characters that cannot be seen, shown as marks: ${named}${more > 0 ? ` and ${plural(more, "other")}` : ""}`;
}

function sourceRows(sources: readonly string[], paint: Paint): readonly string[] {
  const shown = sources
    .slice(0, SOURCES_SHOWN_MAX)
    .map((source, i) => row(i === 0 ? "has read" : "", safeLine(source), paint));
  const more = sources.length - shown.length;
  return more > 0 ? [...shown, row("", `… and ${plural(more, "more source")}`, paint)] : shown;
}

function warned(text: string, paint: Paint): string {
  return `  ${paint.red("!")} ${paint.bold(text)}.`;
}

function row(label: string, text: string, paint: Paint): string {
  return `  ${paint.dim(padded(label, LABEL_COLUMNS))}  ${text}`;
}
