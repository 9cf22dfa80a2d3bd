/**
 * What rules and mode say of a call: deny beats ask beats allow, over all of its parts.
 *
 * D1: a rule that forbids holds in every mode, and on whatever was found, also where not everything could be read.
 * D2: what could not be read is never allowed by a rule.
 * D3: a rule that forbids or asks and cannot be read itself makes the calls that it may be about be asked about.
 * D4: no disk, clock or environment is looked at: the same call under the same rules has the same verdict.
 */
import { lazy } from "../../kernel/lazy.ts";
import { fetchDestination } from "../../kernel/url-host.ts";
import type { PlacedReading } from "../shell/read-shell.ts";
import type { RuleVerdict } from "../verdict.ts";
import type { CommandEnvironment } from "./command-parts.ts";
import { globbedSecret } from "../shell/programs/globbed-secret.ts";
import { type CompiledRule, compileRules, type CompiledRules } from "./compiled-rules.ts";
import { globMatches } from "./command-pattern.ts";
import { allowedBy, asked, askedBy, builtIn, denied, type JudgedPart, joinedVerdict } from "./judged-part.ts";
import { meansText } from "./loose-match.ts";
import { type NamedPath, namedPath } from "./named-path.ts";
import { allowingRule, isInside, mayBeProtected, mayBeSecret, restrictingRule } from "./path-judgement.ts";
import type { RuleContext, RuleRequest } from "./request.ts";
import { actsOnNothing, canonicalTool, pathOf, pathProblem, toolKind } from "./tools.ts";

/** A longer command is not read, and always asked about; what forbids is matched on its text. */
const COMMAND_CHARS_MAX = 10_000;

/** What a call may say beside its command without another meaning for it. */
const COMMAND_MEMBERS: ReadonlySet<string> = new Set([
  ...["command", "description", "timeout", "timeout_ms", "timeout_s", "run_in_background", "interactive", "title"],
]);

export async function decideByRules(request: RuleRequest, context: RuleContext): Promise<RuleVerdict> {
  const rules = compileRules(context.rules);
  const tool = canonicalTool(request.tool);
  const parts =
    tool === "Bash" ? await commandParts(request, rules, context) : otherParts(tool, request, rules, context);
  const guarded = [...parts, ...unreadableParts(tool, rules)];
  return joinedVerdict(guarded.map((part) => inMode(part, context, isReading(tool))));
}

async function commandParts(
  { input }: RuleRequest,
  rules: CompiledRules,
  context: RuleContext,
): Promise<readonly JudgedPart[]> {
  const { command } = input;
  if (typeof command !== "string") return [runningCommandPart(input, rules)];
  const member = Object.keys(input).find((name) => !COMMAND_MEMBERS.has(name));
  const { judgeCommand, readShellAt, readProgram } = await commandReaders();
  const reading = command.length > COMMAND_CHARS_MAX ? tooLong() : await readShellAt(command, context.cwd);
  const environment: CommandEnvironment = {
    rules,
    context,
    input,
    readProgram,
    commands: reading.commands,
    isSecret: (named) => mayBeSecret(named, context),
  };
  const parts = reading.commands.flatMap((one) => judgeCommand(one, environment));
  if (member !== undefined)
    parts.push(asked(member, `\`${member}\` is nothing that a command is known to be run with.`));
  return [...parts, ...unreadParts(command, reading, rules)];
}

/** Loaded when the first command is judged: sessions without one never pay for it. */
const commandReaders = lazy(async () => {
  const [{ judgeCommand }, { readShellAt }, { readProgram }] = await Promise.all([
    import("./command-parts.ts"),
    import("../shell/read-shell.ts"),
    import("../shell/programs/read-program.ts"),
  ]);
  return { judgeCommand, readShellAt, readProgram };
});

function tooLong(): PlacedReading {
  return { commands: [], problems: [`The command has more than ${COMMAND_CHARS_MAX} characters.`] };
}

/** D1, D2. */
function unreadParts(command: string, { problems }: PlacedReading, rules: CompiledRules): readonly JudgedPart[] {
  if (problems.length === 0) return [];
  const text = command.slice(0, COMMAND_CHARS_MAX);
  const means = ({ parsed }: CompiledRule): boolean =>
    (parsed.kind === "tool" && (parsed.tool === "Bash" || parsed.tool === "*")) ||
    (parsed.kind === "command" && meansText(parsed.pattern, command));
  const forbidding = rules.deny.find(means);
  if (forbidding !== undefined) return [denied(text, forbidding.rule)];
  const asking = rules.ask.find(means);
  if (asking !== undefined) return [askedBy(text, asking.rule)];
  return [{ text, decision: "ask", by: "unread", rule: null, reason: problems.join(" ") }];
}

/** What is typed into a command that runs already is as free as a command. */
function runningCommandPart(input: RuleRequest["input"], rules: CompiledRules): JudgedPart {
  const text = typeof input["input"] === "string" ? input["input"] : "";
  const forbidding = rules.deny.find(
    ({ parsed }) => parsed.kind === "tool" && (parsed.tool === "Bash" || parsed.tool === "*"),
  );
  if (forbidding !== undefined) return denied(text, forbidding.rule);
  if (typeof input["process"] !== "string" || input["command"] !== undefined)
    return asked(text, "It is neither a command nor about one that runs already.");
  if (text === "") return builtIn(text, "It waits for a command that runs already, or ends it.");
  return asked(text, "It types into a command that runs already.");
}

function otherParts(
  tool: string,
  { input }: RuleRequest,
  rules: CompiledRules,
  context: RuleContext,
): readonly JudgedPart[] {
  const kind = toolKind(tool);
  if (kind === "read" || kind === "write") return [filePart(tool, kind, input, rules, context)];
  const text = textOf(tool, input);
  const means = ({ parsed }: CompiledRule): boolean => meansCall(parsed, tool, input);
  const forbidding = rules.deny.find(means);
  if (forbidding !== undefined) return [denied(text, forbidding.rule)];
  const asking = rules.ask.find(means);
  if (asking !== undefined) return [askedBy(text, asking.rule)];
  const allowing = rules.allow.find(({ parsed }) => meansCall(parsed, tool, input, "first"));
  if (allowing !== undefined) return [allowedBy(text, allowing.rule)];
  // Who lists calls of that kind means no others.
  const listed = rules.allow.some(({ parsed }) => parsed.kind !== "mcp" && actsOnNothing(parsed.tool));
  const free = actsOnNothing(tool) && !listed;
  return [free ? builtIn(text, "It acts on nothing itself.") : asked(text, "No rule allows it.")];
}

function textOf(tool: string, input: RuleRequest["input"]): string {
  return tool === "WebFetch" && typeof input["url"] === "string" ? input["url"] : tool;
}

/** @param which of the names of a call the rule may mean: what forbids means any, what allows the one that counts. */
function meansCall(
  parsed: CompiledRule["parsed"],
  tool: string,
  input: RuleRequest["input"],
  which: "any" | "first" = "any",
): boolean {
  switch (parsed.kind) {
    case "tool":
      return globMatches(parsed.tool, tool);
    case "mcp":
      return meansMcp(parsed, tool);
    case "domain":
      return tool === "WebFetch" && meansHost(parsed.host, input);
    case "named":
      return (
        parsed.tool === tool &&
        namesOf(tool, input, which).some((name) =>
          globMatches(folded(tool, parsed.name).replace(/:\*$/, " *"), folded(tool, name)),
        )
      );
    case "param":
      return (
        globMatches(parsed.tool, tool) &&
        saidFor(parsed.param, tool, input).some((one) => globMatches(parsed.value, one))
      );
    case "command":
    case "path":
      return false;
  }
}

/** The server is what stands before the next `__`: a server's name cannot reach into another's. */
function meansMcp({ server, name }: { readonly server: string; readonly name: string }, tool: string): boolean {
  const [, called = "", wanted = ""] = /^mcp__(.+?)__(.+)$/.exec(tool) ?? [];
  if (called === "") return false;
  return globMatches(server, called) && globMatches(name, wanted);
}

function meansHost(host: string, input: RuleRequest["input"]): boolean {
  const asked_for = fetchDestination(input);
  if (asked_for === null) return false;
  const called = asked_for.replace(/\.$/, "");
  return host.startsWith("*.") ? called.endsWith(host.slice(1)) && called.length > host.length - 1 : called === host;
}

/** Claude Code writes its kinds of sub-agents with capitals. */
function folded(tool: string, name: string): string {
  return tool === "Agent" ? name.toLowerCase() : name;
}

/** What a member is, in all the ways in which a rule may say it: `opus` is also every model whose name has that word. */
function saidFor(member: string, tool: string, input: RuleRequest["input"]): readonly string[] {
  const value = String(input[member] ?? "\0");
  if (tool !== "Agent" || member !== "model") return [value];
  return [value, value.slice(value.indexOf("/") + 1), ...value.toLowerCase().split(/[^a-z0-9]+/)];
}

/** What belay's `general` is called in Claude Code. */
const GENERAL = "general-purpose";

function namesOf(tool: string, input: RuleRequest["input"], which: "any" | "first"): readonly string[] {
  const names = ["subagent_type", "agent_type", "agent", "skill", "command", "name"].flatMap((member) => {
    const value = input[member];
    return typeof value === "string" ? [value] : [];
  });
  if (which === "first") return names.slice(0, 1);
  return tool === "Agent" && names.includes("general") ? [...names, GENERAL] : names;
}

function filePart(
  tool: string,
  access: "read" | "write",
  input: RuleRequest["input"],
  rules: CompiledRules,
  context: RuleContext,
): JudgedPart {
  const text = pathOf(input) ?? ".";
  const named = fileNamed(tool, text, input, context);
  const request = { access, tool, named } as const;
  const byTool = (rule: CompiledRule): boolean => meansFileTool(rule.parsed, tool, access, input);
  const forbidding = rules.deny.find(byTool) ?? restrictingRule(rules.deny, request, context);
  if (forbidding !== null) return denied(text, forbidding.rule);
  const asking = rules.ask.find(byTool) ?? restrictingRule(rules.ask, request, context);
  if (asking !== null) return askedBy(text, asking.rule);
  const odd = pathProblem(input, access === "write" || tool === "Read");
  if (odd !== null) return asked(text, odd);
  const allowing = allowingRule(rules.allow, request, context);
  if (allowing !== null) return allowedBy(text, allowing.rule);
  if (mayBeSecret(named, context)) return asked(text, `\`${text}\` is where secrets lie.`);
  const inside = isInside(named, context.cwd);
  if (access === "read")
    return inside
      ? builtIn(text, "It only reads, inside the workspace.")
      : asked(text, `\`${text}\` is outside the workspace.`);
  if (mayBeProtected(named, context)) return asked(text, `\`${text}\` steers other programs: a protected path.`);
  if (context.mode === "acceptEdits" && inside)
    return { ...builtIn(text, "The mode `acceptEdits` lets files of the workspace be changed."), by: "mode" };
  return asked(text, "No rule allows it.");
}

/** A rule for Edit is for every tool that edits; one for Read is for those that search, too. */
function meansFileTool(
  parsed: CompiledRule["parsed"],
  tool: string,
  access: "read" | "write",
  input: RuleRequest["input"],
): boolean {
  if (parsed.kind === "param")
    return parsed.tool === tool && globMatches(parsed.value, String(input[parsed.param] ?? "\0"));
  if (parsed.kind !== "tool") return false;
  return globMatches(parsed.tool, tool) || parsed.tool === (access === "write" ? "Edit" : "Read");
}

/** File tools expand nothing but a home; the glob of a search is a glob. */
function fileNamed(tool: string, path: string, input: RuleRequest["input"], { cwd, home }: RuleContext): NamedPath {
  const start = { cwds: [cwd], home };
  const whole = path === "~" || path.startsWith("~/") ? home + path.slice(1) : path;
  const literal = namedPath(whole, true, start) ?? { paths: [["**"]], literal: false, sure: false };
  const glob = tool === "Glob" ? input["pattern"] : tool === "Grep" ? input["glob"] : null;
  if (typeof glob !== "string") return literal;
  if (/^~|[$`]/.test(glob)) return { paths: [["**"]], literal: false, sure: false };
  const secret = globbedSecret(glob);
  if (secret !== null) return namedPath(`${whole}/${secret}`, true, start) ?? literal;
  const below = namedPath(`${glob.startsWith("/") ? "" : `${whole}/`}${glob}`, false, start);
  return below === null ? literal : { ...below, paths: [...literal.paths, ...below.paths], literal: false };
}

/** D3. */
function unreadableParts(tool: string, { unreadable }: CompiledRules): readonly JudgedPart[] {
  return unreadable
    .filter(({ about }) => about === null || about === tool || (about === "Edit" && toolKind(tool) === "write"))
    .map(({ rule, problem }) => ({
      text: rule.rule,
      decision: "ask",
      by: "rule",
      rule,
      reason: `A rule cannot be read, so what it may be about is asked. ${problem}`,
    }));
}

function isReading(tool: string): boolean {
  return toolKind(tool) === "read" || tool === "WebFetch" || tool === "WebSearch" || tool === "TodoWrite";
}

/** What the mode makes of a part. */
function inMode(part: JudgedPart, { mode }: RuleContext, reads_only: boolean): JudgedPart {
  if (part.decision === "deny") return part;
  switch (mode) {
    case "default":
    case "acceptEdits":
      return part;
    case "plan":
      if (reads_only || part.by === "built_in") return part;
      return {
        ...part,
        decision: "deny",
        by: "mode",
        rule: null,
        reason: "The mode `plan` changes nothing, and this may.",
      };
    case "dontAsk":
      if (part.decision === "allow") return part;
      return { ...part, decision: "deny", by: "mode", reason: `${part.reason} The mode \`dontAsk\` asks nobody.` };
    case "bypassPermissions":
      if (part.decision === "allow" || part.by === "rule") return part;
      return { ...part, decision: "allow", by: "mode", reason: "The mode `bypassPermissions` asks about nothing." };
  }
}
