/** The input of a Responses request: its items, and which of them the model said. */
import { createHash } from "node:crypto";
import { at, type JsonRecord, textAt } from "../../../model/json-view.ts";
import { recordsOf } from "../dialect.ts";

/** A string is short for one user message. */
export function itemsOf(body: unknown): readonly JsonRecord[] {
  const input = at(body, "input");
  if (typeof input === "string") return [{ type: "message", role: "user", content: input }];
  return recordsOf(input);
}

/** A message needs no type. */
export function typeOf(item: JsonRecord): string {
  const type = item["type"];
  if (typeof type === "string") return type;
  return typeof item["role"] === "string" ? "message" : "";
}

const MODEL_TYPES: ReadonlySet<string> = new Set([
  "reasoning",
  "function_call",
  "custom_tool_call",
  "local_shell_call",
  "shell_call",
  "apply_patch_call",
  "web_search_call",
  "compaction",
]);

export function isModelItem(item: JsonRecord): boolean {
  const type = typeOf(item);
  return MODEL_TYPES.has(type) || (type === "message" && item["role"] === "assistant");
}

/** Items that ask for an output, by the kind of output that answers them. */
export const OUTPUT_OF: { readonly [call: string]: string } = {
  function_call: "function_call_output",
  custom_tool_call: "custom_tool_call_output",
  local_shell_call: "local_shell_call_output",
  shell_call: "shell_call_output",
  apply_patch_call: "apply_patch_call_output",
};

/** Answers, not items: what the model said without a word in between is one answer. */
export function answersIn(items: readonly JsonRecord[]): number {
  let count = 0;
  let key: string | null = null;
  for (const item of items) {
    if (!isModelItem(item)) {
      key = null;
      continue;
    }
    const step: string = stepOfId(textAt(item, "id")) ?? stepOfId(textAt(item, "call_id")) ?? key ?? "";
    if (key !== step) count += 1;
    key = step;
  }
  return count;
}

/** The ids that the emulator gives say of which answer an item is. */
function stepOfId(id: string | null): string | null {
  return /^(?:rs|fc|msg|call)_([0-9a-f]{12}_\d+)r?(?:_\d+)?$/.exec(id ?? "")?.[1] ?? null;
}

/** What the emulator gives as `encrypted_content`, and wants back unchanged with the same item. */
export function encryptedOf(id: string): string {
  const proof = createHash("sha512").update(`emulator:${id}`).digest("base64url");
  return `gAAAAA${Buffer.from(`${id}.${proof}`).toString("base64url")}`;
}

/** @returns the id inside; null where it is not the emulator's own, unchanged. */
export function decryptedId(content: string): string | null {
  const id = Buffer.from(content.slice("gAAAAA".length), "base64url").toString("utf8").split(".")[0] ?? "";
  return encryptedOf(id) === content ? id : null;
}
