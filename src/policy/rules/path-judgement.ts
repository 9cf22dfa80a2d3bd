/** What rules say of one path that is read or written, by a file tool or by a part of a command. Names only: no disk is asked. */
import { isProtectedPath } from "../../kernel/protected-paths.ts";
import { isSecretPath } from "../../kernel/secret-paths.ts";
import type { CompiledRule, CompiledRules } from "./compiled-rules.ts";
import { globSegments, overlaps, type Segment } from "./glob-overlap.ts";
import { type NamedPath, pathText } from "./named-path.ts";
import { literalSegments, matchesPath, type PathPattern, type PathPlaces } from "./path-pattern.ts";

type Access = "read" | "write";

export interface PathRequest {
  readonly access: Access;
  /** The tool that is used, or null for a part of a command. */
  readonly tool: string | null;
  readonly named: NamedPath;
}

/** The rule that forbids or asks about it, whatever else allows it. */
export function restrictingRule(
  rules: readonly CompiledRule[],
  request: PathRequest,
  places: PathPlaces,
): CompiledRule | null {
  return rules.find(({ parsed }) => restricts(parsed, request, places)) ?? null;
}

function restricts(parsed: CompiledRule["parsed"], request: PathRequest, places: PathPlaces): boolean {
  if (parsed.kind === "tool") return request.tool === null && concerns(parsed.tool, request.access, null);
  if (parsed.kind !== "path" || !concerns(parsed.tool, request.access, request.tool)) return false;
  return request.named.paths.some((path) => {
    // Of `**/*.ts` and all of `secrets/` nothing is known but that they may meet: that is asked about, not forbidden.
    if (path.includes("**") && parsed.pattern.segments.at(-1) === "**") return false;
    return matchesPath(parsed.pattern, path, places, true);
  });
}

/**
 * A rule for Edit is for every way to write, one for Read for every way to read. An editor reads what it changes: what must not
 * be read cannot be edited either.
 */
function concerns(rule: string, access: Access, tool: string | null): boolean {
  if (rule === tool) return true;
  if (rule === "Read") return access === "read" || tool === "Edit" || tool === "MultiEdit" || tool === "NotebookEdit";
  if (rule === "Edit" || rule === "Write") return access === "write";
  return false;
}

/** The rule that allows it. A glob is allowed only where every path that it may name is. */
export function allowingRule(
  rules: readonly CompiledRule[],
  request: PathRequest,
  places: PathPlaces,
): CompiledRule | null {
  const { named } = request;
  const grave = request.access === "write" ? mayBeProtected(named, places) : false;
  const secret = mayBeSecret(named, places);
  return (
    rules.find(({ parsed, rule }) => {
      if (parsed.kind === "tool") return !secret && !grave && allows(parsed.tool, request);
      if (parsed.kind !== "path" || !allows(parsed.tool, request)) return false;
      // What is secret or steers other programs is meant only by a rule that says so.
      if (secret && !isSecretName(rule.rule)) return false;
      if (grave && !isProtectedName(rule.rule)) return false;
      return (
        named.sure &&
        named.paths.every(
          (path) =>
            isLiteralPath(path, named) &&
            (matchesPath(parsed.pattern, path, places, false) ||
              (request.access === "read" && isAllOf(parsed.pattern, path, places))),
        )
      );
    }) ?? null
  );
}

/** `~/work` is what `~/work/**` names all of. */
function isAllOf(pattern: PathPattern, path: readonly Segment[], places: PathPlaces): boolean {
  return (
    pattern.segments.length > 1 &&
    pattern.segments.at(-1) === "**" &&
    path.at(-1) !== "**" &&
    matchesPath(pattern, [...path, ...globSegments("x")], places, false)
  );
}

function allows(rule: string, { access, tool }: PathRequest): boolean {
  if (rule === tool) return true;
  return rule === (access === "read" ? "Read" : "Edit");
}

/** A glob below a directory is below it whatever it names; that is enough where the rule names the directory and all in it. */
function isLiteralPath(path: readonly Segment[], { literal }: NamedPath): boolean {
  return literal || !path.includes("**");
}

function specOf(rule: string): string {
  return /\(([\s\S]*)\)$/.exec(rule.trim())?.[1] ?? "";
}

function isSecretName(rule: string): boolean {
  const spec = specOf(rule);
  return isSecretPath(spec.replace(/\/\*+$/, "")) || inSecretDirectory(spec.split("/")) || isSecretGlob(spec);
}

/** `.env*` and `*.env.local` name secrets and nothing else. */
function isSecretGlob(spec: string): boolean {
  const last = spec.split("/").at(-1) ?? "";
  return last.includes("*") && isSecretPath(last.replaceAll("*", ""));
}

function isProtectedName(rule: string): boolean {
  return isProtectedPath(specOf(rule).replaceAll("*", "x"));
}

const SECRET_DIRECTORIES: ReadonlySet<string> = new Set([
  ".ssh",
  ".gnupg",
  ".aws",
  ".azure",
  ".kube",
  ".docker",
  ".password-store",
]);

function inSecretDirectory(names: readonly string[]): boolean {
  return names.some((name) => SECRET_DIRECTORIES.has(name.normalize("NFKC").toLowerCase()));
}

/** Names that a glob is held against; literal paths are asked by the whole table. */
const SECRET_FILES = wherever(
  ...[".env", ".env.local", ".env.production", ".env.development", ".envrc", "id_rsa", "id_ed25519", "id_ecdsa"],
  ...[".netrc", ".pypirc", ".git-credentials", ".pgpass", ".vault-token"],
);
const SECRET_PLACES = wherever(".ssh/**", ".aws/**", ".gnupg/**", ".kube/**", ".docker/**", ".config/gh/hosts.yml");

function wherever(...names: readonly string[]): readonly (readonly Segment[])[] {
  return names.map((name) => ["**", ...globSegments(name)]);
}

export function mayBeSecret(named: NamedPath, { home }: PathPlaces): boolean {
  return named.paths.some((path) => {
    const text = pathText(path);
    if (isSecretPath(text) || inSecretDirectory(text.split("/"))) return true;
    if (/^\/etc\/(?:g?shadow-?$|sudoers(?:$|\.d\/)|ssh\/ssh_host_\w+_key$)/.test(text)) return true;
    if (/^\/proc\/(?:[^/]+\/)?(?:task\/[^/]+\/)?(?:environ|mem|maps|fd|root|cwd|cmdline)/.test(text)) return true;
    if (text.startsWith(`${home}/.belay`)) return true;
    if (named.literal || !hasWildName(path)) return false;
    // Below `**` anything may lie anywhere: there only the name says something.
    const secrets = path.includes("**") ? SECRET_FILES : [...SECRET_FILES, ...SECRET_PLACES];
    return secrets.some((secret) => overlaps(secret, path, { fold_case: true, to_the_end: true }));
  });
}

/** `src/*` stands for any plain name, so it says nothing of one; a wildcard does not stand for a leading dot. */
function hasWildName(path: readonly Segment[]): boolean {
  const last = path.at(-1);
  return last !== undefined && last !== "**" && last.some((token) => typeof token === "object");
}

const PROTECTED_NAMES = wherever(
  ...[".git", ".git/hooks/**", ".git/config", ".claude", ".claude/**", ".belay", ".belay/**", ".vscode/**", ".idea/**"],
  ...[".mcp.json", ".gitmodules", ".gitconfig", ".bashrc", ".bash_profile", ".profile", ".zshrc", ".envrc"],
);

export function mayBeProtected(named: NamedPath, { cwd }: PathPlaces): boolean {
  return named.paths.some((path) => {
    const text = pathText(path);
    // The workspace may itself stand below a directory with such a name.
    const below = text.startsWith(`${cwd}/`) ? text.slice(cwd.length + 1) : text;
    if (isProtectedPath(below)) return true;
    return !named.literal && PROTECTED_NAMES.some((one) => overlaps(one, path, { fold_case: true }));
  });
}

/** Strictly below `directory`, or it itself where `or_itself`. */
export function isBelow(path: readonly Segment[], directory: string, or_itself: "or_itself" | "below"): boolean {
  const base = literalSegments(directory);
  if (path.length < base.length || (path.length === base.length && or_itself === "below")) return false;
  return base.every((segment, i) => {
    const other = path[i];
    return (
      other !== undefined && other !== "**" && pathText([segment]) === pathText([other]) && !other.includes("star")
    );
  });
}

export function isInside(named: NamedPath, cwd: string): boolean {
  return named.sure && named.paths.every((path) => isBelow(path, cwd, "or_itself"));
}

/** Whether something that the rule names may lie below the directory, or be named by a path with `**`. */
export function mayLieBelow(pattern: PathPattern, directory: readonly Segment[], places: PathPlaces): boolean {
  if (directory.includes("**")) return matchesPath(pattern, directory, places, true);
  // A rule for any depth says nothing of one directory; only of the workspace as a whole.
  if (pattern.start === "anywhere" || pattern.segments[0] === "**") {
    const cwd = literalSegments(places.cwd);
    return (
      directory.length <= cwd.length &&
      directory.every((segment, i) => pathText([segment]) === pathText([cwd[i] ?? "**"]))
    );
  }
  return matchesPath(pattern, [...directory, "**"], places, true) && !matchesPath(pattern, directory, places, true);
}

/** Rules that forbid or ask about something below a directory that is read with all that is in it. */
export function restrictsBelow(
  { deny, ask }: CompiledRules,
  named: NamedPath,
  places: PathPlaces,
): CompiledRule | null {
  return (
    [...deny, ...ask].find(
      ({ parsed }) =>
        parsed.kind === "path" &&
        parsed.tool === "Read" &&
        named.paths.some((path) => mayLieBelow(parsed.pattern, path, places)),
    ) ?? null
  );
}
