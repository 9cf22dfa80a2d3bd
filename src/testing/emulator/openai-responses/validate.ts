/** What the Responses API checks before it answers, in its own words. */
import { at, asRecord, countAt, type JsonRecord, textAt } from "../../../model/json-view.ts";
import type { ApiError } from "../dialect.ts";
import { recordsOf } from "../dialect.ts";
import { invalid, missing, wrongType } from "../openai/api-error.ts";
import { isReasoningModel, strictFault, toolNameFault, tooLong } from "../openai/common.ts";
import { decryptedId, isModelItem, itemsOf, OUTPUT_OF, typeOf } from "./input.ts";

const OUTPUT_TOKENS_MIN = 16;
const ID_LENGTH_MAX = 64;
const ROLES = ["assistant", "system", "developer", "user"];
const CACHE_RETENTIONS = ["in_memory", "in-memory", "24h"];
const KNOWN: ReadonlySet<string> = new Set(
  "access_programs background context_management conversation include input instructions max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user client_metadata image".split(
    " ",
  ),
);

/** @param body with earlier responses and references put in */
export function bodyError(body: unknown): ApiError | null {
  if (asRecord(body) === null)
    return invalid(
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
    );
  return fieldFault(body) ?? toolFault(body) ?? itemFault(itemsOf(body)) ?? pairFault(itemsOf(body));
}

function fieldFault(body: unknown): ApiError | null {
  const unknown = Object.keys(asRecord(body) ?? {}).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) return invalid(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter");
  const model = at(body, "model");
  if (model === undefined) return missing("model");
  if (typeof model !== "string") return wrongType("model", "a string", model);
  const input = at(body, "input");
  if (input === undefined || (Array.isArray(input) && input.length === 0)) {
    return invalid(
      "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
      "input",
      "missing_required_parameter",
    );
  }
  if (typeof input !== "string" && !Array.isArray(input))
    return wrongType("input", "one of a list of input items or a string", input);
  const limit = countAt(body, "max_output_tokens");
  if (limit !== null && limit < OUTPUT_TOKENS_MIN) {
    return invalid(
      `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= ${OUTPUT_TOKENS_MIN}, but got ${limit} instead.`,
      "max_output_tokens",
      "integer_below_min_value",
    );
  }
  const retention = textAt(body, "prompt_cache_retention");
  if (retention !== null && !CACHE_RETENTIONS.includes(retention))
    return valueFault("prompt_cache_retention", retention, ["in_memory", "24h"]);
  const sampling = ["temperature", "top_p"].find((name) => typeof at(body, name) === "number");
  if (sampling !== undefined && isReasoningModel(model))
    return invalid(`Unsupported parameter: '${sampling}' is not supported with this model.`, sampling);
  if (!isReasoningModel(model) && /^gpt-[34]/.test(model) && textAt(body, "reasoning", "effort") !== null)
    return invalid(
      "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
      "reasoning.effort",
      "unsupported_parameter",
    );
  return null;
}

function toolFault(body: unknown): ApiError | null {
  for (const [index, tool] of recordsOf(at(body, "tools")).entries()) {
    if (tool["type"] === undefined) return missing(`tools[${index}].type`);
    if (tool["type"] !== "function" && tool["type"] !== "custom") continue;
    const name = textAt(tool, "name");
    const fault =
      toolNameFault(name, `tools[${index}].name`) ??
      (tool["strict"] === true ? strictFault(name ?? "", tool["parameters"], `tools[${index}].parameters`) : null);
    if (fault) return fault;
  }
  return null;
}

function itemFault(items: readonly JsonRecord[]): ApiError | null {
  const ids = new Set<string>();
  for (const [index, item] of items.entries()) {
    const fault = shapeFault(item, `input[${index}]`) ?? idFault(item, `input[${index}]`, ids) ?? secretFault(item);
    if (fault) return fault;
  }
  return null;
}

function shapeFault(item: JsonRecord, path: string): ApiError | null {
  const type = typeOf(item);
  if (type === "") return missing(`${path}.type`);
  if (type === "message") {
    const role = textAt(item, "role") ?? "";
    if (!ROLES.includes(role)) return valueFault(`${path}.role`, role, ROLES);
    if (item["content"] === undefined) return missing(`${path}.content`);
    return partFault(item, path, role);
  }
  const needed = NEEDED[type] ?? [];
  const left = needed.find((key) => item[key] === undefined || item[key] === null);
  if (left !== undefined) return missing(`${path}.${left}`);
  const text = needed.find((key) => key === "arguments" && typeof item[key] !== "string");
  return text === undefined ? null : wrongType(`${path}.${text}`, "a string", item[text]);
}

const NEEDED: { readonly [type: string]: readonly string[] } = {
  function_call: ["call_id", "name", "arguments"],
  function_call_output: ["call_id", "output"],
  custom_tool_call: ["call_id", "name", "input"],
  custom_tool_call_output: ["call_id", "output"],
  reasoning: ["summary"],
};

/** What the model said is output, what it is told is input. */
function partFault(item: JsonRecord, path: string, role: string): ApiError | null {
  if (!Array.isArray(item["content"])) return null;
  const supported =
    role === "assistant" ? ["output_text", "refusal"] : ["input_text", "input_image", "input_file", "input_audio"];
  for (const [index, part] of recordsOf(item["content"]).entries()) {
    const type = textAt(part, "type");
    if (type === null) return missing(`${path}.content[${index}].type`);
    if (!supported.includes(type)) return valueFault(`${path}.content[${index}].type`, type, supported);
  }
  return null;
}

const ID_PREFIX: { readonly [type: string]: string } = {
  function_call: "fc",
  reasoning: "rs",
  message: "msg",
  custom_tool_call: "ctc",
};

function idFault(item: JsonRecord, path: string, seen: Set<string>): ApiError | null {
  const call = textAt(item, "call_id");
  if (call !== null && call.length > ID_LENGTH_MAX) return tooLong(`${path}.call_id`, ID_LENGTH_MAX, call);
  const id = textAt(item, "id");
  if (id === null || !isModelItem(item)) return null;
  if (id.length > ID_LENGTH_MAX) return tooLong(`${path}.id`, ID_LENGTH_MAX, id);
  const prefix = ID_PREFIX[typeOf(item)];
  if (prefix !== undefined && !id.startsWith(prefix))
    return invalid(
      `Invalid '${path}.id': '${id}'. Expected an ID that begins with '${prefix}'.`,
      `${path}.id`,
      "invalid_value",
    );
  if (seen.has(id))
    return invalid(
      `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`,
      "input",
    );
  seen.add(id);
  return null;
}

function secretFault(item: JsonRecord): ApiError | null {
  const content = typeOf(item) === "reasoning" ? textAt(item, "encrypted_content") : null;
  if (content === null) return null;
  const inside = decryptedId(content);
  const id = textAt(item, "id");
  if (inside !== null && (id === null || id === inside)) return null;
  const reason =
    inside === null
      ? "Encrypted content could not be decrypted or parsed."
      : "Encrypted content item_id did not match the target item id.";
  const short = `${content.slice(0, 4)}...${content.slice(-4)}`;
  return invalid(
    `The encrypted content ${id === null ? short : `for item ${id}`} could not be verified. Reason: ${reason}`,
    null,
    "invalid_encrypted_content",
  );
}

/** Calls have outputs, outputs have calls, and reasoning stands with what it led to. */
function pairFault(items: readonly JsonRecord[]): ApiError | null {
  const ids = new Set(items.map((item) => textAt(item, "id")));
  const asked = new Set<string>();
  for (const [index, item] of items.entries()) {
    const type = typeOf(item);
    const call = textAt(item, "call_id") ?? "";
    const output = OUTPUT_OF[type];
    if (output !== undefined) {
      asked.add(call);
      const answered = items
        .slice(index + 1)
        .some((later) => typeOf(later) === output && textAt(later, "call_id") === call);
      if (!answered) return invalid(`No tool output found for ${type.replaceAll("_", " ")} ${call}.`, "input");
    }
    if (Object.values(OUTPUT_OF).includes(type) && !asked.has(call))
      return invalid(
        `No tool call found for ${type.replace("_output", "").replaceAll("_", " ")} output with call_id ${call}.`,
        "input",
      );
    const id = textAt(item, "id");
    const next = items[index + 1];
    if (type === "reasoning" && (next === undefined || !isModelItem(next)))
      return invalid(
        `Item '${id ?? ""}' of type 'reasoning' was provided without its required following item.`,
        "input",
      );
    const reasoning = /^(?:fc|msg)_(.+r)_\d+$/.exec(id ?? "")?.[1];
    if (reasoning !== undefined && !ids.has(`rs_${reasoning}`))
      return invalid(
        `Item '${id}' of type '${type}' was provided without its required 'reasoning' item: 'rs_${reasoning}'.`,
        "input",
      );
  }
  return null;
}

function valueFault(path: string, value: string, supported: readonly string[]): ApiError {
  const list = supported.map((word) => `'${word}'`);
  const words = `${list.slice(0, -1).join(", ")}${list.length > 2 ? "," : ""} and ${list.at(-1)}`;
  return invalid(`Invalid value: '${value}'. Supported values are: ${words}.`, path, "invalid_value");
}
