/**
 * The front matter of a Markdown file: a little YAML between two lines of `---`. It is read without aliases, tags or types of
 * its own, and is bounded, so that no file can make reading it dear.
 */
import { HarnessError } from "../kernel/harness-error.ts";

/** Reading is quadratic in the number of keys. Bytes. */
export const FRONT_MATTER_BYTES_MAX = 8 * 1024;

export interface FrontMatter {
  readonly fields: Readonly<Record<string, unknown>>;
  /** What follows it, without blank lines at its beginning. */
  readonly body: string;
}

/** A file without front matter has no fields. @throws HarnessError `config_invalid` for front matter that cannot be read */
export async function readFrontMatter(text: string, path: string): Promise<FrontMatter> {
  const found = /^---[ \t]*\r?\n/.exec(text);
  if (found === null) return { fields: {}, body: text };
  const begin = found[0].length;
  const end = /^---[ \t]*$/m.exec(text.slice(begin, begin + FRONT_MATTER_BYTES_MAX + 8));
  if (end === null || end.index > FRONT_MATTER_BYTES_MAX)
    throw unreadable(path, `does not end with a line of --- within ${String(FRONT_MATTER_BYTES_MAX)} bytes`);
  const fields = await parsed(text.slice(begin, begin + end.index), path);
  return { fields, body: text.slice(begin + end.index + end[0].length).replace(/^\s*\n/, "") };
}

async function parsed(source: string, path: string): Promise<FrontMatter["fields"]> {
  const { parseDocument } = await import("./yaml.ts");
  const document = parseDocument(source, { prettyErrors: false, logLevel: "error", schema: "core", merge: false });
  const [problem] = document.errors;
  if (problem !== undefined) throw unreadable(path, `is no YAML: ${problem.message.split("\n")[0] ?? ""}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    // What begins with a star is an alias to YAML.
    if (error instanceof ReferenceError) throw unreadable(path, "has an alias: quote what begins with * or &");
    throw error;
  }
  if (value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw unreadable(path, "is no list of names and values");
  return value as FrontMatter["fields"]; // an object that YAML made has texts as names
}

function unreadable(path: string, why: string): HarnessError {
  return new HarnessError("config_invalid", `The front matter of ${path} ${why}.`, "Correct it, or take it out.");
}
