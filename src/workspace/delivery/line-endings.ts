/**
 * Line endings as git stores them. belay keeps bytes; a repository that checks text out with CRLF stores it with LF. When
 * work goes into such a repository as a commit, it has to be stored the same way. Only the built-in attributes are known
 * here; filters are programs and never run.
 */
import { type BytePath, splitNul } from "../byte-path.ts";
import { forUserRepository, type Git } from "../git/git.ts";
import { ofUser, type UserRepository } from "../prepare/source.ts";

export interface StoredAs {
  /** How git would store the file's text. `auto`: as text, if it looks like text and is stored so already. */
  readonly text: "as_is" | "text" | "auto";
  /** A filter or an encoding that only another program can apply; null without. */
  readonly needs: string | null;
}

const ATTRIBUTES = ["text", "crlf", "eol", "filter", "working-tree-encoding"] as const;

export async function readStorage(
  git: Git,
  user: UserRepository,
  paths: readonly BytePath[],
): Promise<ReadonlyMap<BytePath, StoredAs>> {
  const { output } = await forUserRepository(git)({
    repository: { ...ofUser(user), work_tree: user.top },
    args: ["check-attr", "-z", "--stdin", ...ATTRIBUTES],
    input: Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1"),
  });
  const values = new Map<BytePath, Map<string, string>>();
  const parts = splitNul(output);
  for (let i = 0; i + 2 < parts.length; i += 3) {
    const path = parts[i] as BytePath; // bounded by the loop
    const of = values.get(path) ?? new Map<string, string>();
    values.set(path, of.set(parts[i + 1] ?? "", parts[i + 2] ?? ""));
  }
  return new Map([...values].map(([path, of]) => [path, storageOf(of)]));
}

function storageOf(values: ReadonlyMap<string, string>): StoredAs {
  const value = (name: (typeof ATTRIBUTES)[number]): string => values.get(name) ?? "unspecified";
  const named = (name: "filter" | "working-tree-encoding"): string | null =>
    ["unspecified", "unset", "set"].includes(value(name)) ? null : `${name}=${value(name)}`;
  return {
    text: textOf(value("text"), value("crlf"), value("eol")),
    needs: named("filter") ?? named("working-tree-encoding"),
  };
}

function textOf(text: string, crlf: string, eol: string): StoredAs["text"] {
  const said = text === "unspecified" ? crlf : text;
  if (said === "unset") return "as_is";
  if (said === "auto") return "auto";
  if (said === "set" || said === "input") return "text";
  return eol === "lf" || eol === "crlf" ? "text" : "as_is";
}

const CR = 13;
const LF = 10;

export function hasCrlf(content: Uint8Array): boolean {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).includes("\r\n");
}

/** Every line ends in CRLF, and there is one. */
export function isCrlfThroughout(content: Buffer): boolean {
  for (let at = content.indexOf(LF); at >= 0; at = content.indexOf(LF, at + 1))
    if (content[at - 1] !== CR) return false;
  return hasCrlf(content);
}

export function toLf(content: Buffer): Buffer {
  return Buffer.from(content.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
}

export function toCrlf(content: Buffer): Buffer {
  return Buffer.from(content.toString("latin1").replace(/(?<!\r)\n/g, "\r\n"), "latin1");
}

/** As git judges for `text=auto`: NUL, a lone CR or many unprintable bytes make it binary. */
export function looksBinary(content: Buffer): boolean {
  let printable = 0;
  let unprintable = 0;
  for (let i = 0; i < content.byteLength; i++) {
    const byte = content[i] ?? 0;
    if (byte === 0) return true;
    if (byte === CR && content[i + 1] !== LF) return true;
    if (byte === LF || byte === CR) continue;
    if (byte === 127 || (byte < 32 && ![8, 9, 12, 27].includes(byte))) unprintable++;
    else printable++;
  }
  return Math.floor(printable / 128) < unprintable;
}

/** @param stored what the repository holds under that path now; null when nothing. */
export function asStored(content: Buffer, how: StoredAs["text"], stored: Buffer | null): Buffer {
  switch (how) {
    case "as_is":
      return content;
    case "text":
      return toLf(content);
    case "auto":
      // A file that was stored with CRLF stays so, as git does it.
      return looksBinary(content) || (stored !== null && hasCrlf(stored)) ? content : toLf(content);
  }
}
