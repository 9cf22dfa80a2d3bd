/** Sorts texts by their bytes in UTF-8, as databases do. */
export function byText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
