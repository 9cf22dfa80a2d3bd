/**
 * Programs that run the command in their words. Looked through where every word before that command is on the wrapper's
 * list; else the reading has a problem, and what may be the command is listed all the same, for deny rules.
 */
import { type ShellWord } from "./reading.ts";
import { unknownWord } from "./words.ts";

export interface Inside {
  readonly label: string;
  /** The command's words, or a text that a shell reads. */
  readonly run: { readonly words: readonly ShellWord[] } | { readonly text: string; readonly dialect: Dialect };
  /** `NAME=value` before the command. */
  readonly assignments: readonly ShellWord[];
  /** It runs in the shell itself, so that a `cd` in it moves what follows. */
  readonly here: boolean;
  /** Not known to be run at all: listed for deny rules, beside a problem. */
  readonly guess?: true;
}

/** `posix`: only what dash reads as bash does. */
export type Dialect = "bash" | "posix";

export interface Look {
  readonly inside: readonly Inside[];
  /** It does nothing but to run what is inside: who may do that may do this. */
  readonly transparent?: true;
  /** A sentence. */
  readonly problem: string | null;
}

const NOTHING: Look = { inside: [], problem: null };

interface Shape {
  /** Options without a value, whole words. */
  readonly flags?: readonly string[];
  /** Options with one: `-n 5`, `-n5`, `--name 5`, `--name=5`. */
  readonly valued?: readonly string[];
  /** Words between the options and the command. */
  readonly operands?: number;
  readonly assignments?: boolean;
  /** Options after which nothing is run. */
  readonly idle?: readonly string[];
  readonly here?: boolean;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  builtin: { here: true },
  command: { flags: ["-p"], idle: ["-v", "-V"], here: true },
  chrt: { flags: ["-b", "-f", "-i", "-o", "-r", "--batch", "--fifo", "--idle", "--other", "--rr"], operands: 1 },
  doas: { flags: ["-n"], valued: ["-u"] },
  env: { flags: ["-i", "-", "--ignore-environment"], valued: ["-u", "--unset"], assignments: true },
  exec: { flags: ["-c", "-l"], valued: ["-a"] },
  ionice: { flags: ["-t", "--ignore"], valued: ["-c", "-n", "--class", "--classdata"] },
  nice: { valued: ["-n", "--adjustment"] },
  nocorrect: {},
  noglob: {},
  nohup: {},
  setsid: { flags: ["-c", "-f", "-w", "--ctty", "--fork", "--wait"] },
  stdbuf: { valued: ["-i", "-o", "-e", "--input", "--output", "--error"] },
  sudo: {
    flags: ["-n", "-E", "-H", "-S", "--non-interactive", "--preserve-env", "--set-home"],
    valued: ["-u", "-g", "--user", "--group"],
    assignments: true,
  },
  taskset: { flags: ["-c", "--cpu-list"], operands: 1 },
  time: { flags: ["-p", "-v", "--portability", "--verbose"] },
  timeout: {
    flags: ["-v", "--foreground", "--preserve-status", "--verbose"],
    valued: ["-k", "-s", "--kill-after", "--signal"],
    operands: 1,
  },
  xargs: {
    flags: ["-0", "-r", "-t", "-x", "-0r", "-r0", "--null", "--no-run-if-empty", "--verbose", "--exit"],
    valued: ["-n", "-P", "-L", "-s", "-d", "-I", "--max-args", "--max-procs", "--max-chars", "--delimiter"],
  },
};

/** Shells. The grammar is bash's; where the others read something else, `posix` refuses it, and zsh's own is not read. */
const SHELLS: Readonly<Record<string, Dialect | "other">> = {
  ash: "posix",
  bash: "bash",
  csh: "other",
  dash: "posix",
  fish: "other",
  ksh: "other",
  mksh: "other",
  rbash: "bash",
  sh: "posix",
  tcsh: "other",
  zsh: "other",
};

const SHELL_FLAGS = /^-[eu]*c?$/;

/** Run commands in ways that are not read: over the network, in other roots, from lists. */
const UNREAD = new Set([
  "arch-chroot",
  "at",
  "batch",
  "bwrap",
  "chroot",
  "chronic",
  "dbus-run-session",
  "distrobox",
  "entr",
  "fakeroot",
  "faketime",
  "firejail",
  "flock",
  "gdb",
  "linux32",
  "linux64",
  "ltrace",
  "nsenter",
  "parallel",
  "pkexec",
  "proot",
  "proxychains",
  "rlwrap",
  "run0",
  "runuser",
  "screen",
  "script",
  "setarch",
  "setpriv",
  "socat",
  "ssh",
  "start-stop-daemon",
  "strace",
  "su",
  "systemd-run",
  "tmux",
  "torsocks",
  "tsocks",
  "unbuffer",
  "unshare",
  "valgrind",
  "watch",
  "xvfb-run",
]);

/** What the words of a command run besides their first. */
export function lookInside(words: readonly ShellWord[]): Look {
  const program = words[0]?.text ?? "";
  const name = program.slice(program.lastIndexOf("/") + 1);
  const rest = words.slice(1);
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  if (shape !== undefined) return throughShape(name, shape, rest);
  const shell = Object.hasOwn(SHELLS, name) ? SHELLS[name] : undefined;
  if (shell !== undefined) return throughShell(name, shell, rest);
  if (name === "busybox" || name === "toybox") return throughBox(name, rest);
  if (name === "eval") return throughEval(rest);
  if (name === "trap") return throughTrap(rest);
  if (name === "find" || name === "fd" || name === "fdfind") return throughFind(name, rest);
  if (UNREAD.has(name)) return unread(name, rest, `\`${name}\` runs a command in a way that is not read.`);
  return NOTHING;
}

function throughShape(name: string, shape: Shape, rest: readonly ShellWord[]): Look {
  const options = readOptions(name, shape, rest);
  if (typeof options === "string") return unread(name, rest, options);
  if (options === null) return NOTHING;
  let at = options.end;
  const assignments: ShellWord[] = [];
  for (; shape.assignments === true && rest[at]?.text.includes("=") === true; at += 1) {
    const word = rest[at];
    if (word === undefined || !/^[A-Za-z_]\w*=/.test(word.text))
      return unread(name, rest, `\`${name}\` sets a variable whose name is not known.`);
    assignments.push(word);
  }
  for (let operand = shape.operands ?? 0; operand > 0; operand -= 1, at += 1)
    if (rest[at]?.plain !== true) return unread(name, rest, `A word of \`${name}\` is known only when it runs.`);
  const inner = rest.slice(at);
  if (inner.length === 0) return NOTHING;
  const words = name === "xargs" ? withInput(inner, options.replaced) : inner;
  const look: Look = {
    inside: [{ label: name, run: { words }, assignments, here: shape.here === true }],
    problem: null,
  };
  return name === "sudo" || name === "doas" ? look : { ...look, transparent: true };
}

interface Options {
  /** The first word behind the options. */
  readonly end: number;
  /** What `xargs -I` replaces. */
  readonly replaced: string | null;
}

/** A sentence where an option is not understood, null where nothing is run. */
function readOptions(name: string, shape: Shape, rest: readonly ShellWord[]): Options | string | null {
  let replaced: string | null = null;
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at];
    if (word?.plain !== true) return `A word of \`${name}\` is known only when it runs.`;
    const { text } = word;
    if (text === "--") return { end: at + 1, replaced };
    if (shape.idle?.includes(text) === true) return null;
    if (isFlag(name, shape, text)) continue;
    if (!text.startsWith("-")) return { end: at, replaced };
    const option = valuedOption(shape, text);
    if (option === null) return `\`${name}\` has the option ${text}, which is not on its list.`;
    if (option.value === null) at += 1;
    const value = option.value ?? (rest[at]?.plain === true ? rest[at]?.text : undefined);
    if (value === undefined) return `The option ${text} of \`${name}\` has no known value.`;
    if (name === "xargs" && option.name === "-I") replaced = value;
  }
  return { end: rest.length, replaced };
}

function isFlag(name: string, shape: Shape, text: string): boolean {
  return shape.flags?.includes(text) === true || (name === "nice" && /^-\d+$/.test(text));
}

/** `-n5`, `--name=5`, or `-n` with its value in the next word. */
function valuedOption(shape: Shape, text: string): { readonly name: string; readonly value: string | null } | null {
  const valued = shape.valued ?? [];
  if (valued.includes(text)) return { name: text, value: null };
  const short = text.slice(0, 2);
  if (!text.startsWith("--")) return valued.includes(short) ? { name: short, value: text.slice(2) } : null;
  const equals = text.indexOf("=");
  const long = text.slice(0, equals);
  return equals > 0 && valued.includes(long) ? { name: long, value: text.slice(equals + 1) } : null;
}

/** What `xargs` reads from its input goes into the words, or behind them. */
function withInput(words: readonly ShellWord[], replaced: string | null): readonly ShellWord[] {
  if (replaced === null) return [...words, unknownWord("<input>")];
  return words.map((word) => (replaced !== "" && word.text.includes(replaced) ? unknownWord(word.text) : word));
}

function throughShell(name: string, dialect: Dialect | "other", rest: readonly ShellWord[]): Look {
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at];
    if (word === undefined || !word.plain)
      return unread(name, rest, `A word of \`${name}\` is known only when it runs.`);
    if (word.text === "--version" || word.text === "--help") return NOTHING;
    // A script with its words: a command like any other.
    if (!word.text.startsWith("-") && !word.text.startsWith("+")) return NOTHING;
    if (!SHELL_FLAGS.test(word.text) || word.text === "-")
      return unread(name, rest, `\`${name}\` has the option ${word.text}, which is not on its list.`);
    if (!word.text.endsWith("c")) continue;
    const script = rest[at + 1];
    if (script?.plain !== true) return { inside: [], problem: `What \`${name} -c\` runs is not known.` };
    // Without this a `-` would be one more option and the text a later word.
    if (script.text.startsWith("-") || script.text.startsWith("+"))
      return { inside: [], problem: `What \`${name} -c\` runs is not known.` };
    const run = { text: script.text, dialect: dialect === "bash" ? dialect : "posix" } as const;
    const inside: readonly Inside[] = [{ label: `${name} -c`, run, assignments: [], here: false }];
    if (dialect !== "other") return { inside, problem: null, transparent: true };
    return { inside, problem: `\`${name}\` reads other commands in a text than bash does.` };
  }
  return { inside: [], problem: `\`${name}\` reads the commands that it runs from its input.` };
}

function throughBox(name: string, rest: readonly ShellWord[]): Look {
  if (rest.length === 0) return NOTHING;
  if (rest[0]?.plain !== true || rest[0].text.startsWith("-"))
    return unread(name, rest, `What \`${name}\` runs is not known.`);
  return { inside: [{ label: name, run: { words: rest }, assignments: [], here: false }], problem: null };
}

function throughEval(rest: readonly ShellWord[]): Look {
  if (rest.length === 0) return NOTHING;
  if (rest.some((word) => !word.plain) || rest[0]?.text.startsWith("-") === true)
    return { inside: [], problem: "What `eval` runs is not known." };
  const text = rest.map((word) => word.text).join(" ");
  const run = { text, dialect: "bash" } as const;
  return { inside: [{ label: "eval", run, assignments: [], here: true }], problem: null, transparent: true };
}

function throughTrap(rest: readonly ShellWord[]): Look {
  const action = rest[0];
  if (action === undefined || (action.plain && ["-", "", "-l", "-p"].includes(action.text))) return NOTHING;
  const problem = "`trap` runs a command at another time, wherever the shell is then.";
  if (!action.plain || action.text.startsWith("-")) return { inside: [], problem };
  const run = { text: action.text, dialect: "bash" } as const;
  return { inside: [{ label: "trap", run, assignments: [], here: false }], problem };
}

const FIND_RUNS: Readonly<Record<string, readonly string[]>> = {
  find: ["-exec", "-execdir", "-ok", "-okdir"],
  fd: ["-x", "-X", "--exec", "--exec-batch"],
  fdfind: ["-x", "-X", "--exec", "--exec-batch"],
};

/** The commands in `find -exec … ;`. What else `find` does with its words is `program.ts`' to say. */
function throughFind(name: string, rest: readonly ShellWord[]): Look {
  const starts = FIND_RUNS[name] ?? [];
  const inside: Inside[] = [];
  for (let at = 0; at < rest.length; at += 1) {
    const word = rest[at];
    if (word === undefined || !starts.includes(word.text)) continue;
    let end = at + 1;
    while (end < rest.length && !isFindEnd(rest, end)) end += 1;
    const words = rest.slice(at + 1, end).map((part) => (part.text.includes("{") ? unknownWord(part.text) : part));
    // fd puts what it found behind a command that has no place for it.
    if (name !== "find" && !words.some((part) => part.text.includes("{"))) words.push(unknownWord("{}"));
    if (words.length > 0) inside.push({ label: `${name} ${word.text}`, run: { words }, assignments: [], here: false });
    // `-execdir` runs where the file is; relative words of the command are not relative to here.
    if (word.text.endsWith("dir"))
      return { inside, problem: `\`${name} ${word.text}\` runs a command in other directories.` };
    at = end;
  }
  return { inside, problem: null };
}

function isFindEnd(words: readonly ShellWord[], at: number): boolean {
  const text = words[at]?.text;
  return text === ";" || text === "\\;" || (text === "+" && words[at - 1]?.text === "{}");
}

/** A problem, and from each word that may begin the command on, for deny rules: options' values begin nothing, but cost nothing. */
function unread(name: string, rest: readonly ShellWord[], problem: string): Look {
  const inside: Inside[] = [];
  for (let at = 0; at < rest.length && inside.length < GUESSES_MAX; at += 1) {
    const word = rest[at];
    if (word === undefined || word.text.startsWith("-") || /^[A-Za-z_]\w*=/.test(word.text)) continue;
    inside.push({ label: name, run: { words: rest.slice(at) }, assignments: [], here: false, guess: true });
  }
  return { inside, problem };
}

/** Words of an unread wrapper that may be the program. */
const GUESSES_MAX = 32;
