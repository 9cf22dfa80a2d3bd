/**
 * The rule that a person is offered with a question: narrow enough that a yes to it is a yes to what was shown and to nothing of
 * another kind. Null where no such rule is known; then only this one call can be allowed.
 *
 * U1: an offered rule covers the call that was asked about.
 * U2: no rule is offered for what runs other text as a program (wrappers, interpreters, shells), for what was not read to the
 *     end (substitutions, expansions, redirects, lists), nor for files that steer other programs or hold secrets.
 * U3: for a question that a label or a rule of the user's own asks, a rule would change nothing: the caller offers none.
 */
import type { JsonObject } from "../../kernel/json.ts";
import { isProtectedPath } from "../../kernel/protected-paths.ts";
import { isSecretPath } from "../../kernel/secret-paths.ts";
import { readProgram } from "../shell/programs/read-program.ts";
import type { ShellWord } from "../shell/reading.ts";
import type { RuleVerdict } from "../verdict.ts";
import { dangerOf } from "./dangerous.ts";
import type { RuleRequest } from "./request.ts";
import { runsItsWords } from "./running-words.ts";
import { canonicalTool, pathOf } from "./tools.ts";

/** A rule that nobody can read at a glance is not offered. */
const RULE_CHARS_OFFERED_MAX = 160;

/** @param verdict what rules and mode said; absent where they said nothing */
export function suggestRule(
  request: RuleRequest,
  verdict?: Pick<RuleVerdict, "decision" | "rule" | "by">,
): string | null {
  if (verdict !== undefined && (verdict.rule !== null || verdict.by === "unread" || verdict.decision === "deny"))
    return null;
  const rule = ruleFor(request);
  if (rule === null || rule.length > RULE_CHARS_OFFERED_MAX) return null;
  return dangerOf(rule) === null ? rule : null;
}

function ruleFor({ tool, input }: RuleRequest): string | null {
  switch (canonicalTool(tool)) {
    case "Bash":
      return commandRule(input);
    case "WebFetch":
      return domainRule(input);
    case "Edit":
    case "Write":
      return editRule(input);
    default:
      return /^mcp__[A-Za-z0-9-]+(?:_[A-Za-z0-9-]+)*__[A-Za-z0-9_-]+$/.test(tool) ? tool : null;
  }
}

/**
 * A command of plain words and nothing else: in these characters bash finds no quoting, expansion, pattern, list, redirect or
 * comment, and the rule grammar no wildcard. A colon or a tilde only where they cannot mean anything.
 */
const PLAIN_COMMAND = /^(?!.*[=:]~)[A-Za-z0-9][A-Za-z0-9_.-]*(?: [A-Za-z0-9_./@%+,=-][A-Za-z0-9_./@%+,=:~^-]*)*$/;

/**
 * Programs that run what their words, their input or a file of the repository say, in another's name, elsewhere or later; and
 * those of the shell that change what later words mean.
 */
const RUNS_OTHERS = new Set(
  (
    "sh bash dash zsh ksh mksh fish csh tcsh ash busybox toybox env sudo su doas pkexec run0 runuser setpriv chroot unshare nsenter " +
    "xargs parallel find fd time timeout nice ionice nohup setsid stdbuf script expect watch entr flock exec eval command builtin " +
    "source trap alias unalias export declare typeset local readonly set shopt unset enable hash bind complete cd pushd popd " +
    "python pypy ruby irb perl php lua luajit tclsh wish node nodejs deno bun tsx osascript julia Rscript R guile racket scala groovy " +
    "jshell java erl elixir iex ghci runghc awk gawk mawk nawk sed ed ex vi vim nvim view emacs nano less more man most gdb lldb " +
    "strace ltrace perf ssh scp sftp rsync telnet nc ncat netcat socat docker podman nerdctl kubectl oc helm ansible vagrant " +
    "npx pnpx bunx uvx pipx corepack at batch crontab systemctl systemd-run launchctl tmux screen make gmake ninja just task " +
    "curl wget http https ftp lftp dd tee ln chmod chown install mount umount kill pkill killall rm rmdir shred truncate"
  ).split(" "),
);
/** Subcommands that change nothing with any option that belay knows of them: all of these options are one kind of call. */
const LOOKS: { readonly [program: string]: ReadonlySet<string> | undefined } = {
  git: new Set(
    "log diff show status blame shortlog describe rev-parse rev-list ls-files ls-tree merge-base".split(" "),
  ),
  npm: new Set(["ls", "list"]),
  cargo: new Set(["tree"]),
};
/** `python3.12`, `lua5.4`: a version is no other program. */
const VERSION = /[\d.]+$/;

function commandRule({ command, ...others }: JsonObject): string | null {
  if (typeof command !== "string" || others["process"] !== undefined || others["interactive"] === true) return null;
  if (!PLAIN_COMMAND.test(command)) return null;
  const words = command.split(" ").map((text): ShellWord => ({ text, plain: true }));
  const [program = "", subcommand = "", ...rest] = words.map(({ text }) => text);
  if (RUNS_OTHERS.has(program) || RUNS_OTHERS.has(program.replace(VERSION, ""))) return null;
  if (runsItsWords(words, []) || [subcommand, ...rest].some(steersOrHides)) return null;
  const reading = readProgram(words);
  if (reading.kind === "not_listed" || (reading.kind === "known" && reading.runs.length > 0)) return null;
  const looks = reading.kind === "known" && reading.effect === "read" && LOOKS[program]?.has(subcommand) === true;
  return looks ? `Bash(${program} ${subcommand} *)` : `Bash(${command})`;
}

/** Also as the value of an option: `--file=.env`. */
function steersOrHides(word: string): boolean {
  return [word, word.slice(word.indexOf("=") + 1)].some((path) => isProtectedPath(path) || isSecretPath(path));
}

function domainRule({ url }: JsonObject): string | null {
  if (typeof url !== "string" || !URL.canParse(url)) return null;
  const { protocol, hostname, port, username, password } = new URL(url);
  if ((protocol !== "https:" && protocol !== "http:") || port !== "" || username !== "" || password !== "") return null;
  // A name with a top-level domain: no address, no name of the local network.
  if (!/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(hostname)) return null;
  return `WebFetch(domain:${hostname})`;
}

/** The directory of the file, which lies in the workspace; a file at its top by itself. */
function editRule(input: JsonObject): string | null {
  const path = pathOf(input);
  if (path === null) return null;
  const parts = path.replace(/^\.\//, "").split("/");
  // Outside the workspace, with a pattern's characters, or not as a file system names it: nothing that a rule should be made of.
  if (!parts.every((part) => /^[A-Za-z0-9_@+,][A-Za-z0-9_.@+, -]*$/.test(part))) return null;
  if (isProtectedPath(path) || isSecretPath(path)) return null;
  return parts.length === 1 ? `Edit(${parts.join("/")})` : `Edit(${parts.slice(0, -1).join("/")}/**)`;
}
