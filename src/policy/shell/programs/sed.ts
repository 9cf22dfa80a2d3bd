/** sed: its options, and what its script reads, writes and runs. */
import type { PathUse, ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { isStandard, known, optionPaths, pathOf, withBeyond } from "./interpret.ts";
import { has, notListed, scanWords, valuesOf } from "./scan.ts";
import { readSedScript } from "./sed-script.ts";
import type { ProgramTable } from "./table.ts";

const SCRIPT = ["-e", "--expression"];
const IN_PLACE = ["-i", "--in-place", "-I"];

/** Not `-f`: what stands in the file is not known. */
const SED: ProgramTable = {
  options: `-[nErsuz] -e=text -l=number --quiet --silent --expression=text --regexp-extended --separate --unbuffered
    --null-data --line-length=number --posix --debug --sandbox --help --version`,
  beyond: "-i=?text --in-place=?text",
};

export function readSed(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(words, SED);
  if (scan.kind !== "scan") return scan;
  const given = valuesOf(scan, SCRIPT);
  const scripts = given.length > 0 ? given : scan.operands.slice(0, 1);
  const files = given.length > 0 ? scan.operands : scan.operands.slice(1);
  const unknown = scripts.find(({ plain }) => !plain);
  if (unknown !== undefined) return notListed(unknown, "The script is known only when it runs.");

  const text = scripts.map((word) => word.text).join("\n");
  const script = readSedScript(text);
  if (typeof script === "string") return notListed(text, script);
  const in_place = has(scan, IN_PLACE);
  // With a suffix the old text is kept beside it, or wherever the suffix says.
  const suffix = valuesOf(scan, IN_PLACE).find((word) => !/^[\w.~-]*$/.test(word.text));
  if (suffix !== undefined) return notListed(suffix, "The copy that sed keeps may be anywhere.");
  const paths: PathUse[] = [
    ...optionPaths(scan),
    ...files.filter((word) => !isStandard(word)).map((word) => pathOf(word, in_place ? "write" : "read")),
    ...script.reads.map((path) => ({ path, access: "read", plain: true }) as const),
    ...script.writes.map((path) => ({ path, access: "write", plain: true }) as const),
  ];
  const writes = in_place || script.writes.length > 0;
  return withBeyond(known({ effect: writes ? "write" : "read", paths }), scan.beyond ?? script.writes[0] ?? null);
}
