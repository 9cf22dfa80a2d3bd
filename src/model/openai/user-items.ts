/** What a user or belay says, as input items: results of tools each by itself, everything else in messages. */
import type {
  ResponseFunctionCallOutputItemList,
  ResponseInputContent,
  ResponseInputItem,
} from "openai/resources/responses/responses";
import type { PlainPart, ToolResultPart, UserMessage } from "../../kernel/content.ts";
import { imageData, type LoadBlob, missingImage } from "../load-blob.ts";
import { portableId } from "../provider-id.ts";

/** The API has no mark for a result that is an error. */
const ERROR_MARK = "Error:";
const NO_OUTPUT = "(no output)";
const NOTHING_SAID = "(nothing was said)";

export async function userItems(
  message: UserMessage,
  loadBlob: LoadBlob | undefined,
): Promise<readonly ResponseInputItem[]> {
  const items: ResponseInputItem[] = [];
  let said: ResponseInputContent[] = [];
  const flush = (): void => {
    if (said.length > 0) items.push({ role: "user", content: said });
    said = [];
  };
  for (const part of message.parts) {
    if (part.type === "tool_result") {
      flush();
      items.push(await resultItem(part, loadBlob));
    } else {
      said.push(...(await contentOf(part, loadBlob)));
    }
  }
  flush();
  return items.length === 0 ? [{ role: "user", content: [{ type: "input_text", text: NOTHING_SAID }] }] : items;
}

async function resultItem(part: ToolResultPart, loadBlob: LoadBlob | undefined): Promise<ResponseInputItem> {
  const content: ResponseInputContent[] = part.is_error ? [{ type: "input_text", text: ERROR_MARK }] : [];
  for (const item of part.content) content.push(...(await contentOf(item, loadBlob)));
  return { type: "function_call_output", call_id: portableId(part.provider_id), output: outputOf(content) };
}

/** Text alone is sent as text. */
function outputOf(content: readonly ResponseInputContent[]): string | ResponseFunctionCallOutputItemList {
  const texts = content.flatMap((item) => (item.type === "input_text" ? [item.text] : []));
  if (texts.length === content.length) return texts.length === 0 ? NO_OUTPUT : texts.join("\n");
  return content.flatMap((item) => (item.type === "input_text" || item.type === "input_image" ? [item] : []));
}

async function contentOf(part: PlainPart, loadBlob: LoadBlob | undefined): Promise<readonly ResponseInputContent[]> {
  // Blank text says nothing.
  if (part.type === "text") return part.text.trim() === "" ? [] : [{ type: "input_text", text: part.text }];
  const data = await imageData(part, loadBlob);
  if (data === null) return [{ type: "input_text", text: missingImage(part) }];
  return [{ type: "input_image", detail: "auto", image_url: `data:${part.media_type};base64,${data}` }];
}
