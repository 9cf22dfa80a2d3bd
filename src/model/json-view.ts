/** Looks into JSON that somebody else wrote: whatever is not there or not of the asked kind reads as null. */

export type JsonRecord = { readonly [key: string]: unknown };

export function asRecord(value: unknown): JsonRecord | null {
  // An object that is neither null nor an array may be read by any string key.
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonRecord) : null;
}

/** The value under a path of keys; a number steps into an array. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    current = typeof key === "number" ? (Array.isArray(current) ? current[key] : undefined) : asRecord(current)?.[key];
  }
  return current;
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | null {
  const found = at(value, ...path);
  return typeof found === "string" ? found : null;
}

export function countAt(value: unknown, ...path: readonly (string | number)[]): number | null {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isFinite(found) && found >= 0 ? found : null;
}

/** No prompt and no answer is longer. A provider that says so is mistaken, and money cannot be reckoned from it. */
const TOKENS_MAX = 1_000_000_000;

/** Null also for what is no number of tokens. */
export function tokensAt(value: unknown, ...path: readonly (string | number)[]): number | null {
  const count = countAt(value, ...path);
  return count !== null && Number.isInteger(count) && count <= TOKENS_MAX ? count : null;
}

/** Null where the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
