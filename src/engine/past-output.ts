/** Outputs of calls that were made before: what was cleared from the conversation stays in the journal, and what is there already is not said twice. */
import { type PlainPart, textPart } from "../kernel/content.ts";
import type { ToolCallId } from "../kernel/ids.ts";
import { resultsOf } from "../kernel/compaction.ts";
import type { SessionState } from "../kernel/state.ts";
import { readEvents } from "../store/session-reader.ts";
import type { Drive } from "./run.ts";

/** A shorter text is not worth a line that points to it. Characters. */
const REPEATED_CHARS_MIN = 1_500;

/** What a call of this session gave back, as it was journaled; null where there was none. */
export async function pastOutput(call: string, run: Drive): Promise<readonly PlainPart[] | null> {
  const { tenant, session } = run.state();
  await run.settle();
  for await (const event of readEvents(run.host.store, tenant, session)) {
    if (!("unknown" in event) && event.kind === "ToolFinished" && event.data.call === call) return event.data.content;
  }
  return null;
}

/** The same text, where it stands in the conversation already; a line that says where. */
export function withoutRepeated(content: readonly PlainPart[], state: SessionState): readonly PlainPart[] {
  return content.map((part) => {
    if (part.type !== "text" || part.text.length < REPEATED_CHARS_MIN) return part;
    const earlier = callThatSaid(part.text, state);
    if (earlier === null) return part;
    const text = `[the same ${part.text.length.toLocaleString("en-US")} characters as in the result of ${earlier}: nothing changed]`;
    return textPart(text, part.origin);
  });
}

function callThatSaid(text: string, { messages, batch }: SessionState): ToolCallId | null {
  const results = [...messages.flatMap(resultsOf), ...batch.flatMap(({ result }) => (result === null ? [] : [result]))];
  return (
    results.find(({ content }) => content.some((part) => part.type === "text" && part.text === text))?.call ?? null
  );
}
