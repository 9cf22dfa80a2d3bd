/** Programs whose words are no list of options: each has a short reader of its own. */
import type { PathUse, ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { known, optionPaths, pathOf } from "./interpret.ts";
import { has, notListed, scanWords, valuesOf } from "./scan.ts";
import type { ProgramTable } from "./table.ts";
import { isOneWord, isOperand } from "./words.ts";

/** `cd`: where the commands behind it run. */
export function readCd(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(words, { options: "-[LP]" });
  if (scan.kind !== "scan") return scan;
  const [to, more] = scan.operands;
  if (more !== undefined) return notListed(more, "It is not certain where it goes.");
  if (to === undefined) return moved({ path: "~", access: "read", plain: false });
  if (to.text === "-" || to.text === "") return notListed(to, "It is not certain where it goes.");
  return moved(pathOf(to, "read"));
}

function moved(to: PathUse): ProgramReading {
  return known({ effect: "read", paths: [to], moves_to: to });
}

const DD_TEXT: ReadonlySet<string> = new Set(
  "bs cbs ibs obs count skip seek iseek oseek conv iflag oflag status".split(" "),
);

export function readDd(words: readonly ShellWord[]): ProgramReading {
  const paths: PathUse[] = [];
  for (const word of words) {
    const match = /^([a-z]+)=([\s\S]*)$/.exec(word.text);
    const [, name, value] = match ?? [];
    if (name === undefined || value === undefined || !word.plain) return notListed(word, "dd takes no such operand.");
    if (name === "if" || name === "of")
      paths.push({ path: value, access: name === "if" ? "read" : "write", plain: true });
    else if (!DD_TEXT.has(name)) return notListed(word, "dd takes no such operand.");
  }
  return known({ effect: paths.some(({ access }) => access === "write") ? "write" : "read", paths });
}

const FILE_TESTS = /^-[abcdefghkprsuwxLNOGS]$/;
const BINARY = /^(?:-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef|-a|-o|=|==|!=|<|>)$/;
const TEST_WORDS = /^(?:-[nzto]|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef|-a|-o|!|=|==|!=|<|>|\(|\)|\])$/;

/** `test` and `[`. `-v` and `-R` evaluate what stands in the brackets of a name. */
export function readTest(words: readonly ShellWord[]): ProgramReading {
  const paths: PathUse[] = [];
  for (const [n, word] of words.entries()) {
    const before = words[n - 1]?.text ?? "";
    const after = words[n + 1]?.text ?? "";
    const reason = testRefusal(word, before, after);
    if (reason !== null) return notListed(word, reason);
    const compared = /^-(?:nt|ot|ef)$/.test(before) || /^-(?:nt|ot|ef)$/.test(after);
    if (!isTestOperator(word.text) && (FILE_TESTS.test(before) || compared)) paths.push(pathOf(word, "read"));
  }
  return known({ effect: "read", paths });
}

const CONDITION_OPERATOR = /^(?:&&|\|\||!|\(|\)|\]\]|-[nzot]|=~|==?|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/;

/** `[[ … ]]`: no word in it becomes several, nor an operator, and what it would evaluate the reader of the shell has refused. */
export function readCondition(words: readonly ShellWord[]): ProgramReading {
  const paths: PathUse[] = [];
  for (const [n, word] of words.entries()) {
    const before = words[n - 1]?.text ?? "";
    if (!word.plain && before === "-t") return notListed(word, "It is no number.");
    if (!word.plain || CONDITION_OPERATOR.test(word.text) || FILE_TESTS.test(word.text)) {
      if (!word.plain && FILE_TESTS.test(before)) paths.push(pathOf(word, "read"));
      continue;
    }
    if (before === "-t" && !/^\d+$/.test(word.text)) return notListed(word, "It is no number.");
    if (FILE_TESTS.test(before) || /^-(?:nt|ot|ef)$/.test(before)) paths.push(pathOf(word, "read"));
    else if (word.text.startsWith("-") && !/^-\d+$/.test(word.text) && !BINARY.test(before))
      return notListed(word, "This operator is not on the list.");
  }
  return known({ effect: "read", paths });
}

function isTestOperator(text: string): boolean {
  return FILE_TESTS.test(text) || TEST_WORDS.test(text);
}

function testRefusal(word: ShellWord, before: string, after: string): string | null {
  if (!isOneWord(word)) return "It may become several words, so a test of its own.";
  if (word.text === "-v" || word.text === "-R") return "It evaluates what stands in the name.";
  const operand = FILE_TESTS.test(before) || /^-[nz]$/.test(before) || BINARY.test(before) || BINARY.test(after);
  if (operand || isOperand(word) || (word.plain && isTestOperator(word.text)) || /^-\d+$/.test(word.text)) return null;
  return word.plain ? "This operator is not on the list." : "It could become an operator.";
}

/** The builtin: `-v` assigns, and evaluates the name; `%n` assigns. */
export function readPrintf(words: readonly ShellWord[]): ProgramReading {
  const [first, ...rest] = words;
  const format = first?.plain === true && first.text === "--" ? rest[0] : first;
  if (format === undefined) return known({ effect: "read" });
  if (!format.plain) return notListed(format, "The format is known only when it runs.");
  if (format === first && format.text.startsWith("-")) return notListed(format, "This option is not on the list.");
  if (/%[^%a-zA-Z]*[hjlLtz]*n/.test(format.text.replaceAll("%%", "")))
    return notListed(format, "`%n` assigns a variable.");
  return known({ effect: "read" });
}

const JQ: ProgramTable = {
  options: `-[nrRsScCMaejh] --null-input --raw-output --join-output --raw-output0 --raw-input --slurp --sort-keys --compact-output
    --color-output --monochrome-output --ascii-output --exit-status --tab --indent=number --unbuffered --stream --seq --stream-errors
    --arg=text,text --argjson=text,text --slurpfile=text,read --rawfile=text,read --args --jsonargs --help --version`,
};

/** Not `-f` and `-L`, nor a filter that imports: code and files that are not seen. */
export function readJq(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(words, JQ);
  if (scan.kind !== "scan") return scan;
  const [filter, ...files] = scan.operands;
  if (filter === undefined) return known({ effect: "read", paths: optionPaths(scan) });
  if (!filter.plain) return notListed(filter, "The filter is known only when it runs.");
  if (/\b(?:import|include|modulemeta)\b/.test(filter.text))
    return notListed(filter, "The filter reads a file that it names.");
  // What stands behind `--args` is text, what stands before it is a file; as files they are all judged.
  return known({ effect: "read", paths: [...optionPaths(scan), ...files.map((word) => pathOf(word, "read"))] });
}

const YQ: ProgramTable = {
  options: `-[rjnNPMCe] -o=text -p=text -I=number --raw-output --tojson --null-input --no-doc --prettyPrint --no-colors --colors
    --exit-status --output-format=text --input-format=text --indent=number --unwrapScalar --help --version`,
  beyond: "-i --inplace",
};

export function readYq(words: readonly ShellWord[]): ProgramReading {
  const [first, ...rest] = words;
  const command = first?.plain === true && /^(?:e|eval|ea|eval-all)$/.test(first.text);
  const scan = scanWords(command ? rest : words, YQ);
  if (scan.kind !== "scan") return scan;
  const [filter, ...files] = scan.operands;
  if (filter === undefined) return known({ effect: "read" });
  if (!filter.plain) return notListed(filter, "The filter is known only when it runs.");
  if (
    /load|eval|system|include|import/i.test(filter.text) ||
    /(?<![.\w])(?:str)?env(?:subst)?\b|\$ENV/.test(filter.text)
  )
    return notListed(filter, "The filter reads or runs what it names.");
  const in_place = has(scan, ["-i", "--inplace"]);
  const paths = [filter, ...files].map((word) => pathOf(word, in_place && word !== filter ? "write" : "read"));
  const reading = known({ effect: in_place ? "write" : "read", paths });
  if (!in_place) return reading;
  return { ...notListed(scan.beyond ?? "-i", "It changes the files."), understood: reading };
}

/** `ln`: through what it makes, the target can be changed. */
export function readLn(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(words, {
    options: `-[sfnvrTi] -t=write --symbolic --force --no-dereference --verbose --relative --no-target-directory --interactive
      --target-directory=write --help --version`,
  });
  if (scan.kind !== "scan") return scan;
  const several = scan.operands.find((word) => !isOneWord(word));
  if (several !== undefined) return notListed(several, "It may become several operands.");
  const into = valuesOf(scan, ["-t", "--target-directory"]);
  const targets = into.length > 0 || scan.operands.length < 2 ? scan.operands : scan.operands.slice(0, -1);
  const link = into[0] ?? (scan.operands.length < 2 ? { text: ".", plain: true } : scan.operands.at(-1));
  const paths = targets.map((word) => pathOf(word, "write"));
  return known({ effect: "write", paths: link === undefined ? paths : [...paths, pathOf(link, "write")] });
}
