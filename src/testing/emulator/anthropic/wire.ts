/** What the emulator knows of a request: read with care, because checking it is the emulator's work. */
import { createHash } from "node:crypto";
import { asRecord, at, type JsonRecord, textAt } from "../../../model/json-view.ts";

export interface WireMessage {
  readonly role: string;
  readonly blocks: readonly JsonRecord[];
}

export function wireMessages(body: unknown): readonly WireMessage[] {
  const messages = at(body, "messages");
  if (!Array.isArray(messages)) return [];
  return messages.map((message) => ({ role: textAt(message, "role") ?? "", blocks: blocksOf(at(message, "content")) }));
}

/** A string is short for one text block. */
export function blocksOf(content: unknown): readonly JsonRecord[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? content.map((block) => asRecord(block) ?? {}) : [];
}

export function textOf(blocks: readonly JsonRecord[]): string {
  return blocks.flatMap((block) => (block["type"] === "text" ? [String(block["text"])] : [])).join("\n");
}

export function resultText(block: JsonRecord): string {
  return textOf(blocksOf(block["content"]));
}

/** Cache marks move from request to request and are no part of what was said. */
export function unmarked(block: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(block).filter(([key]) => key !== "cache_control"));
}

/** The signature the emulator gives a thinking block, and wants back with the same text. */
export function signatureOf(text: string): string {
  return createHash("sha512").update(`emulator:${text}`).digest("base64");
}
