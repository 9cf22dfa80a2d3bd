/**
 * Allow rules that allow more than they seem to. They are taken out whoever wrote them: a yes to any interpreter, wrapper or
 * runner is a yes to every command. The same list reports them when they are added.
 */
import type { PermissionRule } from "../../kernel/permissions.ts";
import type { CommandPattern } from "./command-pattern.ts";
import type { PathPattern } from "./path-pattern.ts";
import { type ParsedRule, parseRule } from "./rule.ts";

export interface Danger {
  /** `any_command`, `any_file`, `any_host`, `any_server`: it allows all of these. `unsafe_shape`: what it matches cannot be foreseen. `deny_only`: it has no meaning in an allow rule. `unreadable`: it is no rule. */
  readonly kind: "any_command" | "any_file" | "any_host" | "any_server" | "unsafe_shape" | "deny_only" | "unreadable";
  /** A sentence. */
  readonly reason: string;
}

export interface StrippedRule {
  readonly rule: PermissionRule;
  readonly danger: Danger;
}

/** Programs that run what they are told to. */
const RUNNERS: ReadonlySet<string> = new Set([
  ...[
    "bash",
    "sh",
    "zsh",
    "dash",
    "ksh",
    "fish",
    "csh",
    "tcsh",
    "ash",
    "busybox",
    "toybox",
    "pwsh",
    "powershell",
    "cmd",
  ],
  ...[
    "python",
    "python2",
    "python3",
    "pypy",
    "pypy3",
    "ipython",
    "node",
    "nodejs",
    "deno",
    "bun",
    "perl",
    "ruby",
    "irb",
  ],
  ...["php", "lua", "luajit", "tclsh", "wish", "expect", "Rscript", "R", "julia", "ghci", "runghc", "swift", "scala"],
  ...[
    "groovy",
    "jshell",
    "osascript",
    "gdb",
    "lldb",
    "sqlite3",
    "psql",
    "mysql",
    "tsx",
    "ts-node",
    "esno",
    "vite-node",
  ],
  ...["awk", "gawk", "mawk", "nawk", "vi", "vim", "nvim", "ex", "view", "ed", "emacs", "nano", "less", "more", "man"],
  ...["eval", "exec", "source", ".", "builtin", "command", "trap", "alias", "env", "sudo", "doas", "su", "runuser"],
  ...[
    "pkexec",
    "xargs",
    "parallel",
    "time",
    "timeout",
    "nice",
    "ionice",
    "nohup",
    "setsid",
    "stdbuf",
    "chroot",
    "unshare",
  ],
  ...["nsenter", "setpriv", "capsh", "systemd-run", "watch", "entr", "script", "strace", "ltrace", "flock", "taskset"],
  ...[
    "chrt",
    "prlimit",
    "unbuffer",
    "rlwrap",
    "dbus-run-session",
    "bwrap",
    "firejail",
    "proot",
    "fakeroot",
    "at",
    "batch",
  ],
  ...["crontab", "screen", "tmux", "ssh", "rsh", "mosh", "npx", "pnpx", "bunx", "uvx", "pipx", "corepack", "direnv"],
  ...[
    "socat",
    "nc",
    "ncat",
    "netcat",
    "openssl",
    "make-shell",
    "nix-shell",
    "guix",
    "distrobox",
    "toolbox",
    "xdg-open",
  ],
]);

/** After these words stands a program, or (`INTO`) first where it runs. */
const ONLY_RUN: ReadonlySet<string> = new Set([
  ...["npx", "pnpx", "bunx", "uvx", "pipx run", "npm exec", "npm x", "npm explore", "pnpm exec", "pnpm dlx", "pnpm x"],
  ...["yarn exec", "yarn dlx", "yarn node", "bun x", "uv run", "uv tool run", "poetry run", "pipenv run", "pdm run"],
  ...["rye run", "hatch run", "conda run", "pixi run", "bundle exec", "go run", "dotnet exec", "mise exec", "mise x"],
  ...["asdf exec", "nix run", "nix shell", "nix develop", "docker run", "docker exec", "docker compose run"],
  ...["docker compose exec", "docker-compose run", "docker-compose exec", "podman run", "podman exec", "kubectl exec"],
  ...[
    "kubectl run",
    "kubectl debug",
    "git submodule foreach",
    "git bisect run",
    "lerna exec",
    "devbox run",
    "flatpak run",
  ],
]);
const INTO: ReadonlySet<string> = new Set([
  ...["docker run", "docker exec", "docker compose run", "docker compose exec", "docker-compose run", "podman run"],
  ...["docker-compose exec", "podman exec", "kubectl exec", "kubectl run", "kubectl debug", "npm explore"],
  ...["nix run", "nix shell", "nix develop", "yarn node", "go run", "flatpak run", "conda run"],
]);
const RUNNING_WORDS: readonly (readonly string[])[] = [...ONLY_RUN].map((text) => text.split(" "));

/** @returns null where the rule may stand in an allow list */
export function dangerOf(text: string): Danger | null {
  const reading = parseRule(text);
  return reading.ok ? dangerOfParsed(reading.rule) : { kind: "unreadable", reason: reading.problem };
}

export function strippedRules(rules: readonly PermissionRule[]): {
  readonly kept: readonly PermissionRule[];
  readonly stripped: readonly StrippedRule[];
} {
  const kept: PermissionRule[] = [];
  const stripped: StrippedRule[] = [];
  for (const rule of rules) {
    const danger = rule.behavior === "allow" ? dangerOf(rule.rule) : null;
    if (danger === null) kept.push(rule);
    else stripped.push({ rule, danger });
  }
  return { kept, stripped };
}

export function dangerOfParsed(rule: ParsedRule): Danger | null {
  switch (rule.kind) {
    case "tool":
      return dangerOfTool(rule.tool);
    case "command":
      return dangerOfCommand(rule.pattern);
    case "path":
      return rule.access === "write" ? dangerOfWrite(rule.pattern) : null;
    case "domain":
      return /^\*\.[^.]+$/.test(rule.host) ? host(`It allows every host below \`${rule.host.slice(1)}\`.`) : null;
    case "mcp":
      return rule.server.includes("*")
        ? { kind: "any_server", reason: "It allows every tool of servers that are not known yet: name the server." }
        : null;
    case "named":
      return null;
    case "param":
      return { kind: "deny_only", reason: "A member of the input can be denied or asked about, and not allowed." };
  }
}

function dangerOfTool(tool: string): Danger | null {
  if (tool.includes("*")) return shape("It allows tools that are not known yet: name the tool.");
  switch (tool) {
    case "Bash":
    case "PowerShell":
      return { kind: "any_command", reason: "It allows every command." };
    case "Write":
    case "Edit":
    case "MultiEdit":
    case "NotebookEdit":
      return { kind: "any_file", reason: "It allows to write every file: name a path, as in `Edit(src/**)`." };
    case "WebFetch":
      return host("It allows every host: name one, as in `WebFetch(domain:example.com)`.");
    default:
      return null;
  }
}

function dangerOfCommand(pattern: CommandPattern): Danger | null {
  const { words, exact } = pattern;
  const [program = ""] = words;
  if (program.startsWith("*")) return any("A `*` before or in place of the program stands for every program.");
  if (program.includes("*")) {
    const fixed = program.replace(/\*.*/, "");
    return shape(`\`${program}\` has no boundary: it is every program whose name begins so. Write \`${fixed} *\`.`);
  }
  if (words.some((word) => /[;&|<>`\n]|\$\(/.test(word)))
    return shape("A shell operator in a rule never matches a simple command: write a rule for each command.");
  if (/^[A-Za-z_]\w*=/.test(program)) return shape("A rule begins with the program, not with an assignment.");
  if (words.some((word) => /:\/\/(?:[^/]*\*|[^/]*@)/.test(word)))
    return shape("A `*` in an address before the end of its host stands for other hosts as well.");
  return exact ? null : dangerOfOpen(words, pattern.open);
}

/** Of words with a `*` in or behind them. */
function dangerOfOpen(words: readonly string[], open: boolean): Danger | null {
  const [program = ""] = words;
  const name = baseName(program);
  // `npx vitest *` names what is run; a word that is given to a shell or an interpreter is what is run.
  const before = RUNNING_WORDS.filter((known) => known.every((word, i) => word === (i === 0 ? name : words[i])));
  const longest = before.reduce<readonly string[]>((a, b) => (b.length > a.length ? b : a), []);
  if (longest.length > 0) {
    const tail = words.slice(longest.length);
    const [first] = tail;
    if (first === undefined || first.startsWith("-") || first.includes("*"))
      return ONLY_RUN.has(longest.join(" ")) ? any(`\`${longest.join(" ")}\` runs whatever follows it.`) : null;
    if (INTO.has(longest.join(" "))) return any(`\`${longest.join(" ")} ${first}\` runs whatever follows it.`);
    return ONLY_RUN.has(longest.join(" ")) ? dangerOfOpen(tail, open) : null;
  }
  if (RUNNERS.has(name) || RUNNERS.has(name.replace(/[\d.]+$/, ""))) return runner(program, words, open);
  return null;
}

/** `python -m pytest *` and `node scripts/build.js *` name what is run; `python *` and `python -c *` do not. */
function runner(program: string, words: readonly string[], open: boolean): Danger | null {
  const reason = `\`${program}\` runs whatever it is given.`;
  const is_language = /^(?:python|pypy|node|deno|bun|perl|ruby|php|tsx|ts-node|lua|Rscript)/.test(baseName(program));
  return is_language && open && words.every((word) => !word.includes("*")) && namesWhatRuns(words) ? null : any(reason);
}

function namesWhatRuns([program = "", second = "", third = ""]: readonly string[]): boolean {
  if (second === "-m") return third !== "" && !MODULES_THAT_RUN.has(third);
  if (/^[\w./@-]+\.\w+$/.test(second) && !second.startsWith("-")) return true;
  return PARTS_THAT_RUN_NOTHING.has(`${program} ${second}`);
}

const PARTS_THAT_RUN_NOTHING: ReadonlySet<string> = new Set([
  ...["node --test", "node --check", "bun test", "deno test", "deno fmt", "deno lint", "deno check", "php -l"],
]);
const MODULES_THAT_RUN: ReadonlySet<string> = new Set([
  "timeit",
  "cProfile",
  "profile",
  "pdb",
  "trace",
  "code",
  "runpy",
]);

function dangerOfWrite({ start, segments }: PathPattern): Danger | null {
  const [first] = segments;
  if (start !== "root" && start !== "home") return null;
  if (first === "**" || (first?.length === 1 && first[0] === "star"))
    return {
      kind: "any_file",
      reason: `It allows to write everything below ${start === "home" ? "your home" : "`/`"}.`,
    };
  return null;
}

function baseName(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}

function any(reason: string): Danger {
  return { kind: "any_command", reason };
}

function shape(reason: string): Danger {
  return { kind: "unsafe_shape", reason };
}

function host(reason: string): Danger {
  return { kind: "any_host", reason };
}
