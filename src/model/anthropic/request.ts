/**
 * Kernel messages as Anthropic's API takes them.
 *
 * Q1: thinking goes back to the byte, or not at all (`thinking_from`, and what another provider thought).
 * Q2: a request extends the one before it: the mapping of a message depends on that message alone, cache marks apart.
 * Q3: at most four cache marks: the last tool, the system prompt, and the ends of the last two user messages.
 */
import type {
  ContentBlockParam,
  ImageBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  TextBlockParam,
  Tool,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import type {
  AssistantMessage,
  ImagePart,
  Message,
  ModelPart,
  PlainPart,
  ThinkingPart,
  UserMessage,
} from "../../kernel/content.ts";
import { imageData, type LoadBlob, missingImage } from "../load-blob.ts";
import { portableId } from "../provider-id.ts";
import { thinkingParam } from "./thinking.ts";
import type { ModelRequest, ToolSchema } from "../model.ts";

const CACHE_MARK = { type: "ephemeral" } as const;
const MARKED_USER_MESSAGES = 2;
/** The provider refuses messages without content. */
const NOTHING_SAID: TextBlockParam = { type: "text", text: "(nothing was said)" };

export async function anthropicParams(
  request: ModelRequest,
  loadBlob: LoadBlob | undefined,
): Promise<MessageCreateParamsStreaming> {
  const thinking = thinkingParam(request.model, request.thinking_tokens, request.max_tokens);
  return {
    model: request.model,
    max_tokens: request.max_tokens,
    stream: true,
    ...(request.system === "" ? {} : { system: [{ type: "text", text: request.system, cache_control: CACHE_MARK }] }),
    ...(request.tools.length === 0 ? {} : { tools: toolParams(request.tools) }),
    messages: markTail(await messageParams(request, loadBlob)),
    ...(thinking === null ? {} : { thinking }),
  };
}

function toolParams(tools: readonly ToolSchema[]): Tool[] {
  return tools.map((tool, index) => ({
    name: tool.name,
    description: tool.description,
    // A tool's schema is an object schema by the port's contract; the SDK wants the word `type` spelled out.
    input_schema: { ...tool.input, type: "object" },
    ...(index === tools.length - 1 ? { cache_control: CACHE_MARK } : {}),
  }));
}

async function messageParams(request: ModelRequest, loadBlob: LoadBlob | undefined): Promise<MessageParam[]> {
  const params: MessageParam[] = [];
  for (const [index, message] of request.messages.entries()) {
    const dropThinking = index < request.thinking_from;
    const known = dropThinking ? undefined : mapped.get(message);
    const param = known ?? (await messageParam(message, dropThinking, loadBlob));
    if (known === undefined && !dropThinking && !holdsImage(message)) mapped.set(message, param);
    params.push(param);
  }
  return params;
}

/** Q2: made once for each message, however many requests it stands in. Not of images, whose bytes may be there or not. */
const mapped = new WeakMap<Message, MessageParam>();

function holdsImage({ parts }: Message): boolean {
  return parts.some((part) =>
    part.type === "tool_result" ? part.content.some(({ type }) => type === "image") : part.type === "image",
  );
}

async function messageParam(
  message: Message,
  dropThinking: boolean,
  loadBlob: LoadBlob | undefined,
): Promise<MessageParam> {
  const content = await contentOf(message, dropThinking, loadBlob);
  return { role: message.role, content: content.length === 0 ? [NOTHING_SAID] : content };
}

function contentOf(
  message: Message,
  dropThinking: boolean,
  loadBlob: LoadBlob | undefined,
): Promise<ContentBlockParam[]> {
  return message.role === "user"
    ? userContent(message, loadBlob)
    : Promise.resolve(assistantContent(message, dropThinking));
}

function assistantContent(message: AssistantMessage, dropThinking: boolean): ContentBlockParam[] {
  return message.parts.flatMap((part) => modelBlock(part, dropThinking));
}

function modelBlock(part: ModelPart, dropThinking: boolean): ContentBlockParam[] {
  switch (part.type) {
    case "text":
      return textBlocks(part.text);
    case "thinking":
      // Thinking of another provider has no signature that this one knows.
      return dropThinking || isForeign(part)
        ? []
        : [{ type: "thinking", thinking: part.text, signature: part.signature }];
    case "redacted_thinking":
      return dropThinking ? [] : [{ type: "redacted_thinking", data: part.data }];
    case "tool_use":
      return [{ type: "tool_use", id: portableId(part.provider_id), name: part.name, input: part.input }];
  }
}

function isForeign({ opaque }: ThinkingPart): boolean {
  return opaque !== undefined && opaque.provider !== "anthropic";
}

async function userContent(message: UserMessage, loadBlob: LoadBlob | undefined): Promise<ContentBlockParam[]> {
  const blocks: ContentBlockParam[] = [];
  for (const part of message.parts) {
    if (part.type !== "tool_result") {
      blocks.push(...(await plainBlocks(part, loadBlob)));
      continue;
    }
    const content = (await Promise.all(part.content.map((item) => plainBlocks(item, loadBlob)))).flat();
    const result: ToolResultBlockParam = { type: "tool_result", tool_use_id: portableId(part.provider_id) };
    if (content.length > 0) result.content = content;
    if (part.is_error) result.is_error = true;
    blocks.push(result);
  }
  return blocks;
}

async function plainBlocks(
  part: PlainPart,
  loadBlob: LoadBlob | undefined,
): Promise<(TextBlockParam | ImageBlockParam)[]> {
  return part.type === "text" ? textBlocks(part.text) : [await imageBlock(part, loadBlob)];
}

/** Blank text is refused ("text content blocks must contain non-whitespace text"), and says nothing. */
function textBlocks(text: string): TextBlockParam[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

async function imageBlock(part: ImagePart, loadBlob: LoadBlob | undefined): Promise<TextBlockParam | ImageBlockParam> {
  const data = await imageData(part, loadBlob);
  if (data === null) return { type: "text", text: missingImage(part) };
  return { type: "image", source: { type: "base64", media_type: part.media_type, data } };
}

/** Q3. Two, so that the mark of the request before is found again and the new end is written. */
function markTail(messages: MessageParam[]): MessageParam[] {
  const users = messages.flatMap((message, index) => (message.role === "user" ? [index] : []));
  const marked = new Set(users.slice(-MARKED_USER_MESSAGES));
  return messages.map((message, index) => (marked.has(index) ? withMark(message) : message));
}

function withMark(message: MessageParam): MessageParam {
  const { content } = message;
  const last = Array.isArray(content) ? content.at(-1) : undefined;
  if (!Array.isArray(content) || last === undefined) return message;
  const marked = [...content.slice(0, -1), { ...last, cache_control: CACHE_MARK }];
  return { ...message, content: marked } as MessageParam; // text, image and tool_result, which is all a user message holds, take a mark
}
