/** Which blobs an event refers to: pruning spares them for as long as the session exists. */
import type { BlobHash } from "../kernel/ids.ts";

const BLOB_HASH = /^sha256:[0-9a-f]{64}$/;

/** The fields of events and content parts that hold a blob's name. */
const BLOB_FIELDS: ReadonlySet<string> = new Set(["blob", "output", "system", "tools"]);

/**
 * Walks the payload of an event. What a model wrote as the input of a tool is skipped: a text of its choosing that looks
 * like a name is not a reference.
 */
export function blobReferences(data: unknown): readonly BlobHash[] {
  const found = new Set<BlobHash>();
  collect(data, found);
  return [...found];
}

function collect(value: unknown, found: Set<BlobHash>): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    if (isToolUse(value) && key === "input") continue;
    if (typeof member === "string" && BLOB_FIELDS.has(key) && BLOB_HASH.test(member)) found.add(member as BlobHash); // its form was just checked
    collect(member, found);
  }
}

function isToolUse(value: object): boolean {
  return "type" in value && value.type === "tool_use";
}
