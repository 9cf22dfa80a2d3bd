/** Texts are compared by their bytes in UTF-8, so whatever begins with a prefix stands between it and this. */
const LAST_CHARACTER = "\u{10FFFF}";

/** @returns what comes after all texts that begin with `prefix` */
export function afterPrefix(prefix: string): string {
  return `${prefix}${LAST_CHARACTER}`;
}
