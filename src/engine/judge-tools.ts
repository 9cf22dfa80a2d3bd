/** Judges the calls of a batch, and gives results to those that will not run. */
import { textPart } from "../kernel/content.ts";
import type { SessionConfig } from "../kernel/config.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { ToolCallId } from "../kernel/ids.ts";
import type { JsonObject } from "../kernel/json.ts";
import { invariant } from "../kernel/harness-error.ts";
import type { SessionState, ToolCall, ToolStatus } from "../kernel/state.ts";
import { judge } from "../policy/judge.ts";
import { parseToolInput } from "../tool/registry.ts";
import type { Tool } from "../tool/tool.ts";
import type { Drive } from "./run.ts";

/** What a judgement looks at: also a replay has that. */
export interface Judging {
  readonly host: Pick<Drive["host"], "tools">;
  readonly redactor: Pick<Drive["redactor"], "restoreJson">;
  state(): SessionState;
  config(): SessionConfig;
}

export function judgeTools(calls: readonly ToolCallId[], run: Judging): readonly Draft[] {
  return calls.flatMap((id) => judgeOne(openCall(run.state(), id), run));
}

function judgeOne(call: ToolCall, run: Judging): readonly Draft[] {
  const { call: id, name } = call.part;
  const tool = findTool(run.host.tools, name);
  if (tool === undefined) {
    const known = run.host.tools.map((one) => one.name).join(", ");
    return refuse(id, null, "error", "there is no such tool", `There is no tool "${name}". The tools are: ${known}.`);
  }
  const parsed = parseToolInput(tool, inputOf(call, tool, run));
  if (!parsed.ok) return refuse(id, tool, "error", "its input does not fit", parsed.problem);
  const { decision, reason } = judge(tool.effect, run.config());
  if (decision === "deny") return refuse(id, tool, "denied", reason, `Denied: ${reason}.`);
  return [{ kind: "ToolJudged", data: { call: id, decision, reason, effect: tool.effect } }];
}

function refuse(
  call: ToolCallId,
  tool: Tool | null,
  status: ToolStatus,
  reason: string,
  say: string,
): readonly Draft[] {
  return [
    { kind: "ToolJudged", data: { call, decision: "deny", reason, effect: tool?.effect ?? null } },
    notRun(call, status, say),
  ];
}

/** The structured result of a call that did not run. */
export function notRun(call: ToolCallId, status: ToolStatus, say: string): Draft {
  return {
    kind: "ToolFinished",
    data: { call, status, content: [textPart(say, { from: "belay" })], output: null, exit: null, duration_ms: 0 },
  };
}

export function closeCalls(calls: readonly ToolCallId[], reason: string): readonly Draft[] {
  return calls.map((call) => notRun(call, "canceled", `Not run (${reason}).`));
}

/**
 * Whether nothing that the tool does can be carried out of the workspace. A tool that acts on the network does so from belay's
 * own process: the sandbox holds commands, not that.
 */
export function staysInside(tool: Tool, { mode, network }: SessionConfig["sandbox"]): boolean {
  if (tool.effect === "network") return false;
  return tool.effect !== "execute" || (mode === "bwrap" && !network);
}

/**
 * What the tool is run with. A secret's token stands for the secret only where nothing can carry it away: else whoever
 * talks the model into writing the token into an address would have the secret.
 */
export function inputOf({ part }: ToolCall, tool: Tool, run: Judging): JsonObject {
  return staysInside(tool, run.config().sandbox) ? run.redactor.restoreJson(part.input) : part.input;
}

export function findTool(tools: readonly Tool[], name: string): Tool | undefined {
  return tools.find((tool) => tool.name === name);
}

export function openCall(state: SessionState, id: ToolCallId): ToolCall {
  const call = state.batch.find((open) => open.part.call === id);
  invariant(call !== undefined, "invariant D1: a step names calls of the open batch");
  return call;
}
