/** awk, gawk, mawk and nawk: their options, and whether the program only computes and prints. */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { awkRefusal } from "./awk-program.ts";
import { isStandard, known, pathOf } from "./interpret.ts";
import { notListed, scanWords, valuesOf } from "./scan.ts";
import type { ProgramTable } from "./table.ts";

/** Not `-f`, `-i`, `-l`, `-E`, `-W`: code that is not seen. Not `-o`, `-p`, `-d`: they write. */
const AWK: ProgramTable = {
  options: `-F=text -v=text --field-separator=text --assign=text --re-interval --posix --traditional --characters-as-bytes
    --sandbox --version --help`,
};

const ASSIGNMENT = /^[A-Za-z_]\w*=/;
const REACHING_ASSIGNMENT = /^(?:ARGV|ARGC|SYMTAB|FUNCTAB|PROCINFO)\b/;

export function readAwk(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(words, AWK);
  if (scan.kind !== "scan") return scan;
  const [program, ...files] = scan.operands;
  if (program === undefined) return known({ effect: "read" });
  if (!program.plain) return notListed(program, "The program is known only when it runs.");
  const refusal = awkRefusal(program.text);
  if (refusal !== null) return notListed(program, refusal);
  const assignments = [...valuesOf(scan, ["-v", "--assign"]), ...files].filter(({ text }) =>
    REACHING_ASSIGNMENT.test(text),
  );
  const odd = assignments[0] ?? files.find(({ text }) => text.startsWith("/inet"));
  if (odd !== undefined) return notListed(odd, "awk gives this operand a meaning of its own.");
  const paths = files.filter((word) => !isStandard(word) && !(word.plain && ASSIGNMENT.test(word.text)));
  return known({ effect: "read", paths: paths.map((word) => pathOf(word, "read")) });
}
