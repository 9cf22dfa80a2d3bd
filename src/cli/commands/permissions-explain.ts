/** `belay permissions explain`: one call with the rules given, or one call a line. Nothing is run. */
import { existsSync } from "node:fs";
import { HarnessError } from "../../kernel/harness-error.ts";
import { isJsonObject, type JsonObject } from "../../kernel/json.ts";
import { decideByRules } from "../../policy/rules/decide-by-rules.ts";
import { strippedRules } from "../../policy/rules/dangerous.ts";
import type { RuleRequest } from "../../policy/rules/request.ts";
import type { RuleVerdict } from "../../policy/verdict.ts";
import { boundedLines } from "../bounded-lines.ts";
import type { Face } from "../face.ts";
import { modeOf, type PermissionContext, permissionContext, type PermissionOptions } from "../permission-context.ts";
import { safeLine } from "../view/safe-text.ts";
import { tableLines } from "../view/table.ts";

export interface ExplainOptions extends PermissionOptions {
  readonly tool?: string;
  readonly input?: string;
  readonly jsonl?: true;
  readonly json?: true;
}

/** Characters. Longer than any command that is read. */
const LINE_CHARS_MAX = 1024 * 1024;
const SOME_LINE_BAD = 2;
const COLUMNS_MIN = 60;
const COLUMNS_WITHOUT_TERMINAL = 200;

export async function explain(command: string | undefined, options: ExplainOptions, face: Face): Promise<number> {
  const said = permissionContext(options, face.cwd);
  if (options.jsonl === true) {
    if (command !== undefined)
      throw new HarnessError("usage", "--jsonl reads the calls from standard input.", "Leave the command away.");
    return explainLines(said, face);
  }
  const request = requestOf(command, options);
  const context = await withSettings(said, options, face);
  const verdict = await decideByRules(request, context);
  if (options.json === true) face.out.line(JSON.stringify(answerOf(verdict)));
  else printVerdict(request, verdict, context, face);
  return 0;
}

/** The rules that hold where the command would run. Lines bring their own: a file of examples means the same on every machine. */
async function withSettings(said: PermissionContext, { mode }: ExplainOptions, face: Face): Promise<PermissionContext> {
  if (!existsSync(said.cwd)) return said;
  const { permissionsOf } = await import("../project-trust.ts");
  const settings = await permissionsOf(face, { cwd: said.cwd, cli: { rules: said.rules } });
  return {
    ...said,
    rules: settings.rules,
    mode: mode === undefined ? (settings.mode ?? said.mode) : said.mode,
    home: face.environment.userHome,
    notes: [...said.notes, ...settings.notes],
  };
}

function requestOf(command: string | undefined, { tool, input }: ExplainOptions): RuleRequest {
  if (command !== undefined && tool === undefined && input === undefined) return { tool: "Bash", input: { command } };
  if (command !== undefined)
    throw new HarnessError("usage", "A command and --tool or --input were both given.", "Give one of them.");
  if (tool === undefined)
    throw new HarnessError(
      "usage",
      "There is nothing to explain.",
      'Give a command: belay permissions explain "npm test".',
    );
  const parsed = input === undefined ? {} : parsedObject(input);
  if (parsed === null)
    throw new HarnessError("usage", "--input is no JSON object.", `Write --input '{"file_path":"x"}'.`);
  return { tool, input: parsed };
}

function printVerdict(request: RuleRequest, verdict: RuleVerdict, context: PermissionContext, { out }: Face): void {
  const { decision, reason, rule, parts } = verdict;
  out.line(`${decision}: ${safeLine(reason)}`);
  if (rule !== null) out.line(`rule: ${rule.behavior} ${safeLine(rule.rule)} (${rule.source})`);
  for (const note of context.notes) out.line(`note: ${safeLine(note)}`);
  if (verdict.decision === "ask" && verdict.by === "none" && request.tool === "Bash")
    out.line(
      "note: in a session whose sandbox is on and has no network it runs without a question; the sandbox holds it",
    );
  for (const { rule: one, danger } of strippedRules(context.rules).stripped)
    out.line(`left out: allow ${safeLine(one.rule)}. ${danger.reason}`);
  if (parts.length === 0) return;
  out.line("");
  const columns = out.isTerminal ? Math.max(out.columns(), COLUMNS_MIN) : COLUMNS_WITHOUT_TERMINAL;
  const rows = parts.map((part) => [
    part.decision,
    safeLine(part.text),
    safeLine(part.rule ?? "-"),
    safeLine(part.reason),
  ]);
  for (const line of tableLines(["DECISION", request.tool === "Bash" ? "PART" : "CALL", "RULE", "WHY"], rows, columns))
    out.line(line);
}

async function explainLines(context: PermissionContext, { stdin, out, cwd }: Face): Promise<number> {
  let number = 0;
  let code = 0;
  for await (const line of boundedLines(stdin, LINE_CHARS_MAX)) {
    number++;
    if (out.gone) break;
    if (line?.trim() === "") continue;
    const asked = line === null ? `it has more than ${LINE_CHARS_MAX} characters` : readLine(line, context, cwd);
    if (typeof asked === "string") code = SOME_LINE_BAD;
    const answer =
      typeof asked === "string"
        ? { error: `line ${number}: ${asked}`, line: number }
        : answerOf(await decideByRules(asked.request, asked.context));
    out.json(JSON.stringify(answer));
    await out.ready();
  }
  return code;
}

/** A member without a rule is left out. */
function answerOf({ decision, rule, reason, by, parts }: RuleVerdict): Record<string, unknown> {
  return { decision, ...(rule === null ? {} : { rule: rule.rule, behavior: rule.behavior }), reason, by, parts };
}

interface Asked {
  readonly request: RuleRequest;
  readonly context: PermissionContext;
}

/** What a line asks, or what is wrong with it. Rules of the command line hold for every line. */
function readLine(line: string, context: PermissionContext, cwd: string): Asked | string {
  const value = parsedObject(line);
  if (value === null) return "it is no JSON object";
  const request = requestOfLine(value);
  if (typeof request === "string") return request;
  const { allow = [], ask = [], deny = [], mode, cwd: there } = value;
  if (!isStrings(allow) || !isStrings(ask) || !isStrings(deny))
    return '"allow", "ask" and "deny" must be lists of rules';
  if (mode !== undefined && (typeof mode !== "string" || modeOf(mode) === null))
    return `there is no mode ${JSON.stringify(mode)}`;
  if (there !== undefined && typeof there !== "string") return '"cwd" must be a path';
  const own = permissionContext({ allow, ask, deny, ...(mode === undefined ? {} : { mode }) }, cwd);
  return {
    request,
    context: {
      ...own,
      rules: [...context.rules, ...own.rules],
      mode: mode === undefined ? context.mode : own.mode,
      cwd: there === undefined ? context.cwd : permissionContext({ cwd: there }, context.cwd).cwd,
    },
  };
}

function requestOfLine({ tool, input, command }: JsonObject): RuleRequest | string {
  if (tool !== undefined && (typeof tool !== "string" || tool === "")) return '"tool" must be the name of a tool';
  if (command !== undefined && typeof command !== "string") return '"command" must be a string';
  if (input !== undefined && !isJsonObject(input)) return '"input" must be an object';
  if (command === undefined && input === undefined && tool === undefined) return 'it has neither "command" nor "tool"';
  return { tool: tool ?? "Bash", input: { ...input, ...(command === undefined ? {} : { command }) } };
}

function parsedObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
