/**
 * Responses that were stored (`store` is true by default): a later request names one by `previous_response_id`, or single
 * items of it by reference. Bounded; the oldest goes first.
 */
import { at, type JsonRecord, textAt } from "../../../model/json-view.ts";
import type { Answer, ApiError } from "../dialect.ts";
import { invalid } from "../openai/api-error.ts";
import { itemsOf, typeOf } from "./input.ts";
import { outputItems, responseId } from "./response.ts";

const RESPONSES_MAX = 2_000;
/** Of all inputs and outputs that are kept, as JSON. */
const CHARS_MAX = 128 * 1024 * 1024;

export interface StoredResponses {
  /** Puts what is referred to into the input. @returns the refusal where something is not there. */
  resolve(body: unknown): { readonly body: unknown } | { readonly error: ApiError };
  /** Keeps what a later request may refer to. */
  keep(answer: Answer): void;
}

interface Stored {
  /** What was asked and what was answered: the input of whatever comes next. */
  readonly items: readonly JsonRecord[];
  readonly output: readonly JsonRecord[];
  readonly chars: number;
}

export function createStoredResponses(): StoredResponses {
  const responses = new Map<string, Stored>();
  let held = 0;
  const items = new Map<string, JsonRecord>();
  return {
    resolve: (body) => {
      const previous = textAt(body, "previous_response_id");
      const before = previous === null ? [] : responses.get(previous)?.items;
      if (before === undefined) {
        const message = `Previous response with id '${previous}' not found.`;
        return { error: invalid(message, "previous_response_id", "previous_response_not_found") };
      }
      const input: JsonRecord[] = [...before];
      const own = itemsOf(body);
      for (const item of own) {
        const id = textAt(item, "id");
        // A reasoning item without its content is a reference in all but name.
        const refers =
          typeOf(item) === "item_reference" ||
          (typeOf(item) === "reasoning" && id !== null && typeof item["encrypted_content"] !== "string");
        const found = refers ? items.get(id ?? "") : item;
        if (found === undefined) return { error: notStored(id ?? "") };
        input.push(found);
      }
      const whole = previous !== null || own.some((item, i) => item !== input[i]);
      return { body: whole && typeof body === "object" ? { ...body, input } : body };
    },
    keep: (answer) => {
      if (at(answer.body, "store") === false) return;
      const output = outputItems(answer);
      const id = responseId(answer);
      const all = [...itemsOf(answer.body), ...output];
      const chars = JSON.stringify(all).length;
      held += chars - (responses.get(id)?.chars ?? 0);
      responses.set(id, { items: all, output, chars });
      for (const item of output) items.set(item.id, item);
      for (const [oldest, stored] of responses) {
        if (responses.size === 1 || (responses.size <= RESPONSES_MAX && held <= CHARS_MAX)) break;
        responses.delete(oldest);
        held -= stored.chars;
        for (const item of stored.output) items.delete(textAt(item, "id") ?? "");
      }
    },
  };
}

function notStored(id: string): ApiError {
  const message = `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`;
  return { ...invalid(message, "input"), status: 404 };
}
