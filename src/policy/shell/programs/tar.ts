/** tar: what it does (list, create, extract), in all three ways of writing its options. */
import type { PathUse, ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { isStandard, known, pathOf } from "./interpret.ts";
import { has, notListed, scanWords, valuesOf } from "./scan.ts";
import type { ProgramTable } from "./table.ts";

/**
 * Not what starts programs (`-I`, `-F`, `--to-command`, `--checkpoint-action`, `--rsh-command`), reads options or names from
 * files (`-T`), leaves the directory (`-P`) or writes files of its own (`-g`, `--index-file`).
 */
const TAR: ProgramTable = {
  options: `-[ctxvzjJkmOpSahlWn] -f=text -C=read -X=read --create --list --extract --get --verbose --gzip --gunzip --bzip2 --xz --zstd
    --keep-old-files --skip-old-files --overwrite --touch --to-stdout --preserve-permissions --same-permissions
    --no-same-permissions --no-same-owner --same-owner --sparse --auto-compress --no-auto-compress --file=text
    --directory=read --exclude=text --exclude-from=read --exclude-vcs --exclude-vcs-ignores --strip-components=number
    --wildcards --no-wildcards --no-recursion --totals --force-local --one-file-system --numeric-owner --sort=text --mtime=text --owner=text
    --group=text --mode=text --format=text --full-time --dereference --warning=text --utc --help --version`,
};
const VALUED_LETTERS = "fCX";

export function readTar(words: readonly ShellWord[]): ProgramReading {
  const scan = scanWords(withDashes(words), TAR);
  if (scan.kind !== "scan") return scan;
  const archives = valuesOf(scan, ["-f", "--file"]);
  const remote = archives.find((word) => !word.plain || word.text.includes(":"));
  if (remote !== undefined) return notListed(remote, "An archive on another machine is opened by another program.");
  const places = valuesOf(scan, ["-C", "--directory"]);
  const behind = scan.operands.find((word) => word.text.startsWith("-"));
  // Behind `--` some versions still take words as options.
  if (behind !== undefined) return notListed(behind, "tar may take this operand for an option.");
  const actions = [
    ["create", ["-c", "--create"]],
    ["list", ["-t", "--list"]],
    ["extract", ["-x", "--extract", "--get"]],
  ] as const;
  const used = actions.filter(([, names]) => has(scan, names)).map(([action]) => action);
  if (used.length === 0 && has(scan, ["--help", "--version"])) return known({ effect: "read" });
  if (used.length !== 1) return notListed(words[0] ?? "", "It does not say one thing that tar is to do.");
  const files = archives.filter((word) => !isStandard(word));
  const lists = valuesOf(scan, ["-X", "--exclude-from"]).map((word) => pathOf(word, "read"));
  if (used[0] === "list")
    return known({ effect: "read", paths: [...files.map((word) => pathOf(word, "read")), ...lists] });
  if (used[0] === "create") {
    const packed = scan.operands.map((word) => pathOf(word, "read"));
    const paths = [
      ...files.map((word) => pathOf(word, "write")),
      ...places.map((word) => pathOf(word, "read")),
      ...packed,
      ...lists,
    ];
    return known({ effect: files.length > 0 ? "write" : "read", paths });
  }
  const to_stdout = has(scan, ["-O", "--to-stdout"]);
  const here: PathUse = { path: ".", access: "write", plain: true };
  const into = places.length > 0 ? places.map((word) => pathOf(word, "write")) : [here];
  const members = to_stdout || places.length > 0 ? [] : scan.operands.map((word) => pathOf(word, "write"));
  const paths = [...files.map((word) => pathOf(word, "read")), ...(to_stdout ? [] : into), ...members, ...lists];
  return known({ effect: to_stdout ? "read" : "write", paths });
}

/** `tar xzf a.tgz`: letters without a dash, their values in the words behind, in order. */
function withDashes(words: readonly ShellWord[]): readonly ShellWord[] {
  const [first, ...rest] = words;
  if (first?.plain !== true || first.text.startsWith("-") || !/^[A-Za-z]+$/.test(first.text)) return words;
  const options: ShellWord[] = [];
  for (const letter of first.text) {
    options.push({ text: `-${letter}`, plain: true });
    const value = VALUED_LETTERS.includes(letter) ? rest.shift() : undefined;
    if (value !== undefined) options.push(value);
  }
  return [...options, ...rest];
}
