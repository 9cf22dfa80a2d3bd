/**
 * Kernel messages as an AI SDK model takes them (specification v4).
 *
 * Q1: what a provider wanted back (`opaque`) goes to that provider alone, exactly as it came; thinking goes to who thought
 *     it, or not at all (`thinking_from`).
 * Q2: a request extends the one before it: the mapping of a message depends on that message and those before it alone.
 * Q3: images of tool results stand in the user's message after the results: many providers take text alone in a result,
 *     and would be sent the image's bytes as text.
 */
import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FilePart,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4TextPart,
  LanguageModelV4ToolResultPart,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type {
  AssistantMessage,
  ImagePart,
  ModelPart,
  Opaque,
  PlainPart,
  ToolResultPart,
  UserMessage,
} from "../../kernel/content.ts";
import { type LoadBlob, missingImage } from "../load-blob.ts";
import type { ModelRequest, ToolSchema } from "../model.ts";

type AssistantContent = Extract<LanguageModelV4Message, { readonly role: "assistant" }>["content"];
type UserContent = (LanguageModelV4TextPart | LanguageModelV4FilePart)[];

const NOTHING_SAID: LanguageModelV4TextPart = { type: "text", text: "(nothing was said)" };
/** Thinking in tokens as the interface's words for it: up to and with so many. Tokens. */
const EFFORTS = [
  { tokens: 4_096, effort: "low" },
  { tokens: 16_384, effort: "medium" },
] as const;

export async function callOptions(
  request: ModelRequest,
  provider: string,
  loadBlob: LoadBlob | undefined,
): Promise<LanguageModelV4CallOptions> {
  return {
    prompt: await promptOf(request, provider, loadBlob),
    maxOutputTokens: request.max_tokens,
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toolOf) }),
    ...(request.thinking_tokens === null ? {} : { reasoning: effortOf(request.thinking_tokens) }),
  };
}

function effortOf(tokens: number): "low" | "medium" | "high" {
  return EFFORTS.find((one) => tokens <= one.tokens)?.effort ?? "high";
}

function toolOf({ name, description, input }: ToolSchema): LanguageModelV4FunctionTool {
  // A tool's schema is the JSON Schema of an object by the port's contract; the interface's type for one is mutable.
  const inputSchema = input as LanguageModelV4FunctionTool["inputSchema"];
  return { type: "function", name, description, inputSchema };
}

async function promptOf(
  request: ModelRequest,
  provider: string,
  loadBlob: LoadBlob | undefined,
): Promise<LanguageModelV4Message[]> {
  const prompt: LanguageModelV4Message[] = request.system === "" ? [] : [{ role: "system", content: request.system }];
  const names = new Map<string, string>();
  for (const [index, message] of request.messages.entries()) {
    if (message.role === "user") {
      prompt.push(...(await userMessages(message, names, loadBlob)));
      continue;
    }
    for (const part of message.parts) if (part.type === "tool_use") names.set(part.call, part.name);
    prompt.push(assistantMessage(message, provider, index < request.thinking_from));
  }
  return prompt;
}

function assistantMessage(message: AssistantMessage, provider: string, dropThinking: boolean): LanguageModelV4Message {
  const content = message.parts.flatMap((part) => modelContent(part, provider, dropThinking));
  return { role: "assistant", content: content.length === 0 ? [NOTHING_SAID] : content };
}

function modelContent(part: ModelPart, provider: string, dropThinking: boolean): AssistantContent {
  switch (part.type) {
    case "text": {
      const options = optionsOf(part.opaque, provider);
      // Blank text says nothing, unless it carries what the provider wants back.
      return part.text.trim() === "" && !("providerOptions" in options)
        ? []
        : [{ type: "text", text: part.text, ...options }];
    }
    case "thinking":
      return dropThinking || part.opaque?.provider !== provider
        ? []
        : [{ type: "reasoning", text: part.text, ...optionsOf(part.opaque, provider) }];
    case "redacted_thinking":
      return []; // only Anthropic's own API writes it
    case "tool_use":
      return [
        {
          type: "tool-call",
          toolCallId: part.provider_id,
          toolName: part.name,
          input: part.input,
          ...optionsOf(part.opaque, provider),
        },
      ];
  }
}

/** Q1 */
function optionsOf(
  opaque: Opaque | undefined,
  provider: string,
): { readonly providerOptions?: SharedV4ProviderOptions } {
  if (opaque === undefined || opaque.provider !== provider || Object.keys(opaque.data).length === 0) return {};
  // It is what the same provider gave as the metadata of this part, which is of the same type.
  return { providerOptions: opaque.data as SharedV4ProviderOptions };
}

async function userMessages(
  message: UserMessage,
  names: ReadonlyMap<string, string>,
  loadBlob: LoadBlob | undefined,
): Promise<LanguageModelV4Message[]> {
  const results: LanguageModelV4ToolResultPart[] = [];
  const said: UserContent = [];
  for (const part of message.parts) {
    if (part.type !== "tool_result") {
      said.push(...(await plainContent(part, loadBlob)));
      continue;
    }
    results.push(resultOf(part, names.get(part.call) ?? "unknown"));
    said.push(...(await imagesOf(part, loadBlob)));
  }
  if (results.length === 0) return [{ role: "user", content: said.length === 0 ? [NOTHING_SAID] : said }];
  const answers: LanguageModelV4Message = { role: "tool", content: results };
  return said.length === 0 ? [answers] : [answers, { role: "user", content: said }];
}

function resultOf(part: ToolResultPart, toolName: string): LanguageModelV4ToolResultPart {
  const value = part.content.map((item) => (item.type === "text" ? item.text : "[The image follows.]")).join("\n");
  const type = part.is_error ? "error-text" : "text";
  return { type: "tool-result", toolCallId: part.provider_id, toolName, output: { type, value } };
}

/** Q3 */
async function imagesOf(part: ToolResultPart, loadBlob: LoadBlob | undefined): Promise<UserContent> {
  const images = part.content.filter((item) => item.type === "image");
  if (images.length === 0) return [];
  const files = await Promise.all(images.map((image) => imageContent(image, loadBlob)));
  return [{ type: "text", text: `From the result of the tool call ${part.provider_id}:` }, ...files];
}

async function plainContent(part: PlainPart, loadBlob: LoadBlob | undefined): Promise<UserContent> {
  if (part.type === "image") return [await imageContent(part, loadBlob)];
  return part.text.trim() === "" ? [] : [{ type: "text", text: part.text }];
}

async function imageContent(
  part: ImagePart,
  loadBlob: LoadBlob | undefined,
): Promise<LanguageModelV4TextPart | LanguageModelV4FilePart> {
  const data = loadBlob ? await loadBlob(part.blob) : null;
  if (data === null) return { type: "text", text: missingImage(part) };
  return { type: "file", mediaType: part.media_type, data: { type: "data", data } };
}
