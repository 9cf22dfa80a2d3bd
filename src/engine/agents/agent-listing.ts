/** The kinds of sub-agents that the model is told of, in the first message. */
import { clipped } from "../../kernel/clipped.ts";
import { type PlainPart, textPart } from "../../kernel/content.ts";
import { neutralise } from "../../kernel/neutralise.ts";
import type { AgentDefinition } from "../../kernel/work-policy.ts";

/** The whole list. Characters. */
export const AGENT_LISTING_CHARS_MAX = 3_000;
/** What of a description is listed; the second where the list would be too long else. Characters. */
const LISTED_CHARS_MAX = 200;
const LISTED_CHARS_TIGHT = 60;

/** Null where there are none. */
export function agentListing(defined: readonly AgentDefinition[]): PlainPart | null {
  if (defined.length === 0) return null;
  const whole = listed(defined, LISTED_CHARS_MAX);
  const text = whole.length <= AGENT_LISTING_CHARS_MAX ? whole : listed(defined, LISTED_CHARS_TIGHT);
  return textPart(text.slice(0, AGENT_LISTING_CHARS_MAX), { from: "belay", by: "agents" });
}

function listed(defined: readonly AgentDefinition[], chars: number): string {
  const lines = defined.map(({ name, description }) => {
    // A project's file may have written it: one line, nothing hidden, no mark of ours.
    const said = neutralise(description)
      .text.replaceAll(/[\s<>]+/g, " ")
      .trim();
    return `- ${name}: ${clipped(said, chars)}`;
  });
  return ["<agents>", "Kinds of sub-agents for the tool `task`:", ...lines, "</agents>"].join("\n");
}
