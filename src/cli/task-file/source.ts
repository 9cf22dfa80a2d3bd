/** The text of a YAML file as plain data, with the line of each part. Without aliases, tags or types of its own, and bounded. */
import type { Document, LineCounter, Node } from "../../context/yaml.ts";

/** Finding a key twice is quadratic in the number of keys. Bytes. */
export const TASK_FILE_BYTES_MAX = 32 * 1024;

export interface Source {
  readonly value: unknown;
  /** The line of a part, from 1; of one that is missing that of the nearest part around it. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

export interface Unreadable {
  readonly line: number;
  readonly what: string;
  readonly mend: string;
}

export async function readSource(text: string): Promise<Source | Unreadable> {
  if (Buffer.byteLength(text) > TASK_FILE_BYTES_MAX) {
    const what = `it has more than ${String(TASK_FILE_BYTES_MAX)} bytes`;
    return { line: 1, what, mend: "Name long texts as inputs instead." };
  }
  const { LineCounter: Counter, parseDocument } = await import("../../context/yaml.ts");
  const counter = new Counter();
  try {
    const document = parseDocument(text, {
      lineCounter: counter,
      prettyErrors: false,
      logLevel: "silent",
      schema: "core",
      merge: false,
    });
    const [problem] = document.errors;
    if (problem !== undefined) {
      const said = (problem.message.split("\n")[0] ?? "").replace(/\.$/, "");
      return { line: lineAt(counter, problem.pos[0]), what: `it is no YAML: ${said}`, mend: "Correct that line." };
    }
    return { value: document.toJS({ maxAliasCount: 0 }), lineOf: (path) => lineOf(document, counter, path) };
  } catch (error) {
    if (error instanceof ReferenceError)
      return { line: 1, what: "it has an alias", mend: "Write it out, or quote what begins with * or &." };
    if (error instanceof RangeError)
      return { line: 1, what: "it is nested too deeply", mend: "A task has three levels." };
    throw error;
  }
}

function lineOf(document: Document.Parsed, counter: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as Node | undefined; // `keepScalar` gives nodes
    if (node?.range) return lineAt(counter, node.range[0]);
  }
  return 1;
}

function lineAt(counter: LineCounter, offset: number): number {
  return Math.max(1, counter.linePos(offset).line);
}
