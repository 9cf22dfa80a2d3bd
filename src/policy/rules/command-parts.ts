/**
 * Judges the parts of a command line: every simple command with the paths that it reads and writes, and every redirect.
 *
 * C1: what forbids or asks is matched loosely, on every part, also where the reading has problems.
 * C2: what allows is matched on words that are known for sure. Never covered are: a program by its path unless the rule has that
 *     path, a program that is not known before it runs, assignments that are not harmless, words that a program's list does not
 *     have (but for a rule that says exactly this command), and what runs after a `cd` elsewhere.
 */
import { PLAIN_DEVICES, type PathEnvironment, pathStanding } from "./path-standing.ts";
import type { CompiledRule } from "./compiled-rules.ts";
import { coversWords } from "./command-pattern.ts";
import { allowedBy, asked, askedBy, builtIn, denied, type JudgedPart } from "./judged-part.ts";
import { looseProblem, looseUses, startOf, type Use } from "./loose-words.ts";
import { meansCommand } from "./loose-match.ts";
import { namedPath, pathText } from "./named-path.ts";
import { isBelow, isInside, restrictingRule, restrictsBelow } from "./path-judgement.ts";
import { assignmentProblem, leaksByProgram, leaksVariable } from "./variables.ts";
import { FOUND, foundPaths } from "./found-paths.ts";
import { inputPaths } from "./input-paths.ts";
import { readsBelow } from "./recursion.ts";
import { runsItsWords } from "./running-words.ts";
import type { PermissionRule } from "../../kernel/permissions.ts";
import type { PlacedCommand } from "../shell/gathering.ts";
import type { KnownProgram, ProgramReading } from "../shell/program.ts";
import type { ShellRedirect, ShellWord } from "../shell/reading.ts";

export interface CommandEnvironment extends PathEnvironment {
  readonly readProgram: (words: readonly ShellWord[]) => ProgramReading;
  /** All of the reading. */
  readonly commands: readonly PlacedCommand[];
  readonly input: { readonly [member: string]: unknown };
}

/** Programs that only pass on, where what they run was found and is judged. */
const SEEN_THROUGH: ReadonlySet<string> = new Set([
  ...["timeout", "time", "nice", "ionice", "nohup", "stdbuf", "command", "builtin", "noglob", "nocorrect", "setsid"],
  ...["chrt", "taskset", "env", "xargs", "exec", "eval", "bash", "sh", "dash", "rbash"],
]);

/** Builtins whose words the reader has looked at: where they change what follows, the reading has a problem. */
const READ_BUILTINS: ReadonlySet<string> = new Set(["set", "export", "read", "wait"]);

/** That the mode `acceptEdits` lets change files of the workspace. */
const FILE_PROGRAMS: ReadonlySet<string> = new Set(["mkdir", "touch", "mv", "cp", "rm"]);

/** Write nothing but the files that they name. */
const CREATING: ReadonlySet<string> = new Set(["tee", "mkdir", "touch"]);

export function judgeCommand(command: PlacedCommand, environment: CommandEnvironment): readonly JudgedPart[] {
  const parts = command.redirects.flatMap((redirect) => judgeRedirect(redirect, command, environment));
  const { words, assignments } = command;
  if (words.length > 0) return [judgeWords(command, environment), ...parts];
  if (assignments.length === 0) return parts;
  const problem = assignments.map((one) => assignmentProblem(one, "alone")).find((one) => one !== null) ?? null;
  return [
    problem === null ? builtIn(command.text, "A variable of the shell.") : asked(command.text, problem),
    ...parts,
  ];
}

function judgeWords(command: PlacedCommand, environment: CommandEnvironment): JudgedPart {
  const { words, text } = command;
  const reading = programOf(words, environment);
  const known = reading.kind === "known" ? reading : reading.kind === "not_listed" ? reading.understood : null;
  const uses = known === null ? null : usesOf(command, known, environment);
  const { deny, ask } = environment.rules;
  const forbidding = restrictingOf(deny, command, uses, environment);
  if (forbidding !== null) return denied(text, forbidding.rule);
  const asking = restrictingOf(ask, command, uses, environment);
  if (asking !== null) return askedBy(text, asking.rule);
  return judgeAllowed(command, reading, uses ?? [], environment);
}

function programOf(words: readonly ShellWord[], { readProgram }: CommandEnvironment): ProgramReading {
  return words[0]?.plain === true ? readProgram(words.map(withMessage)) : { kind: "no_list" };
}

/**
 * `"$(cat <<'EOF' … EOF)"` is how a text of several lines is written as one argument: its value is one word, whatever it says.
 * The command in it is a part of its own.
 */
function withMessage(word: ShellWord): ShellWord {
  const [, mark = "", body] = /^"\$\(cat <<-?'([A-Za-z_]\w*)'\n([\s\S]*)\n\1\n?\)"$/.exec(word.text) ?? [];
  if (word.plain || body === undefined || body.split("\n").includes(mark)) return word;
  return { text: '"$message"', plain: false };
}

/** What they move or link can be read by its new name, whatever rules forbid of the old one. */
const RENAMING: ReadonlySet<string> = new Set(["mv", "ln"]);

function usesOf(command: PlacedCommand, known: KnownProgram, environment: CommandEnvironment): readonly Use[] {
  const renames = RENAMING.has(command.words[0]?.text ?? "");
  const paths = renames ? known.paths.flatMap((use) => [use, { ...use, access: "read" as const }]) : known.paths;
  return paths.map(({ path, access, plain }) => ({
    access,
    text: path,
    named:
      !plain && isInput(command)
        ? path === "<input>"
          ? inputPaths(command, environment.commands, environment.readProgram, environment.context)
          : null
        : !plain && FOUND.test(path)
          ? foundPaths(command, environment.commands, startOf(command, environment))
          : namedPath(path, plain, startOf(command, environment)),
  }));
}

/** What xargs puts into words comes from its input: nothing is known of it. */
function isInput({ via }: PlacedCommand): boolean {
  return via.includes("xargs");
}

/** C1. */
function restrictingOf(
  rules: readonly CompiledRule[],
  command: PlacedCommand,
  uses: readonly Use[] | null,
  environment: CommandEnvironment,
): CompiledRule | null {
  const { context, input } = environment;
  const byWords = rules.find(({ parsed }) => {
    if (parsed.kind === "tool") return parsed.tool === "Bash" || parsed.tool === "*";
    if (parsed.kind !== "command") return false;
    return meansCommand(parsed.pattern, command.words) || meansMember(parsed.pattern.words, input);
  });
  if (byWords !== undefined) return byWords;
  for (const { access, named } of uses ?? looseUses(command, environment)) {
    if (named === null) continue;
    const found = restrictingRule(rules, { access, tool: null, named }, context);
    if (found !== null) return found;
  }
  return null;
}

/** `Bash(run_in_background:true)`: a member of the input and not a command. */
function meansMember(words: readonly string[], input: CommandEnvironment["input"]): boolean {
  const [, name = "", value] = /^([A-Za-z_]\w*):(.+)$/.exec(words.join(" ")) ?? [];
  return name !== "command" && Object.hasOwn(input, name) && String(input[name]) === value;
}

/** C2. */
function judgeAllowed(
  command: PlacedCommand,
  reading: ProgramReading,
  uses: readonly Use[],
  environment: CommandEnvironment,
): JudgedPart {
  const { words, text } = command;
  const [program] = words;
  if (program?.plain !== true) return asked(text, "Which program runs is known only when it runs.");
  const leak = words.map(leaksVariable).find((one) => one !== null) ?? leaksByProgram(words);
  if (leak !== null) return asked(text, leak);
  const assignment = command.assignments.map((one) => assignmentProblem(one, "before")).find((one) => one !== null);
  if (assignment != null) return asked(text, assignment);
  const outer = exactOuterRule(command, environment);
  if (outer !== null) return allowedBy(text, outer.rule);
  if (isSeenThrough(command, environment)) return builtIn(text, `\`${program.text}\` runs what is judged by itself.`);
  const below = restrictedBelow(command, uses, environment);
  if (below !== null) return below;
  const covering = environment.rules.allow.find((rule) => covers(rule, command, reading, environment));
  if (covering !== undefined) return judgeCovered(command, covering, reading, uses, environment);
  return judgeUncovered(command, reading, uses, environment);
}

function judgeUncovered(
  command: PlacedCommand,
  reading: ProgramReading,
  uses: readonly Use[],
  environment: CommandEnvironment,
): JudgedPart {
  const { words, text } = command;
  const program = words[0]?.text ?? "";
  const known = reading.kind === "known" ? reading : reading.kind === "not_listed" ? reading.understood : null;
  if (program.includes("/"))
    return asked(text, `\`${program}\` is named by its path: only a rule that names it so covers it.`);
  const written = known?.effect === "write" ? judgeWritten(command, reading, uses, environment) : null;
  if (written !== null) return written;
  if (reading.kind === "not_listed")
    return asked(
      text,
      `\`${reading.word}\` is not on the list of what rules cover for \`${program}\`. ${reading.reason}`,
    );
  if (reading.kind === "no_list")
    return READ_BUILTINS.has(program)
      ? builtIn(text, "It changes nothing but the shell.")
      : asked(text, "No rule allows it.");
  if (reading.effect !== "read" || reading.network)
    return asked(text, `No rule allows it, and \`${program}\` does more than read.`);
  if (isMovedGit(command, environment)) return asked(text, MOVED_GIT);
  if (program === "env" || program === "printenv")
    return asked(text, "It prints the environment, in which secrets may be.");
  for (const use of uses) {
    const standing = pathStanding(use, null, environment);
    if (!standing.open) return asked(text, standing.reason);
  }
  return builtIn(text, "It only reads, inside the workspace.");
}

function judgeCovered(
  command: PlacedCommand,
  covering: CompiledRule,
  reading: ProgramReading,
  uses: readonly Use[],
  environment: CommandEnvironment,
): JudgedPart {
  const { text } = command;
  if (isMovedGit(command, environment)) return asked(text, MOVED_GIT);
  const pattern = covering.parsed.kind === "command" ? covering.parsed.pattern : null;
  // Whoever wrote a command word by word has seen its paths.
  if (pattern?.exact === true && isAtHome(command, environment)) return allowedBy(text, covering.rule);
  for (const use of uses) {
    const standing = pathStanding(use, pattern, environment);
    if (!standing.open) return asked(text, standing.reason);
    const { cwd } = environment.context;
    if (use.named !== null && isInside(use.named, cwd) && removesAll(command, use, cwd))
      return asked(text, "It removes the whole workspace.");
  }
  if (pattern !== null && !pattern.exact) {
    const problem = looseProblem(command, pattern, reading, environment);
    if (problem !== null) return asked(text, problem);
  }
  return allowedBy(text, covering.rule);
}

/** Programs that only change the files that they name; null for others. */
function judgeWritten(
  command: PlacedCommand,
  reading: ProgramReading,
  uses: readonly Use[],
  environment: CommandEnvironment,
): JudgedPart | null {
  const program = command.words[0]?.text ?? "";
  if (FILE_PROGRAMS.has(program) && environment.context.mode === "acceptEdits")
    return judgeEdits(command, uses, environment);
  return reading.kind === "known" && CREATING.has(program) ? judgeCreating(command, uses, environment) : null;
}

/** As free as a redirect to the same files. */
function judgeCreating(command: PlacedCommand, uses: readonly Use[], environment: CommandEnvironment): JudgedPart {
  let rule: PermissionRule | null = null;
  for (const use of uses) {
    if (use.access === "write" && !PLAIN_DEVICES.has(use.text) && use.named?.literal !== true)
      return asked(command.text, "Which files it writes is not certain.");
    const standing = pathStanding(use, null, environment);
    if (!standing.open) return asked(command.text, standing.reason);
    rule ??= standing.rule;
  }
  if (uses.every((use) => PLAIN_DEVICES.has(use.text))) return builtIn(command.text, "It writes to no file.");
  return rule === null
    ? { ...builtIn(command.text, "The mode `acceptEdits` lets files be changed."), by: "mode" }
    : allowedBy(command.text, rule);
}

function judgeEdits(command: PlacedCommand, uses: readonly Use[], environment: CommandEnvironment): JudgedPart {
  const { text, words } = command;
  const { cwd } = environment.context;
  for (const use of uses) {
    const standing = pathStanding(use, null, environment);
    if (!standing.open) return asked(text, standing.reason);
    const strictly = use.named?.paths.every((path) => isBelow(path, cwd, "below")) === true;
    if (use.access === "write" && !strictly)
      return asked(text, `\`${use.text}\` is the whole workspace, or outside of it.`);
    if (words[0]?.text === "rm" && /^(?:\.\/)?\*+$/.test(use.text))
      return asked(text, "It removes the whole workspace.");
  }
  return { ...builtIn(text, "The mode `acceptEdits` lets files of the workspace be changed."), by: "mode" };
}

function removesAll({ words }: PlacedCommand, { access, named }: Use, cwd: string): boolean {
  if (words[0]?.text !== "rm" || access !== "write" || named === null) return false;
  return named.paths.some(
    (path) =>
      !isBelow(path, cwd, "below") ||
      (!named.literal &&
        pathText(path)
          .slice(cwd.length + 1)
          .replaceAll(/[*?]/g, "") === ""),
  );
}

function covers(
  { parsed }: CompiledRule,
  command: PlacedCommand,
  reading: ProgramReading,
  environment: CommandEnvironment,
): boolean {
  if (parsed.kind !== "command") return false;
  const { pattern } = parsed;
  const { words } = command;
  if (!coversWords(pattern, words)) return false;
  const program = words[0]?.text ?? "";
  if (program.includes("/") && pattern.words[0] !== program) return false;
  if (reading.kind === "not_listed" && !pattern.exact && !saysSo(pattern.words, reading)) return false;
  if (!pattern.exact && runsItsWords(words, pattern.words)) return false;
  return isAtHome(command, environment) || mayMove(command, environment);
}

/** `sed -i *` has the very word that no general rule covers. */
function saysSo(
  written: readonly string[],
  { word, understood }: Extract<ProgramReading, { kind: "not_listed" }>,
): boolean {
  return understood !== null && understood.effect !== "execute" && written.includes(word);
}

function isAtHome({ directories }: PlacedCommand, { context }: CommandEnvironment): boolean {
  return directories.every((directory) => directory === context.cwd);
}

/**
 * After `cd sub` a rule for `npm test` means another package's scripts. It holds there only where a rule allows this very `cd`,
 * for directories of the workspace that somebody works in, and for programs that are not named relative to where they run.
 */
function mayMove(command: PlacedCommand, { commands, rules, context }: CommandEnvironment): boolean {
  const program = command.words[0]?.text ?? "";
  if (program === "cd") return true;
  if (program.includes("/")) return false;
  const moves = commands.filter(({ words }) => words[0]?.text === "cd");
  const allowed = moves.every(({ words }) =>
    rules.allow.some(({ parsed }) => parsed.kind === "command" && coversWords(parsed.pattern, words)),
  );
  return (
    allowed &&
    command.directories.every((directory) => {
      if (directory === context.cwd) return true;
      if (!directory.startsWith(`${context.cwd}/`)) return false;
      return !directory
        .slice(context.cwd.length)
        .split("/")
        .some((name) => name.startsWith(".") || name === "node_modules" || name === "vendor");
    })
  );
}

/** `git -C sub` is in another directory, too. */
function movesItself({ words }: PlacedCommand, { context }: CommandEnvironment): boolean {
  return words.some(({ text }, i) => {
    if (words[i - 1]?.text !== "-C" || i < 2) return false;
    const named = namedPath(text, words[i]?.plain === true, { cwds: [context.cwd], home: context.home });
    return (
      named === null ||
      !named.paths.every((path) => isBelow(path, context.cwd, "or_itself") && !isBelow(path, context.cwd, "below"))
    );
  });
}

const MOVED_GIT = "git takes its configuration from where it runs, and that is another directory.";

function isMovedGit(command: PlacedCommand, environment: CommandEnvironment): boolean {
  if (command.words[0]?.text !== "git") return false;
  return !isAtHome(command, environment) || (leadingOption(command) && movesItself(command, environment));
}

/** Only before the subcommand `-C` is a directory. */
function leadingOption({ words }: PlacedCommand): boolean {
  return words[1]?.text.startsWith("-") === true;
}

function isSeenThrough(command: PlacedCommand, { commands }: CommandEnvironment): boolean {
  const name = command.words[0]?.text ?? "";
  return SEEN_THROUGH.has(name) && commands.some((other) => isInsideOf(other, command, name));
}

function isInsideOf(inner: PlacedCommand, outer: PlacedCommand, name: string): boolean {
  const label = inner.via[outer.via.length] ?? "";
  return (
    (label === name || label.startsWith(`${name} `)) &&
    outer.via.every((via, i) => via === inner.via[i]) &&
    inner !== outer
  );
}

/** A rule that says exactly `sudo apt-get update` means what sudo runs as well. */
function exactOuterRule(command: PlacedCommand, environment: CommandEnvironment): CompiledRule | null {
  const { commands, rules } = environment;
  if (command.via.length === 0) return null;
  const outer = commands.find((other) => {
    const name = other.words[0]?.text ?? "";
    if (!isInsideOf(command, other, name) || other.words.length <= command.words.length) return false;
    const tail = other.words.slice(-command.words.length);
    return tail.every(({ text, plain }, i) => plain && text === command.words[i]?.text);
  });
  if (outer === undefined || !isAtHome(outer, environment)) return null;
  return (
    rules.allow.find(
      ({ parsed }) => parsed.kind === "command" && parsed.pattern.exact && coversWords(parsed.pattern, outer.words),
    ) ?? null
  );
}

/** What reads a whole directory reads also what a rule forbids in it. */
function restrictedBelow(
  command: PlacedCommand,
  uses: readonly Use[],
  environment: CommandEnvironment,
): JudgedPart | null {
  const everything = readsBelow(command);
  for (const { access, named, text } of uses) {
    if (access !== "read" || named === null || PLAIN_DEVICES.has(text)) continue;
    if (!everything && !named.paths.some((path) => path.includes("**"))) continue;
    const found = restrictsBelow(environment.rules, named, environment.context);
    if (found !== null)
      return {
        ...askedBy(command.text, found.rule),
        reason: `It reads all of \`${text}\`, and \`${found.rule.rule}\` restricts something in there.`,
      };
  }
  return null;
}

function judgeRedirect(
  { kind, target, operator }: ShellRedirect,
  command: PlacedCommand,
  environment: CommandEnvironment,
): readonly JudgedPart[] {
  if (target === null || kind === "duplicate" || kind === "here") return [];
  if (target.plain && PLAIN_DEVICES.has(target.text)) return [];
  const text = `${operator} ${target.text}`;
  const named = namedPath(target.text, target.plain, startOf(command, environment));
  const accesses = operator.includes("<>") ? (["read", "write"] as const) : ([kind] as const);
  return accesses.map((access) => judgeTarget({ access, text: target.text, named }, text, environment));
}

function judgeTarget(use: Use, text: string, environment: CommandEnvironment): JudgedPart {
  const { rules, context } = environment;
  const { access, named } = use;
  if (named !== null) {
    const request = { access, tool: null, named };
    const forbidding = restrictingRule(rules.deny, request, context);
    if (forbidding !== null) return denied(text, forbidding.rule);
    const asking = restrictingRule(rules.ask, request, context);
    if (asking !== null) return askedBy(text, asking.rule);
  }
  const standing = pathStanding(use, null, environment);
  if (!standing.open) return asked(text, standing.reason);
  if (standing.rule !== null) return allowedBy(text, standing.rule);
  if (access === "read") return builtIn(text, "It is read inside the workspace.");
  const inside = named !== null && isInside(named, context.cwd);
  return { ...builtIn(text, inside ? "The mode `acceptEdits` lets files be changed." : standing.reason), by: "mode" };
}
