/** Judges the calls of a batch, and gives results to those that will not run. */
import { textPart } from "../kernel/content.ts";
import type { SessionConfig } from "../kernel/config.ts";
import type { Draft } from "../kernel/events/index.ts";
import type { ToolCallId } from "../kernel/ids.ts";
import type { JsonObject } from "../kernel/json.ts";
import { neutralise } from "../kernel/neutralise.ts";
import { invariant } from "../kernel/harness-error.ts";
import type { SessionState, ToolCall, ToolStatus } from "../kernel/state.ts";
import type { CallReading } from "../policy/call-reading.ts";
import { judge, needsReading } from "../policy/judge.ts";
import type { JudgeRequest, JudgeStanding } from "../policy/standing.ts";
import { parseToolInput } from "../tool/registry.ts";
import { taskTool } from "../tool/task.ts";
import type { Tool } from "../tool/tool.ts";
import { withModel } from "./agents/child-config.ts";
import type { Drive } from "./run.ts";
import { calledTool } from "./tool-list.ts";
import { namedByTheWeb } from "./web-named.ts";

/** What a judgement looks at: also a replay has that. */
export interface Judging {
  readonly host: Pick<Drive["host"], "tools" | "home">;
  readonly redactor: Pick<Drive["redactor"], "restoreJson">;
  /** Where the session works, absolute. */
  readonly root: string;
  state(): SessionState;
  config(): SessionConfig;
}

/** Parts of one call that are journaled with its judgement, and characters of each. */
const PARTS_MAX = 20;
const PART_CHARS_MAX = 500;

export type CallReadings = ReadonlyMap<ToolCallId, CallReading>;

/** Reads the calls whose judgement needs it. */
export async function readCalls(calls: readonly ToolCallId[], run: Judging): Promise<CallReadings> {
  const standing = standingOf(run, 0);
  const readings = new Map<ToolCallId, CallReading>();
  for (const id of calls) {
    const { part } = openCall(run.state(), id);
    const { tool, input } = calledTool(part, run.host.tools);
    if (tool === undefined || !needsReading(requestOf(tool, input, run), standing)) continue;
    const { readCall } = await import("../policy/call-reading.ts");
    readings.set(id, await readCall(requestOf(tool, input, run), standing));
  }
  return readings;
}

/** @param now milliseconds since the epoch: grants expire */
export function judgeTools(
  calls: readonly ToolCallId[],
  run: Judging,
  readings: CallReadings,
  now: number,
): readonly Draft[] {
  const standing = standingOf(run, now);
  return calls.flatMap((id) => judgeOne(openCall(run.state(), id), run, standing, readings.get(id) ?? null));
}

function judgeOne(
  call: ToolCall,
  run: Judging,
  standing: JudgeStanding,
  reading: CallReading | null,
): readonly Draft[] {
  const { call: id, name } = call.part;
  const { tool, input } = calledTool(call.part, run.host.tools);
  if (tool === undefined) {
    const known = run.host.tools.map((one) => one.name).join(", ");
    return refuse(id, null, "error", "there is no such tool", `There is no tool "${name}". The tools are: ${known}.`);
  }
  const parsed = parseToolInput(tool, inputOf(call, tool, run));
  if (!parsed.ok) return refuse(id, tool, "error", "its input does not fit", parsed.problem);
  const judged = judge(requestOf(tool, input, run), standing, reading);
  const { decision, reason, rule, parts, sink, network_withheld, brings_in } = judged;
  const data = {
    call: id,
    decision,
    reason,
    effect: tool.effect,
    rule,
    parts: parts.slice(0, PARTS_MAX).map((part) => ({ ...part, text: part.text.slice(0, PART_CHARS_MAX) })),
    sink,
    network_withheld,
    brings_in,
  };
  const drafts: Draft[] = [{ kind: "ToolJudged", data }];
  if (decision === "deny") drafts.push(notRun(id, "denied", `Denied: ${reason}.`));
  return drafts;
}

function requestOf({ name, effect }: Tool, input: JsonObject, run: Judging): JudgeRequest {
  return { tool: name, effect, input: name === taskTool.name ? withModel(input, run.config()) : input };
}

function standingOf(run: Judging, now: number): JudgeStanding {
  const { label, messages, phase } = run.state();
  return {
    config: run.config(),
    label,
    phase,
    root: run.root,
    home: run.host.home,
    now,
    userWrote: (text) => wroteByUser(messages, text),
    webNamed: (url) => namedByTheWeb(messages, url),
  };
}

/** Whether a person said exactly this, in the session's own task or later. */
export function wroteByUser(messages: SessionState["messages"], text: string): boolean {
  return messages.some(
    ({ role, parts }) =>
      role === "user" &&
      parts.some((part) => part.type === "text" && part.origin.from === "user" && said(part.text, text)),
  );
}

/** As a whole: what somebody adds to an address that the user gave is not the user's. */
function said(text: string, wanted: string): boolean {
  if (wanted === "") return false;
  return text.split(/[\s<>"'`()[\]]+/).some((word) => word.replace(/[.,;:!?]+$/, "") === wanted || word === wanted);
}

function refuse(
  call: ToolCallId,
  tool: Tool | null,
  status: ToolStatus,
  reason: string,
  say: string,
): readonly Draft[] {
  const nothing = {
    rule: null,
    parts: [],
    sink: null,
    network_withheld: false,
    brings_in: { untrusted: null, secret: null },
  };
  return [
    { kind: "ToolJudged", data: { call, decision: "deny", reason, effect: tool?.effect ?? null, ...nothing } },
    notRun(call, status, say),
  ];
}

/** The structured result of a call that did not run. */
export function notRun(call: ToolCallId, status: ToolStatus, say: string): Draft {
  return {
    kind: "ToolFinished",
    data: {
      call,
      status,
      content: [textPart(neutralise(say).text, { from: "belay" })],
      output: null,
      exit: null,
      duration_ms: 0,
    },
  };
}

export function closeCalls(calls: readonly ToolCallId[], reason: string): readonly Draft[] {
  return calls.map((call) => notRun(call, "canceled", `Not run (${reason}).`));
}

/**
 * Whether nothing that the tool does can be carried out of the workspace. A tool that acts on the network does so from belay's
 * own process: the sandbox holds commands, not that.
 */
export function staysInside(tool: Tool, { sandbox, confinement }: SessionConfig): boolean {
  if (tool.effect === "network") return false;
  if (tool.effect !== "execute") return true;
  return sandbox.mode === "bwrap" && !sandbox.network && confinement.domains.length === 0;
}

/**
 * What the tool is run with. A secret's token stands for the secret only where nothing can carry it away: else whoever
 * talks the model into writing the token into an address would have the secret.
 */
export function inputOf({ part }: ToolCall, tool: Tool, run: Judging): JsonObject {
  const { input } = calledTool(part, run.host.tools);
  return staysInside(tool, run.config()) ? run.redactor.restoreJson(input) : input;
}

export function openCall(state: SessionState, id: ToolCallId): ToolCall {
  const call = state.batch.find((open) => open.part.call === id);
  invariant(call !== undefined, "invariant D1: a step names calls of the open batch");
  return call;
}
