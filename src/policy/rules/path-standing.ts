/** Whether a path of a command is open to it: by a rule for files, because it lies inside the workspace, or because the command's rule names it. */
import type { PermissionRule } from "../../kernel/permissions.ts";
import type { CommandPattern } from "./command-pattern.ts";
import type { CompiledRules } from "./compiled-rules.ts";
import { type NamedPath, namedPath } from "./named-path.ts";
import { allowingRule, isBelow, isInside, mayBeProtected } from "./path-judgement.ts";
import type { RuleContext } from "./request.ts";

export interface PathEnvironment {
  readonly rules: CompiledRules;
  readonly context: RuleContext;
  readonly isSecret: (named: NamedPath) => boolean;
}

export interface Standing {
  readonly open: boolean;
  readonly rule: PermissionRule | null;
  /** A sentence. */
  readonly reason: string;
}

/** Free to read and to write; the last is what `<(…)` becomes. */
export const PLAIN_DEVICES: ReadonlySet<string> = new Set([
  "/dev/null",
  "/dev/stdin",
  "/dev/stdout",
  "/dev/stderr",
  "/dev/fd/63",
]);

/** What a rule for a command opens besides the workspace: system files without secrets, and what is temporary. */
const COMMON_READS: readonly string[] = [
  "/tmp",
  "/usr",
  "/bin",
  "/lib",
  "/opt",
  "/etc/os-release",
  "/etc/hosts",
  "/proc/cpuinfo",
  "/proc/meminfo",
];
const COMMON_WRITES: readonly string[] = ["/tmp"];

/** @param pattern of the rule that covers the command; null where none does */
export function pathStanding(
  use: { readonly access: "read" | "write"; readonly text: string; readonly named: NamedPath | null },
  pattern: CommandPattern | null,
  environment: PathEnvironment,
): Standing {
  const { access, text, named } = use;
  const { rules, context, isSecret } = environment;
  if (PLAIN_DEVICES.has(text)) return open("It is no file.");
  if (named === null) return shut(`Which file \`${text}\` is, is known only when it runs.`);
  const allowing = allowingRule(rules.allow, { access, tool: null, named }, context);
  if (allowing !== null)
    return { open: true, rule: allowing.rule, reason: `The rule \`${allowing.rule.rule}\` allows it.` };
  if (isSecret(named)) return shut(`\`${text}\` is where secrets lie.`);
  if (access === "write" && mayBeProtected(named, context))
    return shut(`\`${text}\` steers other programs: a protected path.`);
  const inside = isInside(named, context.cwd);
  if (access === "read" && inside) return open("It lies inside the workspace.");
  if (access === "write" && context.mode === "acceptEdits" && inside) return open("It lies inside the workspace.");
  if (pattern === null)
    return shut(access === "write" ? `No rule allows to write \`${text}\`.` : `\`${text}\` is outside the workspace.`);
  if (inside || isCommon(access, named) || isNamedBy(pattern, named, context)) return open("The rule is for it.");
  return shut(`\`${text}\` is outside the workspace, and the rule does not name it.`);
}

function isCommon(access: "read" | "write", named: NamedPath): boolean {
  const common = access === "read" ? COMMON_READS : COMMON_WRITES;
  return named.sure && named.paths.every((path) => common.some((directory) => isBelow(path, directory, "or_itself")));
}

/** `tail -f /var/log/*` names what is below `/var/log`. */
export function isNamedBy({ words }: CommandPattern, named: NamedPath, { cwd, home }: RuleContext): boolean {
  if (!named.sure) return false;
  const directories = words.slice(1).flatMap((word) => {
    if (!word.includes("/")) return [];
    const fixed = word.split("*")[0] ?? "";
    const directory = word.includes("*") ? fixed.slice(0, fixed.lastIndexOf("/") + 1) : word;
    if (directory === "" || directory === "/") return [];
    return [{ directory, itself: !word.includes("*") }];
  });
  return named.paths.every((path) =>
    directories.some(({ directory }) => {
      const start = { cwds: [cwd], home };
      const place = namedPath(directory.replace(/^~(?=\/)/, home), true, start)?.paths[0];
      return place !== undefined && isBelow(path, `/${place.map(plainText).join("/")}`, "or_itself");
    }),
  );
}

function plainText(segment: NamedPath["paths"][number][number]): string {
  return segment === "**" ? "**" : segment.map((token) => (typeof token === "object" ? token.literal : "*")).join("");
}

function open(reason: string): Standing {
  return { open: true, rule: null, reason };
}

function shut(reason: string): Standing {
  return { open: false, rule: null, reason };
}
