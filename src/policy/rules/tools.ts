/** The tools that rules name, as Claude Code and as belay call them, and what of their input rules look at. */
import type { JsonObject } from "../../kernel/json.ts";

export type ToolKind = "command" | "read" | "write" | "fetch" | "named" | "plain";

const KINDS: ReadonlyMap<string, ToolKind> = new Map([
  ["Bash", "command"],
  ["Read", "read"],
  ["Grep", "read"],
  ["Glob", "read"],
  ["LS", "read"],
  ["NotebookRead", "read"],
  ["Edit", "write"],
  ["Write", "write"],
  ["MultiEdit", "write"],
  ["NotebookEdit", "write"],
  ["WebFetch", "fetch"],
  ["Agent", "named"],
  ["Task", "named"],
  ["Skill", "named"],
  ["SlashCommand", "named"],
  ["WebSearch", "plain"],
  ["TodoWrite", "plain"],
  ["AskUserQuestion", "plain"],
  ["EnterPlanMode", "plain"],
  ["ExitPlanMode", "plain"],
  ["BashOutput", "plain"],
  ["KillShell", "plain"],
  ["Monitor", "plain"],
  ["PowerShell", "plain"],
  ["ToolSearch", "plain"],
]);

const OWN_NAMES: ReadonlyMap<string, string> = new Map([
  ["bash", "Bash"],
  ["read", "Read"],
  ["write", "Write"],
  ["edit", "Edit"],
  ["grep", "Grep"],
  ["glob", "Glob"],
  ["web_fetch", "WebFetch"],
  ["todo", "TodoWrite"],
  ["skill", "Skill"],
  ["task", "Agent"],
  ["Task", "Agent"],
  ["call_tool", "ToolSearch"],
]);

/** They act on nothing themselves: what a sub-agent does is judged where it does it. */
const HARMLESS: ReadonlySet<string> = new Set(["Agent", "Skill", "TodoWrite", "ToolSearch"]);

export function actsOnNothing(canonical: string): boolean {
  return HARMLESS.has(canonical);
}

/** As rules name it. A name that is not known stays as it is. */
export function canonicalTool(name: string): string {
  return OWN_NAMES.get(name) ?? name;
}

export function toolKind(canonical: string): ToolKind | null {
  return KINDS.get(canonical) ?? null;
}

/** The known tool that a wrong name is nearest to; null where none is near. */
export function nearestTool(name: string): string | null {
  const wanted = name.toLowerCase();
  let best: { readonly tool: string; readonly distance: number } | null = null;
  for (const tool of KINDS.keys()) {
    const distance = editDistance(wanted, tool.toLowerCase());
    if (best === null || distance < best.distance) best = { tool, distance };
  }
  return best !== null && best.distance <= Math.max(1, Math.floor(best.tool.length / 3)) ? best.tool : null;
}

const PATH_FIELDS = ["path", "file_path", "notebook_path"] as const;

/** The path that a file tool is called with; null where it names none. */
export function pathOf(input: JsonObject): string | null {
  for (const field of PATH_FIELDS) {
    const value = input[field];
    if (typeof value === "string" && value !== "") return value;
  }
  return null;
}

/** What is odd about the path of a call, so that no rule allows it: a sentence, or null. @param needed whether it must have one */
export function pathProblem(input: JsonObject, needed: boolean): string | null {
  const given = PATH_FIELDS.map((field) => input[field]).filter((value) => value !== undefined);
  if (given.some((value) => typeof value !== "string")) return "Its path is no text.";
  if (new Set(given).size > 1) return "It names two paths.";
  const [path] = given;
  if (path === undefined || path === "") return needed ? "It names no path." : null;
  return /^\s|\s$|\p{Cc}/u.test(String(path)) ? "Its path has a blank at an end, or a control character." : null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
