/** The grammar of permission rules, as in Claude Code: `Tool` or `Tool(what)`. A rule that cannot be read says why. */
import { RULE_CHARS_MAX } from "../../kernel/permissions.ts";
import { type CommandPattern, parseCommandPattern } from "./command-pattern.ts";
import { parsePathPattern, type PathPattern } from "./path-pattern.ts";
import { canonicalTool, nearestTool, toolKind } from "./tools.ts";

export type ParsedRule =
  /** Every use. `*` and `mcp__server__*` may stand in the name of a rule that forbids or asks. */
  | { readonly kind: "tool"; readonly tool: string }
  | { readonly kind: "command"; readonly tool: "Bash"; readonly pattern: CommandPattern }
  | { readonly kind: "path"; readonly tool: string; readonly access: "read" | "write"; readonly pattern: PathPattern }
  | { readonly kind: "domain"; readonly tool: "WebFetch"; readonly host: string }
  | { readonly kind: "mcp"; readonly server: string; readonly name: string }
  | { readonly kind: "named"; readonly tool: string; readonly name: string }
  /** A member of the tool's input; in rules that deny or ask only. */
  | { readonly kind: "param"; readonly tool: string; readonly param: string; readonly value: string };

export type RuleReading =
  | { readonly ok: true; readonly rule: ParsedRule }
  /** `about`: the tool that was probably meant; null where nothing can be said. */
  | { readonly ok: false; readonly problem: string; readonly about: string | null };

const SHAPE = /^([A-Za-z_*][\w.*-]*)(?:\(([\s\S]*)\))?$/;
/** Controls, and what nobody sees: no rule needs them. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0\u{e0100}-\u{e01ef}]/u;
const PARAM = /^([A-Za-z_]\w*):([\s\S]+)$/;

export function parseRule(text: string): RuleReading {
  if (text.length > RULE_CHARS_MAX) return bad(`The rule has more than ${RULE_CHARS_MAX} characters.`, text);
  const trimmed = text.trim();
  if (trimmed === "") return bad("The rule is empty.", text);
  if (UNSEEN.test(trimmed)) return bad("The rule holds a control or an invisible character.", text);
  const [, name = "", inner] = SHAPE.exec(trimmed) ?? [];
  if (name === "") return bad(`\`${trimmed}\` is no rule: write \`Tool\` or \`Tool(what)\`.`, trimmed);
  if (inner?.trim() === "") return bad(`\`${name}()\` says nothing between its brackets: write \`${name}\`.`, name);
  if (name.startsWith("mcp__")) return mcpRule(name, inner);
  if (name.includes("*")) {
    if (inner !== undefined) return bad(`A tool's name with \`*\` takes no brackets: \`${trimmed}\`.`, name);
    return fine({ kind: "tool", tool: name });
  }
  return toolRule(name, inner?.trim());
}

function toolRule(name: string, what: string | undefined): RuleReading {
  const tool = canonicalTool(name);
  const kind = toolKind(tool);
  if (kind === null) return unknownTool(name);
  if (what === undefined || what === "*") return fine({ kind: "tool", tool });
  switch (kind) {
    case "command":
      return commandRule(what);
    case "read":
    case "write":
      return pathRule(tool, kind, what);
    case "fetch":
      return domainRule(what);
    case "named":
    case "plain":
      return namedRule(tool, kind, what);
  }
}

function commandRule(what: string): RuleReading {
  const pattern = parseCommandPattern(what);
  return typeof pattern === "string" ? bad(pattern, "Bash") : fine({ kind: "command", tool: "Bash", pattern });
}

function pathRule(tool: string, access: "read" | "write", what: string): RuleReading {
  const pattern = parsePathPattern(what);
  return typeof pattern === "string" ? bad(pattern, tool) : fine({ kind: "path", tool, access, pattern });
}

const HOST = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const IPV6 = /^\[[0-9a-f:.]+\]$/;

function domainRule(what: string): RuleReading {
  if (!what.startsWith("domain:")) {
    const param = PARAM.exec(what);
    if (param !== null && param[1] !== "url" && param[1] !== "http" && param[1] !== "https")
      return fine({ kind: "param", tool: "WebFetch", param: param[1] ?? "", value: param[2] ?? "" });
    return bad("A rule for WebFetch names a host: `WebFetch(domain:example.com)`.", "WebFetch");
  }
  const host = canonicalHost(what.slice("domain:".length).trim());
  if (host === "*") return fine({ kind: "tool", tool: "WebFetch" });
  if (host === null || !(HOST.test(host) || IPV6.test(host)))
    return bad(
      `\`${what.slice("domain:".length)}\` is no host: write \`example.com\` or \`*.example.com\`.`,
      "WebFetch",
    );
  return fine({ kind: "domain", tool: "WebFetch", host });
}

function canonicalHost(text: string): string | null {
  const lower = text.toLowerCase().replace(/\.$/, "");
  if (/^[\0-\x7f]*$/.test(lower)) return lower;
  const wild = lower.startsWith("*.");
  const url = URL.parse(`http://${wild ? lower.slice(2) : lower}/`);
  return url === null ? null : `${wild ? "*." : ""}${url.hostname}`;
}

function namedRule(tool: string, kind: "named" | "plain", what: string): RuleReading {
  const param = PARAM.exec(what);
  if (param !== null) return fine({ kind: "param", tool, param: param[1] ?? "", value: param[2] ?? "" });
  if (kind === "named") return fine({ kind: "named", tool, name: what });
  return bad(`A rule for ${tool} takes no brackets, but \`${tool}(member:value)\` to deny or ask.`, tool);
}

function mcpRule(name: string, inner: string | undefined): RuleReading {
  if (inner !== undefined && inner.trim() !== "*") {
    const param = PARAM.exec(inner.trim());
    if (param === null) return bad(`A rule for an MCP tool takes no brackets: write \`${name}\`.`, name);
    return fine({ kind: "param", tool: name, param: param[1] ?? "", value: param[2] ?? "" });
  }
  const [, server = "", tool] = /^mcp__(.+?)(?:__(.+))?$/.exec(name) ?? [];
  if (server === "") return bad("A rule for MCP names a server: `mcp__server` or `mcp__server__tool`.", name);
  return fine({ kind: "mcp", server, name: tool ?? "*" });
}

function unknownTool(name: string): RuleReading {
  const near = nearestTool(name);
  const known = near === null ? "" : ` Was \`${near}\` meant?`;
  return { ok: false, problem: `There is no tool \`${name}\`.${known}`, about: near ?? name };
}

function bad(problem: string, of: string): RuleReading {
  const name = /^\w+/.exec(of.trim())?.[0] ?? null;
  const known = name === null ? null : canonicalTool(name);
  return {
    ok: false,
    problem,
    about: known === null || toolKind(known) !== null ? known : (nearestTool(known) ?? known),
  };
}

function fine(rule: ParsedRule): RuleReading {
  return { ok: true, rule };
}
