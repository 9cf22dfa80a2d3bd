/** What the Chat Completions API checks before it answers, in its own words. */
import { asRecord, at, type JsonRecord, textAt } from "../../../model/json-view.ts";
import { type ApiError, recordsOf } from "../dialect.ts";
import { invalid, missing, wrongType } from "../openai/api-error.ts";
import { isReasoningModel, strictFault, toolNameFault, tooLong } from "../openai/common.ts";

const ID_LENGTH_MAX = 40;
const ROLES = ["system", "assistant", "user", "function", "tool", "developer"];

export function bodyError(body: unknown): ApiError | null {
  if (asRecord(body) === null)
    return invalid(
      "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
    );
  const messages = recordsOf(at(body, "messages"));
  return fieldFault(body) ?? toolFault(body) ?? messageFault(messages) ?? pairFault(messages);
}

function fieldFault(body: unknown): ApiError | null {
  const model = textAt(body, "model");
  if (model === null) return invalid("you must provide a model parameter");
  const messages = at(body, "messages");
  if (messages === undefined) return missing("messages");
  if (!Array.isArray(messages)) return wrongType("messages", "an array of objects", messages);
  if (messages.length === 0)
    return invalid(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "messages",
      "empty_array",
    );
  if (at(body, "stream_options") !== undefined && at(body, "stream_options") !== null && at(body, "stream") !== true)
    return invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  const n = at(body, "n");
  if (n !== undefined && n !== null && n !== 1) return invalid("emulator: only one choice (n = 1) is played.", "n");
  return isReasoningModel(model) ? reasoningModelFault(body) : null;
}

function reasoningModelFault(body: unknown): ApiError | null {
  if (typeof at(body, "max_tokens") === "number")
    return invalid(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      "max_tokens",
      "unsupported_parameter",
    );
  const temperature = at(body, "temperature");
  if (typeof temperature === "number" && temperature !== 1)
    return invalid(
      `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`,
      "temperature",
      "unsupported_value",
    );
  return null;
}

function toolFault(body: unknown): ApiError | null {
  for (const [index, tool] of recordsOf(at(body, "tools")).entries()) {
    const path = `tools[${index}].function`;
    if (tool["type"] === "function") {
      const name = textAt(tool, "function", "name");
      const fault =
        toolNameFault(name, `${path}.name`) ??
        (at(tool, "function", "strict") === true
          ? strictFault(name ?? "", at(tool, "function", "parameters"), `${path}.parameters`)
          : null);
      if (fault) return fault;
    } else if (tool["type"] === undefined) return missing(`tools[${index}].type`);
  }
  return null;
}

function messageFault(messages: readonly JsonRecord[]): ApiError | null {
  for (const [index, message] of messages.entries()) {
    const path = `messages[${index}]`;
    const role = textAt(message, "role");
    if (role === null) return missing(`${path}.role`);
    if (!ROLES.includes(role))
      return invalid(
        `Invalid value: '${role}'. Supported values are: ${ROLES.map((word) => `'${word}'`).join(", ")}.`,
        `${path}.role`,
        "invalid_value",
      );
    const calls = recordsOf(message["tool_calls"]);
    if (message["content"] === undefined && calls.length === 0) return missing(`${path}.content`);
    if (message["content"] === null && role !== "assistant")
      return wrongType(`${path}.content`, "one of a string or array of objects", null);
    if (Array.isArray(message["tool_calls"]) && calls.length === 0)
      return invalid(
        `Invalid '${path}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
        `${path}.tool_calls`,
        "empty_array",
      );
    if (role === "tool" && textAt(message, "tool_call_id") === null) return missing(`${path}.tool_call_id`);
    const fault = callFault(calls, path);
    if (fault) return fault;
  }
  return null;
}

function callFault(calls: readonly JsonRecord[], path: string): ApiError | null {
  for (const [index, call] of calls.entries()) {
    const where = `${path}.tool_calls[${index}]`;
    const id = textAt(call, "id");
    if (id === null) return missing(`${where}.id`);
    if (id.length > ID_LENGTH_MAX) return tooLong(`${where}.id`, ID_LENGTH_MAX, id);
    if (call["type"] === undefined) return missing(`${where}.type`);
    if (call["type"] !== "function") continue;
    const args = at(call, "function", "arguments");
    if (typeof args !== "string") return wrongType(`${where}.function.arguments`, "a string", args);
  }
  return null;
}

/** Tool messages follow the assistant message that asked for them, each of its calls answered. */
function pairFault(messages: readonly JsonRecord[]): ApiError | null {
  let open: readonly string[] = [];
  let asked: readonly string[] = [];
  for (const [index, message] of messages.entries()) {
    const id = textAt(message, "tool_call_id") ?? "";
    if (message["role"] === "tool") {
      if (!asked.includes(id))
        return invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`,
        );
      open = open.filter((call) => call !== id);
      continue;
    }
    if (open.length > 0) return unanswered(open, index);
    asked = recordsOf(message["tool_calls"]).map((call) => textAt(call, "id") ?? "");
    open = asked;
  }
  return open.length > 0 ? unanswered(open, messages.length) : null;
}

function unanswered(open: readonly string[], index: number): ApiError {
  return invalid(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(", ")}`,
    `messages.[${index}].role`,
  );
}
