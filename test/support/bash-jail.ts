/**
 * Runs command lines in real bash, confined, where every program only writes down its words: what bash made of a line, to be
 * held against what was read from it. No network, its own processes, nothing writable but its own directory.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where lines run, inside. `a` and `a/b` are there to go to. */
export const JAIL_DIRECTORY = "/jail/w";

/** Everything in PATH that records itself, and what really runs because it runs others. */
export const RECORDED = [
  "p",
  "q",
  "rm",
  "cat",
  "grep",
  "ls",
  "git",
  "wc",
  "é",
  "a",
  "if2",
  "{p",
  "p}",
  "}",
  "!p",
  "[[p",
  "a b",
];
export const REAL = ["env", "timeout", "nice", "nohup", "xargs", "bash", "sh", "dash", "find", "stdbuf", "setsid"];

const BUBBLEWRAP = "bwrap";

export interface Executed {
  readonly program: string;
  readonly words: readonly string[];
  readonly directory: string;
}

// It fails once a line has written much, so that loops come to an end.
const RECORDER = `#!/bin/bash -p
printf '%s\\0' "$PWD" "$#" "\${0##*/}" "$@" >> /jail/log/now
mapfile -d '' -t all < /jail/log/now
((\${#all[@]} < 200))
`;

// Line by line: a clean log, two seconds, and nobody left over who could write into the next line's log.
const DRIVER = `
cd ${JAIL_DIRECTORY}
at_rest=(/proc/[0-9]*)
for file in /jail/lines/*; do
  : > /jail/log/now
  IFS= read -r -d '' line < "$file"
  PATH=/jail/bin timeout -s KILL 2 /bin/bash -c "$line" < /dev/null > /dev/null 2>&1
  for ((round = 0; round < 100; round++)); do
    left=(/proc/[0-9]*)
    ((\${#left[@]} <= \${#at_rest[@]})) && break
    ((round >= 20)) && kill -9 -1
    ((round < 5)) || sleep 0.01
  done
  mv /jail/log/now "/jail/log/\${file##*/}"
done 2> /dev/null
`;

/** What each line executed, in no particular order. */
export async function runInJail(lines: readonly string[]): Promise<readonly (readonly Executed[])[]> {
  const place = mkdtempSync(join(tmpdir(), "bash-jail-"));
  try {
    for (const folder of ["bin", "lines", "log", "w/a/b"]) mkdirSync(join(place, folder), { recursive: true });
    writeFileSync(join(place, "recorder"), RECORDER);
    chmodSync(join(place, "recorder"), 0o755);
    for (const name of RECORDED) symlinkSync("/jail/recorder", join(place, "bin", name));
    for (const name of REAL) symlinkSync(`/usr/bin/${name}`, join(place, "bin", name));
    for (const [index, line] of lines.entries()) writeFileSync(join(place, "lines", fileName(index)), `${line}\0`);
    await confine(place);
    return lines.map((_, index) => executed(join(place, "log", fileName(index))));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function fileName(index: number): string {
  return String(index).padStart(6, "0");
}

async function confine(place: string): Promise<void> {
  const system = ["/lib", "/lib64", "/bin"]
    .filter((path) => existsSync(path))
    .flatMap((path) => ["--ro-bind", path, path]);
  const child = spawn(
    BUBBLEWRAP,
    [
      ...["--ro-bind", "/usr", "/usr", ...system, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
      ...[
        "--bind",
        place,
        "/jail",
        "--ro-bind",
        join(place, "bin"),
        "/jail/bin",
        "--ro-bind",
        join(place, "lines"),
        "/jail/lines",
      ],
      ...["--ro-bind", join(place, "recorder"), "/jail/recorder"],
      ...["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--setenv", "LC_ALL", "C.UTF-8"],
      ...["--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/jail/home", "/bin/bash", "-c", DRIVER],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const [code] = (await once(child, "close")) as [number | null]; // "close" carries the exit code first
  if (code !== 0) throw new Error(`The jail ended with ${String(code)}: ${complaint.slice(0, 500)}`);
}

function executed(log: string): Executed[] {
  const fields = readFileSync(log, "utf8").split("\0").slice(0, -1);
  const all: Executed[] = [];
  for (let at = 0; at < fields.length;) {
    const [directory = "", count = "0", program = ""] = fields.slice(at, at + 3);
    const end = at + 3 + Number(count);
    all.push({ program, directory, words: fields.slice(at + 3, end) });
    at = end;
  }
  return all;
}
