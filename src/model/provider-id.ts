/** A tool call keeps the id its provider gave it. A conversation that moves to another provider brings ids that are too long there. */
import { createHash } from "node:crypto";

/** What every provider takes: letters, digits, `_` and `-`. Characters. */
const ID_CHARS_MAX = 64;

/** The same id, or, where no provider but its own takes it, one that depends on it alone. */
export function portableId(id: string): string {
  if (/^[\w-]+$/.test(id) && id.length <= ID_CHARS_MAX) return id;
  return `call_${createHash("sha256").update(id).digest("hex").slice(0, 40)}`;
}
