/** xargs: the command that it runs, with words that are known only when it runs. */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { known, optionPaths } from "./interpret.ts";
import { notListed, scanWords, valuesOf } from "./scan.ts";
import type { ProgramTable } from "./table.ts";

const XARGS: ProgramTable = {
  options: `-[0rtx] -a=read -d=text -E=text -I=text -L=number -n=number -P=number -s=number --null --no-run-if-empty
    --verbose --exit --arg-file=read --delimiter=text --max-lines=number --max-args=number --max-procs=number
    --max-chars=number --help --version`,
  stops: true,
};

export function readXargs(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(words, XARGS);
  if (scan.kind !== "scan") return scan;
  const paths = optionPaths(scan);
  const command = scan.operands;
  // Without a command it is `echo`.
  if (command.length === 0) return known({ effect: "read", paths });
  const mark = valuesOf(scan, ["-I"]).at(-1);
  if (mark === undefined)
    return known({ effect: "read", paths, runs: [[...command, { text: "<input>", plain: false }]] });
  if (!mark.plain || mark.text === "") return notListed(mark, "What is replaced is known only when it runs.");
  const placed = command.map((word) => (word.text.includes(mark.text) ? { text: word.text, plain: false } : word));
  return known({ effect: "read", paths, runs: [placed] });
}
