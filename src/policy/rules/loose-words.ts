/** Words of a command as the paths that they may be, where its program has no list that would say which of them are. */
import type { PlacedCommand } from "../shell/gathering.ts";
import type { ProgramReading } from "../shell/program.ts";
import { isOperand, longWithValue } from "../shell/programs/words.ts";
import type { CommandPattern } from "./command-pattern.ts";
import { type NamedPath, namedPath, type PathStart } from "./named-path.ts";
import { isInside, mayBeProtected } from "./path-judgement.ts";
import { isNamedBy, PLAIN_DEVICES, type PathEnvironment } from "./path-standing.ts";

export interface Use {
  readonly access: "read" | "write";
  readonly text: string;
  /** Null where it may name anything. */
  readonly named: NamedPath | null;
}

export function startOf({ directories }: PlacedCommand, { context }: PathEnvironment): PathStart {
  return { cwds: directories.length > 0 ? directories : [context.cwd], home: context.home };
}

/** Of a program that nothing is known of: any word, or end of one, may be a path that is read or written. */
export function looseUses(command: PlacedCommand, environment: PathEnvironment): readonly Use[] {
  const start = startOf(command, environment);
  return command.words.slice(1).flatMap(({ text, plain }) => {
    const ends = [text, ...[...text.matchAll(/[=@:,]/g)].map(({ index }) => text.slice(index + 1))];
    if (/^-[A-Za-z]./.test(text)) ends.push(text.slice(2));
    return ends
      .filter((end) => end !== "" && !end.startsWith("-"))
      .flatMap((end) => {
        const named = namedPath(end, plain, start);
        return (["read", "write"] as const).map((access) => ({ access, text: end, named }));
      });
  });
}

/**
 * Words of a program that runs code, or of which nothing is known. Which of them it would load, run or overwrite is not known, so
 * none may name a secret, a protected path or, unless the rule does, a place outside of the workspace, nor be known only then.
 */
export function looseProblem(
  command: PlacedCommand,
  pattern: CommandPattern,
  reading: ProgramReading,
  environment: PathEnvironment,
): string | null {
  const { words } = command;
  if (reading.kind === "known" && (reading.effect !== "execute" || words[0]?.text === "git")) return null;
  for (const word of words.slice(1)) {
    if (!word.plain && !isOperand(word) && longWithValue(word) === null)
      return `What \`${word.text}\` becomes is known only when it runs, and may be any option.`;
  }
  for (const { access, text, named } of looseUses(command, environment)) {
    if (named === null || PLAIN_DEVICES.has(text)) continue;
    if (environment.isSecret(named)) return `\`${text}\` is where secrets lie.`;
    if (access === "write" && mayBeProtected(named, environment.context))
      return `\`${text}\` steers other programs: a protected path.`;
    const elsewhere = /^[/~]|(?:^|\/)\.\.(?:\/|$)/.test(text) && !/^\/\/[\w-]/.test(text);
    if (elsewhere && !isInside(named, environment.context.cwd) && !isNamedBy(pattern, named, environment.context))
      return `\`${text}\` is outside the workspace, and the rule does not name it.`;
  }
  return null;
}
