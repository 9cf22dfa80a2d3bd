/** What calls are of one kind, so that a person would make one rule for them: a program with its subcommand, a host, a file. */
import type { JsonObject } from "../../kernel/json.ts";
import { isProtectedPath } from "../../kernel/protected-paths.ts";
import { isSecretPath } from "../../kernel/secret-paths.ts";
import { fetchDestination } from "../../kernel/url-host.ts";
import { parseRule } from "../rules/rule.ts";
import { pathOf, toolKind } from "../rules/tools.ts";
import { hasSubcommands } from "./breadth.ts";

export interface Family {
  readonly tool: string;
  /** `git push`, `example.com`, `.env`. */
  readonly name: string;
}

/** Of `npm run test` it is the script that tells. */
const DEEPER: ReadonlySet<string> = new Set([
  "npm run",
  "pnpm run",
  "yarn run",
  "bun run",
  "docker compose",
  "gh pr",
  "gh issue",
  "gh repo",
]);

/** Null for a redirect, and for what begins with no word. */
export function commandFamily(command: string): Family | null {
  const words = command.trim().split(/\s+/);
  const first = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const [program = "", ...rest] = first === -1 ? [] : words.slice(first);
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (!/^[A-Za-z0-9_.+-]+$/.test(name)) return null;
  if (!hasSubcommands(name)) return { tool: "Bash", name };
  const plain = rest.filter((word) => !word.startsWith("-"));
  const subcommand = plain[0];
  if (subcommand === undefined || !/^[a-z][\w:-]*$/.test(subcommand)) return { tool: "Bash", name };
  const two = `${name} ${subcommand}`;
  const third = plain[1];
  return {
    tool: "Bash",
    name: DEEPER.has(two) && third !== undefined && /^[\w:-]+$/.test(third) ? `${two} ${third}` : two,
  };
}

/** Of another call than a command. */
export function callFamily(tool: string, input: JsonObject): Family {
  const kind = toolKind(tool);
  if (kind === "fetch") return { tool, name: fetchDestination(input) ?? "?" };
  if (kind !== "read" && kind !== "write") return { tool, name: "" };
  const path = pathOf(input) ?? ".";
  const of = kind === "read" ? "Read" : "Edit";
  if (isSecretPath(path) || isProtectedPath(path)) return { tool: of, name: path };
  const directory = path.slice(0, path.lastIndexOf("/"));
  return { tool: of, name: directory === "" ? path : `${directory}/**` };
}

/** The rule that denies the family and nothing else; null where none can be written. */
export function denyRuleFor({ tool, name }: Family): string | null {
  const rule = denying(tool, name);
  return rule !== null && parseRule(rule).ok ? rule : null;
}

function denying(tool: string, name: string): string | null {
  if (tool === "Bash") return `Bash(${name} *)`;
  if (tool === "WebFetch") return `WebFetch(domain:${name})`;
  if (tool === "Read" || tool === "Edit")
    return `${tool}(${name.startsWith("/") ? `/${name}` : name.includes("/") ? name : `./${name}`})`;
  return tool.startsWith("mcp__") ? tool : null;
}

/** For people: `git push`, `Read .env`. */
export function familyText({ tool, name }: Family): string {
  return tool === "Bash" ? name : `${tool} ${name}`.trim();
}
