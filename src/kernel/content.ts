/**
 * Content parts: what messages are made of. Every part says where it came from, from the first event on: information
 * flow cannot be added to a journal later.
 */
import type { BlobHash, ToolCallId } from "./ids.ts";
import type { JsonObject } from "./json.ts";

/** `by` names the tool, the MCP server, the path or the address. */
export interface Origin {
  readonly from: "user" | "workspace" | "web" | "mcp" | "tool" | "model" | "belay";
  readonly by?: string;
  /** Text of strangers, although it did not come from the web: a fork's code, what a command with network printed. */
  readonly untrusted?: true;
  /** A value that must not leave was here; in the journal it is its token. */
  readonly secret?: true;
}

/** What a provider wants back to the byte with the part it came with (an item's id, encrypted reasoning). No other sees it. */
export interface Opaque {
  readonly provider: string;
  readonly data: JsonObject;
}

/** `opaque` only in what a model said. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
  readonly origin: Origin;
  readonly opaque?: Opaque;
}

export interface ImagePart {
  readonly type: "image";
  readonly media_type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  readonly blob: BlobHash;
  readonly origin: Origin;
}

/** Kept to the byte: the provider checks the signature. Providers without one sign with nothing and use `opaque`. */
export interface ThinkingPart {
  readonly type: "thinking";
  readonly text: string;
  readonly signature: string;
  readonly origin: Origin;
  readonly opaque?: Opaque;
}

export interface RedactedThinkingPart {
  readonly type: "redacted_thinking";
  readonly data: string;
  readonly origin: Origin;
}

/** The model asks for a tool. `call` is our id; `provider_id` is what the provider called it. */
export interface ToolUsePart {
  readonly type: "tool_use";
  readonly call: ToolCallId;
  readonly provider_id: string;
  readonly name: string;
  readonly input: JsonObject;
  readonly origin: Origin;
  readonly opaque?: Opaque;
}

export interface ToolResultPart {
  readonly type: "tool_result";
  readonly call: ToolCallId;
  readonly provider_id: string;
  readonly is_error: boolean;
  readonly content: readonly (TextPart | ImagePart)[];
  readonly origin: Origin;
}

export type ContentPart = TextPart | ImagePart | ThinkingPart | RedactedThinkingPart | ToolUsePart | ToolResultPart;
/** What a tool may hand back and a user may say. */
export type PlainPart = TextPart | ImagePart;
/** What a model may answer with. */
export type ModelPart = TextPart | ThinkingPart | RedactedThinkingPart | ToolUsePart;

export interface UserMessage {
  readonly role: "user";
  readonly parts: readonly (PlainPart | ToolResultPart)[];
}
export interface AssistantMessage {
  readonly role: "assistant";
  readonly parts: readonly ModelPart[];
}
export type Message = UserMessage | AssistantMessage;

export function textPart(text: string, origin: Origin): TextPart {
  return { type: "text", text, origin };
}

/** The text of the parts, joined; everything else is left out. */
export function plainText(parts: readonly ContentPart[]): string {
  return parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
}
