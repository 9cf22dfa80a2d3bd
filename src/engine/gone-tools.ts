/**
 * Calls that were allowed under another version of belay and cannot be run by this one: their tool is gone, or takes something
 * else. Nothing of them is run, and the model is told.
 */
import type { Draft } from "../kernel/events/index.ts";
import type { ToolCallId } from "../kernel/ids.ts";
import { parseToolInput } from "../tool/registry.ts";
import { inputOf, type Judging, notRun, openCall } from "./judge-tools.ts";
import { calledTool } from "./tool-list.ts";

export function goneCalls(ids: readonly ToolCallId[], run: Judging): readonly Draft[] {
  return ids.flatMap((id) => {
    const call = openCall(run.state(), id);
    const { tool } = calledTool(call.part, run.host.tools);
    if (tool === undefined)
      return [notRun(id, "error", `Not run: this version of belay has no tool "${call.part.name}".`)];
    const parsed = parseToolInput(tool, inputOf(call, tool, run));
    return parsed.ok
      ? []
      : [notRun(id, "error", `Not run: the tool is another one in this version. ${parsed.problem}`)];
  });
}
