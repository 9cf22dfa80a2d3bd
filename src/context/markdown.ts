/**
 * The little that is read of Markdown in instruction files: comments that nobody sees, and `@path` imports. Linear in the length of
 * the text, whatever it is.
 */

/** Imports that one file may name; further ones are counted. */
export const IMPORTS_NAMED_MAX = 100;

const COMMENT = /^ {0,3}<!--/;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
/** `\ ` is a blank in a path. */
const IMPORT = /(?<=^|\s)@((?:[^\s\\]|\\ )+)/g;

/** Without the comments that stand at the beginning of a line, outside fences. One that is never closed stays. */
export function withoutComments(text: string): string {
  const last = text.lastIndexOf("-->");
  if (last === -1) return text;
  const fence = new Fence();
  let kept = "";
  for (let at = 0; at < text.length;) {
    const end = lineEnd(text, at);
    const comment = fence.open || !COMMENT.test(text.slice(at, Math.min(end, at + 8))) ? -1 : text.indexOf("<!--", at);
    if (comment === -1 || comment + 4 > last) {
      fence.read(text.slice(at, end));
      kept += text.slice(at, end);
      at = end;
      continue;
    }
    const after = text.indexOf("-->", comment + 4) + 3;
    const rest = lineEnd(text, after);
    if (text.slice(after, rest).trim() !== "") kept += text.slice(after, rest);
    at = rest;
  }
  return kept;
}

export interface Imports {
  /** As written, each once. */
  readonly paths: readonly string[];
  readonly left_out: number;
  /** Nothing but imports stands in the text. */
  readonly alone: boolean;
}

/** The `@path`s of a text, outside fences and code spans. */
export function importsIn(text: string): Imports {
  const paths = new Set<string>();
  const fence = new Fence();
  let alone = true;
  let paragraph = "";
  const flush = (): void => {
    const prose = withoutSpans(paragraph);
    for (const [, written = ""] of prose.matchAll(IMPORT)) {
      const path = pathOf(written);
      if (path !== null) paths.add(path);
    }
    alone &&= prose.replaceAll(IMPORT, "").trim() === "";
    paragraph = "";
  };
  for (let at = 0; at < text.length;) {
    const end = lineEnd(text, at);
    const one = text.slice(at, end);
    at = end;
    if (fence.read(one)) {
      alone = false;
      flush();
    } else if (one.trim() === "") flush();
    else paragraph += one;
  }
  flush();
  const all = [...paths];
  return { paths: all.slice(0, IMPORTS_NAMED_MAX), left_out: Math.max(0, all.length - IMPORTS_NAMED_MAX), alone };
}

/** Null when it cannot be a path. What ends a sentence is no part of it, nor is a place within the file. */
function pathOf(written: string): string | null {
  const path = written
    .replaceAll("\\ ", " ")
    .replace(/#.*$/s, "")
    .replace(/[,.;:!?)\]}'"*_]{1,8}$/, "");
  return /^[~./\p{L}\p{N}_-]/u.test(path) && !path.includes("\0") ? path : null;
}

/** Which lines stand in a fenced block. */
class Fence {
  #mark = "";

  get open(): boolean {
    return this.#mark !== "";
  }

  /** @returns whether the line belongs to a fenced block, its marks included */
  read(line: string): boolean {
    const bare = line.trimEnd();
    if (this.#mark === "") {
      this.#mark = FENCE.exec(bare)?.[1] ?? "";
      return this.open;
    }
    const [sign = ""] = this.#mark;
    const closing = bare.trimStart();
    if (closing.length >= this.#mark.length && closing === sign.repeat(closing.length)) this.#mark = "";
    return true;
  }
}

/** Code spans become blanks: a run of backticks closes at the next run of the same length. */
function withoutSpans(paragraph: string): string {
  if (!paragraph.includes("`")) return paragraph;
  const runs = [...paragraph.matchAll(/`+/g)].map(({ 0: { length }, index }) => ({ length, index }));
  const ahead = new Map<number, number[]>();
  for (const run of runs.toReversed()) {
    const same = ahead.get(run.length);
    if (same === undefined) ahead.set(run.length, [run.index]);
    else same.push(run.index);
  }
  let prose = "";
  let from = 0;
  for (const { length, index } of runs) {
    if (index < from) continue;
    const same = ahead.get(length) ?? [];
    while ((same.at(-1) ?? Infinity) <= index) same.pop();
    const closing = same.at(-1);
    if (closing === undefined) continue;
    prose += `${paragraph.slice(from, index)} x `;
    from = closing + length;
  }
  return prose + paragraph.slice(from);
}

/** Where the next line begins. */
function lineEnd(text: string, at: number): number {
  const newline = text.indexOf("\n", at);
  return newline === -1 ? text.length : newline + 1;
}
