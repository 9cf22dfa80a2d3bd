/**
 * Reads a scenario and checks it strictly. A key that does not exist is an error with its line, because a misspelt fault
 * would be a test that tests nothing.
 */
import { type Document, LineCounter, parseDocument } from "yaml";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type Scenario, scenario } from "./scenario.ts";

/** Mistakes that are named; of more their number is said. */
const MISTAKES_NAMED_MAX = 10;

/** @throws HarnessError `config_invalid` naming the path of every mistake, in the order of the file. */
export function checkScenario(
  input: unknown,
  name = "scenario",
  lineOf: (path: readonly PropertyKey[]) => number | null = () => null,
): Scenario {
  const parsed = scenario.safeParse(input);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.slice(0, MISTAKES_NAMED_MAX).map((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    const path = unknown === undefined ? issue.path : [...issue.path, unknown];
    const line = lineOf(path);
    const where = `${line === null ? "" : `line ${line}, `}${path.map(String).join(".") || "the whole"}`;
    return { line: line ?? 0, text: `${where}: ${issue.message}` };
  });
  const named = mistakes.sort((a, b) => a.line - b.line).map(({ text }) => text);
  const more = parsed.error.issues.length - mistakes.length;
  throw new HarnessError(
    "config_invalid",
    `The scenario ${name} is not valid: ${named.join("; ")}${more === 0 ? "" : `; and ${more} more`}.`,
    "docs/emulator.md lists every key.",
    {
      cause: parsed.error,
    },
  );
}

/** @throws HarnessError `config_invalid` with lines. */
export function parseScenario(text: string, name = "scenario"): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) throw notYaml(name, broken);
  return checkScenario(valueOf(document, name), name, (path) => {
    // The deepest node that exists: of a key that is missing, its parent's.
    for (let length = path.length; length > 0; length--) {
      const offset = offsetOf(document.getIn(path.slice(0, length - 1), true), path[length - 1]);
      if (offset !== null) return lines.linePos(offset).line;
    }
    return null;
  });
}

/** Aliases are followed here: one that leads nowhere, or a few that stand for millions of nodes, are found only now. */
function valueOf(document: Document.Parsed, name: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) throw notYaml(name, error);
    throw error;
  }
}

function notYaml(name: string, cause: Error): HarnessError {
  const words = (cause.message.split("\n")[0] ?? "").replace(/; please use .*? at /, " at ").replace(/[:.]+$/, "");
  return new HarnessError("config_invalid", `The scenario ${name} is not YAML: ${words}.`, "Correct the YAML.", {
    cause,
  });
}

/** Where a key of a map, or an item of a list, begins. */
function offsetOf(parent: unknown, key: PropertyKey | undefined): number | null {
  const items: unknown = parent && typeof parent === "object" && "items" in parent ? parent.items : null;
  if (!Array.isArray(items)) return null;
  for (const [index, item] of items.entries()) {
    const node: unknown = item && typeof item === "object" && "key" in item ? item.key : item;
    const name: unknown = node && typeof node === "object" && "value" in node && node !== item ? node.value : index;
    if (name !== key || !node || typeof node !== "object" || !("range" in node) || !Array.isArray(node.range)) continue;
    const [start] = node.range as readonly unknown[]; // checked to be an array on the line above
    if (typeof start === "number") return start;
  }
  return null;
}
