/** A simple command: its assignments, words and redirects, what runs inside of its words, and what it does to what follows. */
import { builtinProblem } from "./builtins.ts";
import type { Token } from "./cut.ts";
import { NotRead } from "./not-read.ts";
import { changeDirectory, either, type Ends, staying } from "./places.ts";
import type { ShellAssignment, ShellRedirect, ShellWord, SimpleCommand } from "./reading.ts";
import { type Scope, within } from "./scope.ts";
import { isHarmlessAssignment, isOrdinaryVariable } from "./variables.ts";
import { combinations, withValues } from "./bindings.ts";
import { PIPE_FILE } from "./programs/words.ts";
import { readWord, unknownWord } from "./words.ts";
import { type Inside, type Look, lookInside } from "./wrappers.ts";

/** Commands inside of commands: `env nice bash -c '…'`. */
const DEPTH_MAX = 8;

/** Take a here-document or a here-string as data, whatever it says. Another program may run it. */
const DATA_READERS = new Set(
  "[ [[ base64 basename cat cmp column comm cut diff echo egrep expand false fgrep fmt fold git grep head jq md5sum nl od paste printf read rev sha1sum sha256sum sort tac tail tee test tr true uniq wc xxd".split(
    " ",
  ),
);
// `jq` takes its program from its words, or from a file that is a word; `git` reads messages, patches and names.

/** What runs inside of the words and here-documents of `tokens`. */
export type ReadInner = (tokens: readonly Token[], scope: Scope) => void;

/** Reads a run of words and redirects without operators. @param tokens not empty */
export function readSimpleCommand(tokens: readonly Token[], scope: Scope, readInner: ReadInner): Ends {
  const [, ...others] = combinations(tokens, scope.bindings);
  const first = readWith(tokens, scope, readInner, combinations(tokens, scope.bindings)[0] ?? new Map());
  // A variable that may have several values makes several commands, each of which may run.
  const rest = others.map((chosen) => readWith(tokens, scope, () => undefined, chosen));
  if (rest.length === 0) return first;
  const all = [first, ...rest];
  return { ok: either(...all.map(({ ok }) => ok)), failed: either(...all.map(({ failed }) => failed)) };
}

function readWith(
  tokens: readonly Token[],
  scope: Scope,
  readInner: ReadInner,
  chosen: ReadonlyMap<string, ShellWord>,
): Ends {
  const words: Token[] = [];
  const assignments: ShellAssignment[] = [];
  const redirects: ShellRedirect[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind === "word") {
      const assignment = words.length === 0 ? readAssignment(token.text, scope) : null;
      if (assignment === null) words.push(token);
      else assignments.push(assignment);
      scope.marks.words.add(`${token.start}:${token.end}`);
    } else if (token.kind === "redirect") {
      at += 1;
      redirects.push(readRedirect(token, tokens[at], scope, chosen));
    } else redirects.push({ operator: token.text, kind: token.kind === "here" ? "here" : "duplicate", target: null });
  }
  const first = words[0];
  if (first !== undefined) scope.marks.starts.add(first.start);
  readInner(tokens, scope);
  const is_git = first?.text === "git";
  const command: SimpleCommand = {
    words: words.map((token) =>
      isPipeFile(token) ? unknownWord(PIPE_FILE) : withValues(is_git ? withCommit(token) : token.text, chosen),
    ),
    assignments,
    redirects,
    text: scope.source.slice(tokens[0]?.start ?? 0, tokens.at(-1)?.end ?? 0),
    via: scope.via,
  };
  if (words.length === 0) judgeLasting(assignments, scope);
  return runCommand(command, scope);
}

const COMMIT =
  /\$\(git (?:merge-base(?: [A-Za-z0-9@][\w./@^~-]*){2}|rev-parse(?: --short| --verify)? (?:HEAD|@)(?:[~^]\d*)*)(?: 2>\/dev\/null)?\)/;

/** What these print is the name of a commit or nothing, so to git it is a revision and no option. */
function withCommit({ text, inner }: Token): string {
  if (inner.length !== 1 || text.includes("'")) return text;
  return text.replace(COMMIT, "0".repeat(40));
}

/** Lists a command and what it runs in turn. */
export function runCommand(command: SimpleCommand, outer: Scope): Ends {
  const elsewhere = command.redirects.some(
    ({ kind, operator }) => kind === "read" || kind === "here" || operator.includes("<"),
  );
  const scope = elsewhere ? { ...outer, fed: null } : outer;
  const { gathering } = scope;
  const [program] = command.words;
  const look = program?.plain === true ? lookInside(command.words) : null;
  gathering.add(command, scope.places, look?.transparent, scope.fed);
  refuseNetwork(command, scope);
  if (program === undefined) return staying(scope.places);
  if (look === null) {
    gathering.problem(`Which program \`${program.text}\` is, is known only when it runs.`);
    // Quotes and backslashes within a name hide it from a deny rule; bash takes them away.
    const bare = program.text.replace(/["'\\]/g, "");
    if (bare !== "" && bare !== program.text)
      gathering.add({ ...command, words: [unknownWord(bare), ...command.words.slice(1)] }, scope.places);
    return staying(scope.places);
  }
  const changing = builtinProblem(command.words);
  if (changing !== null) gathering.problem(changing);
  if (command.redirects.some(({ kind }) => kind === "here") && !DATA_READERS.has(program.text))
    gathering.problem(`\`${program.text}\` may run what is handed to it in the command.`);
  return runInside(look, command, scope);
}

/** Bash itself opens a connection for these; there is no such file. */
function refuseNetwork(command: SimpleCommand, scope: Scope): void {
  if (command.redirects.some(({ target }) => target !== null && /^\/dev\/(?:tcp|udp)\//.test(target.text)))
    scope.gathering.problem("A redirect opens a network connection.");
}

function runInside(look: Look, command: SimpleCommand, scope: Scope): Ends {
  if (look.problem !== null) scope.gathering.problem(look.problem);
  if (look.inside.length > 0 && scope.depth >= DEPTH_MAX)
    throw new NotRead(`Commands run commands deeper than ${DEPTH_MAX} levels.`);
  let ends = staying(scope.places);
  for (const inside of look.inside) {
    const result = runOne(inside, command, { ...within(scope, inside.label), depth: scope.depth + 1 });
    if (inside.here) ends = result;
  }
  if (command.words[0]?.text === "cd" && command.assignments.length > 0)
    throw new NotRead("A variable is set for `cd`, which may go elsewhere by it.");
  if (command.words[0]?.text === "cd") ends = changeDirectory(command.words, scope.places);
  return ends;
}

function runOne(inside: Inside, outer: SimpleCommand, scope: Scope): Ends {
  const { run } = inside;
  if ("text" in run) {
    const dialect = scope.dialect === "posix" ? "posix" : run.dialect;
    return scope.readText(run.text, { ...scope, dialect });
  }
  const command: SimpleCommand = {
    words: run.words,
    assignments: inside.assignments.map((word) => {
      const equals = word.text.indexOf("=");
      return { name: word.text.slice(0, equals), value: { text: word.text.slice(equals + 1), plain: word.plain } };
    }),
    // What is handed to the wrapper reaches what it runs.
    redirects: outer.redirects.filter(({ kind }) => kind === "here"),
    text: run.words.map((word) => word.text).join(" "),
    via: scope.via,
  };
  if (inside.guess !== true) return runCommand(command, scope);
  scope.gathering.add(command, scope.places);
  for (const text of lookInside(run.words).inside)
    if ("text" in text.run) runOne(text, command, within(scope, text.label));
  return staying(scope.places);
}

/** `<(…)` and nothing behind it. */
function isPipeFile({ text, inner, end }: Token): boolean {
  return (
    text.startsWith("<(") && inner.length === 1 && inner[0]?.label === "process substitution" && inner[0].end === end
  );
}

function readAssignment(source: string, scope: Scope): ShellAssignment | null {
  const match = /^([A-Za-z_]\w*)(\[|\+?=)/.exec(source);
  if (match === null) return null;
  const [whole, name = "", operator] = match;
  if (operator === "[") {
    if (/\]\+?=/.test(source)) throw new NotRead("An element of an array is set.");
    return null;
  }
  if (operator === "+=" && scope.dialect === "posix") throw new NotRead("Not every shell reads `+=` as bash does.");
  const value = source.slice(whole.length);
  return { name, value: operator === "=" ? readWord(value) : unknownWord(value) };
}

function readRedirect(
  token: Token,
  target: Token | undefined,
  scope: Scope,
  chosen: ReadonlyMap<string, ShellWord>,
): ShellRedirect {
  if (target?.kind !== "word") throw new NotRead(`The redirect ${token.text} has no target.`);
  if (scope.dialect === "posix" && /^&|<<</.test(token.text))
    throw new NotRead(`Not every shell reads the redirect ${token.text} as bash does.`);
  scope.marks.words.add(`${target.start}:${target.end}`);
  const operator = token.text.replace(/^\d+/, "");
  if (operator === "<<<") return { operator: token.text, kind: "here", target: readWord(target.text) };
  const word = withValues(target.text, chosen);
  return { operator: token.text, kind: operator === "<" ? "read" : "write", target: word };
}

/** Assignments without a command stay for what follows. */
function judgeLasting(assignments: readonly ShellAssignment[], scope: Scope): void {
  for (const assignment of assignments)
    if (!isHarmlessAssignment(assignment) && !isOrdinaryVariable(assignment.name))
      scope.gathering.problem(`The variable ${assignment.name} is set for the commands that follow.`);
}
