/**
 * A bash command line read for judgement: every command that it would run, and what stands against being sure of that.
 *
 * R1. `problems` is empty only if the text was read twice to the end, by tree-sitter's grammar and by belay's own cut, and
 *     both found the same commands and words. Where they differ, one of them differs from bash.
 * R2. With problems, commands are still listed, too many rather than too few: deny rules hold on them.
 * R3. It never throws because of what a text says.
 */
import { UNBOUND } from "./bindings.ts";
import { strangeCharacters } from "./characters.ts";
import { cut } from "./cut.ts";
import { Gathering, type PlacedCommand } from "./gathering.ts";
import { type Grammar, loadGrammar } from "./grammar.ts";
import { NotRead } from "./not-read.ts";
import { type Ends, staying, UNTOLD } from "./places.ts";
import type { ShellReading, ShellWord } from "./reading.ts";
import { roughCommands } from "./rough.ts";
import type { Marks, Scope } from "./scope.ts";
import { runCommand } from "./simple-command.ts";
import { readStatements } from "./statements.ts";

export type { PlacedCommand } from "./gathering.ts";

export interface PlacedReading extends ShellReading {
  readonly commands: readonly PlacedCommand[];
}

/** Without a directory: a command after `cd` is a problem, because its paths are not relative to where it was asked about. */
export async function readShell(text: string): Promise<ShellReading> {
  return readFrom(null, (scope) => scope.readText(text, scope), text);
}

/** @param directory absolute; `cd` is followed from it, and every command says where it may run */
export async function readShellAt(text: string, directory: string): Promise<PlacedReading> {
  return readFrom(directory, (scope) => scope.readText(text, scope), text);
}

/** A command that is known by its words, such as `find -exec` hands to a program. */
export async function readCommandWords(words: readonly ShellWord[], directory: string | null): Promise<PlacedReading> {
  const text = words.map((word) => word.text).join(" ");
  const command = { words, assignments: [], redirects: [], text, via: [] };
  return readFrom(directory, (scope) => runCommand(command, scope), text);
}

async function readFrom(directory: string | null, read: (scope: Scope) => Ends, text: string): Promise<PlacedReading> {
  const gathering = new Gathering(directory !== null);
  const scope: Scope = {
    gathering,
    source: text,
    via: [],
    places: [directory ?? UNTOLD],
    dialect: "bash",
    depth: 0,
    bindings: UNBOUND,
    fed: null,
    marks: noMarks(),
    readText: reader(await grammarOrProblem(gathering)),
  };
  try {
    read(scope);
  } catch (error) {
    if (!(error instanceof NotRead)) throw error;
    gathering.problem(error.message);
  }
  return { commands: gathering.commands, problems: gathering.problems };
}

async function grammarOrProblem(gathering: Gathering): Promise<Grammar | null> {
  try {
    return await loadGrammar();
  } catch (error) {
    // Whatever it is, nothing is allowed unread; the session goes on by asking.
    gathering.problem(
      `The grammar of bash could not be loaded (${error instanceof Error ? error.message : "unknown"}).`,
    );
    return null;
  }
}

function reader(grammar: Grammar | null): Scope["readText"] {
  return (text, scope) => {
    const strange = strangeCharacters(text);
    for (const problem of strange) scope.gathering.problem(problem);
    const inText: Scope = { ...scope, source: text, marks: noMarks(), bindings: UNBOUND, fed: null };
    let ends = staying(scope.places);
    try {
      ends = readStatements(cut(text), inText);
      if (grammar !== null && strange.length === 0) compare(grammar, text, inText);
    } catch (error) {
      if (!(error instanceof NotRead)) throw error;
      scope.gathering.problem(error.message);
      scope.gathering.hush(() => {
        for (const words of roughCommands(text)) roughly(words, inText);
      });
    }
    return ends;
  };
}

/** Lists what may be a command of a text that was not read. */
function roughly(words: readonly ShellWord[], scope: Scope): void {
  const text = words.map((word) => word.text).join(" ");
  try {
    runCommand({ words, assignments: [], redirects: [], text, via: scope.via }, scope);
  } catch (error) {
    // The text has its problem already, and the command is listed before anything in it is read.
    if (!(error instanceof NotRead)) throw error;
  }
}

function compare(grammar: Grammar, text: string, scope: Scope): void {
  const seen = grammar(text);
  for (const problem of seen.problems) scope.gathering.problem(problem);
  if (seen.problems.length > 0) return;
  const { starts, timed, words } = scope.marks;
  const agreed =
    [...starts].every((start) => seen.starts.has(start) || timed.has(start)) &&
    [...seen.starts].every((start) => starts.has(start)) &&
    [...seen.words].every((word) => words.has(word));
  if (!agreed) scope.gathering.problem("Two readings of the command differ in where its commands and words begin.");
}

function noMarks(): Marks {
  return { starts: new Set(), timed: new Set(), words: new Set() };
}
