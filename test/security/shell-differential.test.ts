/**
 * What breaks if bash reads a line otherwise than the policy does? Lines by chance are run in real bash, in a jail whose programs
 * only record themselves. Of a line that was read without a problem, nothing may have run that the reading does not list, with
 * these words and in one of these directories.
 */
import { expect, it } from "vitest";
import type { PlacedCommand } from "../../src/policy/shell/gathering.ts";
import { readShellAt } from "../../src/policy/shell/read-shell.ts";
import type { ShellWord } from "../../src/policy/shell/reading.ts";
import { type Executed, JAIL_DIRECTORY, runInJail } from "../support/bash-jail.ts";
import { needsBubblewrap } from "../support/needs.ts";
import { fc } from "../support/property.ts";
import { plainLine, shellLine } from "../support/shell-lines.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const LINES = LONG ? 20_000 : 400;
const BATCH = 100;
const MINUTES = 60_000;

needsBubblewrap("the reading of a command line beside bash", () => {
  it(
    "lists everything that bash runs, wherever it found no problem",
    async () => {
      const lines = fc.sample(shellLine, LINES);
      const missed: unknown[] = [];
      let clean = 0;
      let ran = 0;
      for (let start = 0; start < lines.length; start += BATCH) {
        const batch = lines.slice(start, start + BATCH);
        const executed = await runInJail(batch);
        for (const [index, line] of batch.entries()) {
          const reading = await readShellAt(line, JAIL_DIRECTORY);
          const programs = executed[index] ?? [];
          if (programs.length > 0) ran += 1;
          if (reading.problems.length > 0) continue;
          if (programs.length > 0) clean += 1;
          for (const program of programs)
            if (!reading.commands.some((command) => covers(command, program)))
              missed.push({ line, program, read: reading.commands.map(({ words }) => words.map(({ text }) => text)) });
        }
      }
      console.log(
        `${lines.length} lines: ${ran} ran something in bash, ${clean} of these were read without a problem.`,
      );
      expect(missed).toEqual([]);
      expect(clean).toBeGreaterThan(LINES / 10);
    },
    30 * MINUTES,
  );

  it("understands plain lists of commands with literal words", async () => {
    const lines = fc.sample(plainLine, LONG ? 2_000 : 200);
    const refused = [];
    for (const line of lines) {
      const { problems } = await readShellAt(line, JAIL_DIRECTORY);
      if (problems.length > 0) refused.push({ line, problems });
    }
    console.log(`${lines.length} plain lines: ${lines.length - refused.length} read without a problem.`);
    expect(refused.length, JSON.stringify(refused.slice(0, 10), null, 1)).toBeLessThan(lines.length / 5);
  });
});

function covers(command: PlacedCommand, ran: Executed): boolean {
  const [program, ...words] = command.words;
  if (program?.plain !== true || program.text.slice(program.text.lastIndexOf("/") + 1) !== ran.program) return false;
  return command.directories.includes(ran.directory) && matches(words, ran.words);
}

/** A word that is not plain stands for any number of words. */
function matches(words: readonly ShellWord[], ran: readonly string[]): boolean {
  const [word, ...rest] = words;
  if (word === undefined) return ran.length === 0;
  if (word.plain) return word.text === ran[0] && matches(rest, ran.slice(1));
  return ran.some((_, taken) => matches(rest, ran.slice(taken))) || matches(rest, []);
}
