/**
 * Whether a rule that forbids (or asks) means a command, however it is dressed up: behind wrappers, with a path before the
 * program's name, with options between the words, in another order, quoted. It errs towards yes. Allow rules never come here.
 */
import type { ShellWord } from "../shell/reading.ts";
import { type CommandPattern, globMatches } from "./command-pattern.ts";
import { globSegments, literalSegment, overlaps } from "./glob-overlap.ts";

/** Programs whose words hold another command. */
const WRAPPERS: ReadonlySet<string> = new Set([
  ...["sudo", "doas", "env", "time", "timeout", "nice", "ionice", "nohup", "setsid", "stdbuf", "command", "builtin"],
  ...["exec", "eval", "xargs", "parallel", "watch", "strace", "ltrace", "flock", "chroot", "unshare", "nsenter", "su"],
  ...["runuser", "systemd-run", "script", "unbuffer", "taskset", "chrt", "prlimit", "busybox", "toybox", "noglob"],
  ...["bash", "sh", "zsh", "dash", "ksh", "fish", "ash", "python", "python2", "python3", "node", "perl", "ruby", "php"],
  ...[
    "ssh",
    "docker",
    "podman",
    "kubectl",
    "npx",
    "pnpx",
    "bunx",
    "find",
    "fd",
    "trap",
    "coproc",
    "then",
    "do",
    "else",
  ],
  ...["if", "while", "until", "!", "{", "(", "-", "gtimeout", "caffeinate", "entr", "tmux", "screen", "at", "pkexec"],
]);

/** Options of a program before its subcommand that take a value of their own. */
const VALUED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    "git",
    new Set(["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--super-prefix", "--exec-path"]),
  ],
  ["docker", new Set(["-H", "--host", "-c", "--context", "--config", "-l", "--log-level"])],
  ["kubectl", new Set(["-n", "--namespace", "--context", "--kubeconfig", "-s", "--server", "--user", "--cluster"])],
  ["npm", new Set(["--prefix", "-C", "-w", "--workspace", "--userconfig", "--registry", "--loglevel"])],
  ["aws", new Set(["--profile", "--region", "--output", "--endpoint-url"])],
  ["gh", new Set(["-R", "--repo"])],
  ["terraform", new Set(["-chdir"])],
]);

/** Suffixes of one command that are looked at. */
const CANDIDATES_MAX = 200;
const WORDS_MAX = 2_000;

/** @param pattern null for every command */
export function meansCommand(pattern: CommandPattern, words: readonly ShellWord[]): boolean {
  return candidatesOf(words).some((candidate) => meansWords(pattern, candidate));
}

/** For text that could not be read: any stretch of it that could be a command. */
export function meansText(pattern: CommandPattern, text: string): boolean {
  return segmentsOf(text).some((segment) =>
    segment.slice(0, CANDIDATES_MAX).some((_, i) => meansWords(pattern, segment.slice(i))),
  );
}

function candidatesOf(words: readonly ShellWord[]): readonly (readonly string[])[] {
  const texts = words.slice(0, WORDS_MAX).flatMap(({ text, plain }) => (plain ? [text] : undressed(text)));
  const all: (readonly string[])[] = [texts];
  if (WRAPPERS.has(programName(texts[0] ?? ""))) {
    for (let i = 1; i < Math.min(texts.length, CANDIDATES_MAX); i++) {
      all.push(texts.slice(i));
      const inner = texts[i] ?? "";
      if (/[\s;|&(]/.test(inner)) for (const segment of segmentsOf(inner)) all.push(...suffixesOf(segment));
    }
  }
  return all;
}

function suffixesOf(words: readonly string[]): readonly (readonly string[])[] {
  return words.slice(0, 20).map((_, i) => words.slice(i));
}

function segmentsOf(text: string): readonly (readonly string[])[] {
  return text
    .split(/[;&|()<>`"'\n\r{}]+/)
    .flatMap((piece) => [undressed(piece.trim())])
    .concat([undressed(text.replaceAll(/["'\\]/g, ""))])
    .filter((words) => words.length > 0);
}

/** Source text as the words it could become: quotes and escapes off, `$IFS` and braces as blanks. */
function undressed(text: string): readonly string[] {
  return text
    .replaceAll(/\$\{?IFS\}?(?:[^\w{]|$)/g, " ")
    .replaceAll(/\$\{IFS[^}]*\}/g, " ")
    .replaceAll(/\$?'((?:[^'\\]|\\.)*)'/g, (_, inner: string) => unescaped(inner))
    .replaceAll(/\$"/g, '"')
    .replaceAll(/\\\n/g, "")
    .replaceAll(/["'\\]/g, "")
    .replaceAll(/\$[@*!]|\$\{[@*]\}/g, "")
    .replaceAll(/[{}]/g, (brace) => (text.includes(",") ? " " : brace))
    .split(text.includes("{") && text.includes(",") ? /[\s,]+/ : /\s+/)
    .filter((word) => word !== "");
}

/** Of `$'…'`. */
function unescaped(text: string): string {
  return text
    .replaceAll(/\\x([0-9a-fA-F]{1,2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/\\u([0-9a-fA-F]{1,4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(/\\([0-7]{1,3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8) & 0xff));
}

function programName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1).toLowerCase();
}

function meansWords(pattern: CommandPattern, words: readonly string[]): boolean {
  const rest = withoutAssignments(words);
  const [program = "", ...others] = rest;
  const [wanted = ""] = pattern.words;
  if (program === "" || !sameProgram(wanted, program)) return false;
  const named = [wanted.includes("*") ? program : wanted, ...others];
  if (matchesJoined(pattern, named)) return true;
  const straight = [named[0] ?? "", ...withoutLeadingOptions(programName(program), others)];
  if (matchesJoined(pattern, straight)) return true;
  return (
    pattern.open &&
    !pattern.words.some((word) => word.includes("*")) &&
    holdsAll(pattern.words.slice(1), others, programName(program))
  );
}

function withoutAssignments(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => !/^[A-Za-z_]\w*\+?=/.test(word));
  return first === -1 ? [] : words.slice(first);
}

function sameProgram(wanted: string, program: string): boolean {
  if (wanted.includes("*"))
    return (
      globMatches(wanted.toLowerCase(), program.toLowerCase()) ||
      globMatches(wanted.toLowerCase(), programName(program))
    );
  if (programName(wanted) === programName(program)) return true;
  // `/usr/bin/cur?` is a program, too
  if (!/[*?[]/.test(program)) return false;
  return overlaps([literalSegment(programName(wanted))], globSegments(programName(program)), { fold_case: true });
}

function matchesJoined({ words, open }: CommandPattern, command: readonly string[]): boolean {
  const joined = command.join("\0");
  const glob = words.join("\0");
  return globMatches(glob, joined) || (open && globMatches(`${glob}\0*`, joined));
}

function withoutLeadingOptions(program: string, words: readonly string[]): readonly string[] {
  const valued = VALUED.get(program);
  let i = 0;
  while (i < words.length) {
    const word = words[i] ?? "";
    if (!word.startsWith("-")) break;
    i += valued?.has(word) === true ? 2 : 1;
  }
  return words.slice(i);
}

/** Words of the rule in their order at the front, options anywhere: `push --force` is also `push origin --force`. */
function holdsAll(wanted: readonly string[], words: readonly string[], program: string): boolean {
  const options = wanted.filter((word) => word.startsWith("-"));
  const operands = wanted.filter((word) => !word.startsWith("-"));
  if (operands.length + options.length === 0) return true;
  if (!options.every((option) => holdsOption(option, words))) return false;
  const valued = VALUED.get(program);
  let next = 0;
  for (let i = 0; i < words.length && next < operands.length; i++) {
    const word = words[i] ?? "";
    if (word.startsWith("-")) {
      if (valued?.has(word) === true) i++;
    } else if (word === operands[next]) next++;
    else if (!(words[i - 1] ?? "").startsWith("-")) return false;
  }
  return next === operands.length;
}

const LONG_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["f", ["--force"]],
  ["r", ["--recursive", "-R"]],
  ["R", ["--recursive", "-r"]],
]);

function holdsOption(option: string, words: readonly string[]): boolean {
  const longs = words.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0] ?? "");
  const letters = words.filter((word) => /^-[^-]/.test(word)).join("");
  if (option.startsWith("--")) {
    const name = option.split("=")[0] ?? "";
    if (longs.some((long) => long.startsWith(name) || (long.length > 3 && name.startsWith(long)))) return true;
    return [...LONG_NAMES].some(([letter, names]) => names.includes(name) && letters.includes(letter));
  }
  return [...option.slice(1)].every(
    (letter) =>
      letters.includes(letter) ||
      (LONG_NAMES.get(letter) ?? []).some((other) =>
        other.startsWith("--")
          ? longs.some((long) => long.length > 3 && other.startsWith(long))
          : letters.includes(other.slice(1)),
      ),
  );
}
