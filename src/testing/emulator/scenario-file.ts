/**
 * Reads a scenario and checks it strictly. A key that does not exist is an error with its line, because a misspelt fault
 * would be a test that tests nothing.
 */
import { LineCounter, parseDocument } from "yaml";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type Scenario, scenario } from "./scenario.ts";

/** @throws HarnessError `config_invalid` naming the path of every mistake. */
export function checkScenario(
  input: unknown,
  name = "scenario",
  lineOf: (path: readonly PropertyKey[]) => number | null = () => null,
): Scenario {
  const parsed = scenario.safeParse(input);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    const path = unknown === undefined ? issue.path : [...issue.path, unknown];
    const line = lineOf(path);
    return `${line === null ? "" : `line ${line}, `}${path.map(String).join(".") || "the whole"}: ${issue.message}`;
  });
  throw new HarnessError(
    "config_invalid",
    `The scenario ${name} is not valid: ${mistakes.join("; ")}.`,
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
  if (broken) {
    throw new HarnessError(
      "config_invalid",
      `The scenario ${name} is not YAML: ${broken.message.split("\n")[0] ?? ""}.`,
      "Correct the YAML.",
      {
        cause: broken,
      },
    );
  }
  return checkScenario(document.toJS(), name, (path) => {
    // The deepest node that exists: of a key that is missing, its parent's.
    for (let length = path.length; length > 0; length--) {
      const offset = offsetOf(document.getIn(path.slice(0, length - 1), true), path[length - 1]);
      if (offset !== null) return lines.linePos(offset).line;
    }
    return null;
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
