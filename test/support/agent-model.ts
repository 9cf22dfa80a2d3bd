/**
 * A model for a whole tree of sessions: each has a script of its own, found by a mark (`[[name]]`) in what it was asked. Which step
 * comes next is read from the conversation, so that a session that is resumed by another process goes on where it was.
 */
import type { Message } from "../../src/kernel/content.ts";
import type { Model, ModelRequest } from "../../src/model/model.ts";
import { say, scriptedModel, type ScriptedStep } from "../../src/testing/index.ts";

export type AgentScript = readonly (ScriptedStep | ((request: ModelRequest) => ScriptedStep | Promise<ScriptedStep>))[];

export interface AgentModel extends Model {
  /** What was asked, by the name of the script. */
  readonly asked: Map<string, ModelRequest[]>;
}

/** @param scripts by mark; `parent` is for a session without one. A script that is over ends with `done`. */
export function agentModel(scripts: { readonly [mark: string]: AgentScript }): AgentModel {
  const asked = new Map<string, ModelRequest[]>();
  return {
    provider: "anthropic",
    account: "anthropic@scripted#none",
    asked,
    call: async (request, options) => {
      const mark = markOf(request.messages);
      asked.set(mark, [...(asked.get(mark) ?? []), request]);
      const turn = request.messages.filter(({ role }) => role === "assistant").length;
      const step = scripts[mark]?.[turn] ?? say("done");
      const chosen = typeof step === "function" ? await step(request) : step;
      return scriptedModel([chosen], "anthropic").call(request, options);
    },
  };
}

function markOf(messages: readonly Message[]): string {
  const [first] = messages;
  const text = (first?.parts ?? []).flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
  return /\[\[([a-z0-9_-]+)\]\]/.exec(text)?.[1] ?? "parent";
}
