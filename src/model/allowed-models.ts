/** Which models may be used at all. */
import { HarnessError } from "../kernel/harness-error.ts";

/** Patterns of `provider/model`, of which one has to fit; `*` stands for any text. */
export interface AllowedModels {
  readonly patterns: readonly string[];
  /** Who says so, for people: the file. */
  readonly from: string;
}

interface NamedModel {
  readonly provider: string;
  readonly model: string;
}

/** The first of the lists that does not have the model; null where all have it. */
export function forbiddenBy(lists: readonly AllowedModels[], { provider, model }: NamedModel): AllowedModels | null {
  return lists.find(({ patterns }) => !patterns.some((pattern) => fits(pattern, `${provider}/${model}`))) ?? null;
}

/** @throws HarnessError `model_not_allowed` */
export function requireAllowed(lists: readonly AllowedModels[], named: NamedModel): void {
  const list = forbiddenBy(lists, named);
  if (list === null) return;
  const { patterns, from } = list;
  throw new HarnessError(
    "model_not_allowed",
    `The model ${named.provider}/${named.model} is not allowed by ${from}.`,
    patterns.length === 0 ? "That file allows none." : `Choose one of: ${patterns.join(", ")}.`,
  );
}

/** In one pass from the left: a regular expression of many stars could take for ever. */
function fits(pattern: string, name: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
