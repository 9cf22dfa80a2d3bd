/**
 * Kernel messages as OpenAI's Responses API takes them. Nothing is stored at the provider: every request holds it all.
 *
 * Q1: a reasoning item goes back to the byte, before the item that followed it, or not at all.
 * Q2: a request extends the one before it: the mapping of a message depends on that message alone.
 * Q3: where reasoning is left out, the items that followed it go without their ids: by those the API looks for the pair.
 */
import type {
  FunctionTool,
  ResponseCreateParamsStreaming,
  ResponseInputItem,
} from "openai/resources/responses/responses";
import type { Reasoning } from "openai/resources/shared";
import type { ModelCallOptions, ModelRequest, ToolSchema } from "../model.ts";
import type { LoadBlob } from "../load-blob.ts";
import { answerItems } from "./answer-items.ts";
import { reasons } from "./model-family.ts";
import { userItems } from "./user-items.ts";

/** From this many thinking tokens on the effort is medium, and high. Tokens. */
const MEDIUM_EFFORT_TOKENS = 4_096;
const HIGH_EFFORT_TOKENS = 16_384;

export async function openaiParams(
  request: ModelRequest,
  options: Pick<ModelCallOptions, "cache_key">,
  loadBlob: LoadBlob | undefined,
): Promise<ResponseCreateParamsStreaming> {
  const reasoning = reasoningParam(request.thinking_tokens);
  return {
    model: request.model,
    stream: true,
    store: false,
    max_output_tokens: request.max_tokens,
    ...(request.system === "" ? {} : { instructions: request.system }),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toolParam), parallel_tool_calls: true }),
    input: await inputItems(request, loadBlob),
    ...(reasons(request.model) ? { include: ["reasoning.encrypted_content"] } : {}),
    ...(reasons(request.model) && reasoning !== null ? { reasoning } : {}),
    ...(options.cache_key === undefined ? {} : { prompt_cache_key: options.cache_key }),
  };
}

/**
 * The API takes no number: few tokens are low effort, many are high. Higher efforts are refused by some models.
 * @param tokens null: off, which means that the parameter is left out (most models refuse `none`)
 */
function reasoningParam(tokens: number | null): Reasoning | null {
  if (tokens === null || tokens <= 0) return null;
  const effort = tokens < MEDIUM_EFFORT_TOKENS ? "low" : tokens < HIGH_EFFORT_TOKENS ? "medium" : "high";
  return { effort, summary: "auto" };
}

/** Nothing that the model reads is another: the cache holds. */
export function withoutSummary(params: ResponseCreateParamsStreaming): ResponseCreateParamsStreaming {
  const { effort } = params.reasoning ?? {};
  return effort === undefined ? params : { ...params, reasoning: { effort } };
}

function toolParam({ name, description, input }: ToolSchema): FunctionTool {
  // Strict schemas allow no optional property: belay checks inputs itself.
  return { type: "function", name, description, parameters: { ...input }, strict: false };
}

async function inputItems(request: ModelRequest, loadBlob: LoadBlob | undefined): Promise<ResponseInputItem[]> {
  const items: ResponseInputItem[] = [];
  for (const [index, message] of request.messages.entries()) {
    items.push(
      ...(message.role === "user"
        ? await userItems(message, loadBlob)
        : answerItems(message, index < request.thinking_from)),
    );
  }
  return items;
}
