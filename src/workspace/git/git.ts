/**
 * The one way belay calls git. It owns the environment of every call, its time limit and its output cap.
 *
 * GIT1: the environment is built from nothing: no configuration of the system or the user, no prompt, no editor, no pager,
 *       no transport, no hook, no signing, no helper that a repository could name.
 * GIT2: the repository is always named (`GIT_DIR`), never discovered; so nobody's ownership is questioned either.
 * GIT3: a call ends within its limit, with its whole process group.
 *
 * With the user's own repository only `USER_COMMANDS` may run: plumbing that never runs what a configuration names.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { HarnessError } from "../../kernel/harness-error.ts";

/** What of the machine git needs. Handed in: nothing below the faces reads the environment. */
export interface GitSettings {
  /** The PATH that `git` is looked up in. */
  readonly path: string;
  /** For LC_ALL, such as `C.UTF-8`. */
  readonly locale: string;
  /** The program; `git` when absent. */
  readonly program?: string;
}

export interface GitRepository {
  readonly git_dir: string;
  readonly work_tree?: string;
  readonly index?: string;
  /** Where objects are written, when not in the repository's own store. */
  readonly objects?: string;
}

export interface GitCall {
  readonly args: readonly string[];
  readonly repository: GitRepository;
  /** Its current directory; the git directory when absent. */
  readonly cwd?: string;
  readonly input?: Uint8Array;
  /** Exit codes that are answers and no failures; only 0 when absent. */
  readonly codes?: readonly number[];
  /** Milliseconds since the epoch, for author and committer. */
  readonly date_ms?: number;
  readonly signal?: AbortSignal;
  readonly limit_ms?: number;
}

export interface GitAnswer {
  readonly code: number;
  readonly output: Buffer;
}

export type Git = (call: GitCall) => Promise<GitAnswer>;

/** Milliseconds one call may take. */
export const GIT_LIMIT_MS = 10 * 60_000;
/** Bytes of output one call may have. */
export const GIT_OUTPUT_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes of stderr that are kept, the last ones. */
const STDERR_BYTES_KEPT = 4_096;

/** What may run with the user's git directory. None looks at the working tree, none starts another program. */
export const USER_COMMANDS: readonly string[] = [
  "rev-parse",
  "rev-list",
  "symbolic-ref",
  "for-each-ref",
  "ls-files",
  "update-ref",
  "update-index",
  "check-attr",
];

/** Settings of the command line win over those of any repository. */
const PINNED: readonly (readonly [string, string])[] = [
  ["safe.directory", "*"],
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.splitIndex", "false"],
  ["core.pager", "cat"],
  ["core.editor", "false"],
  ["core.askPass", "false"],
  ["core.sshCommand", "false"],
  ["core.gitProxy", "false"],
  ["core.alternateRefsCommand", "false"],
  ["core.attributesFile", "/dev/null"],
  ["core.excludesFile", "/dev/null"],
  ["core.autocrlf", "false"],
  ["core.eol", "lf"],
  ["core.safecrlf", "false"],
  ["core.fileMode", "true"],
  ["core.symlinks", "true"],
  ["core.ignoreCase", "false"],
  ["core.precomposeUnicode", "false"],
  ["core.trustctime", "true"],
  ["core.checkStat", "default"],
  ["core.protectNTFS", "false"],
  ["core.protectHFS", "false"],
  ["core.logAllRefUpdates", "true"],
  ["credential.helper", ""],
  ["diff.external", "false"],
  ["interactive.diffFilter", "cat"],
  ["commit.gpgSign", "false"],
  ["tag.gpgSign", "false"],
  ["gpg.program", "false"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["submodule.recurse", "false"],
  ["protocol.allow", "never"],
  ["protocol.ext.allow", "never"],
  ["checkout.workers", "1"],
];

export function createGit(settings: GitSettings): Git {
  return (call) => run(settings, call);
}

function environment(settings: GitSettings, call: GitCall): Record<string, string> {
  const { repository } = call;
  const date = `${Math.floor((call.date_ms ?? 0) / 1000)} +0000`;
  const env: Record<string, string> = {
    PATH: settings.path,
    LC_ALL: settings.locale,
    TZ: "UTC",
    HOME: "/nonexistent",
    XDG_CONFIG_HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "false",
    SSH_ASKPASS: "false",
    GIT_SSH_COMMAND: "false",
    GIT_EDITOR: "false",
    GIT_SEQUENCE_EDITOR: "false",
    GIT_PAGER: "cat",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_NO_LAZY_FETCH: "1",
    // A list of allowed transports that names none: also a partial clone cannot fetch what it lacks.
    GIT_ALLOW_PROTOCOL: "none",
    GIT_AUTHOR_NAME: "belay",
    GIT_AUTHOR_EMAIL: "belay@localhost",
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: "belay",
    GIT_COMMITTER_EMAIL: "belay@localhost",
    GIT_COMMITTER_DATE: date,
    GIT_DIR: repository.git_dir,
    GIT_CONFIG_COUNT: String(PINNED.length),
  };
  PINNED.forEach(([key, value], n) => {
    env[`GIT_CONFIG_KEY_${n}`] = key;
    env[`GIT_CONFIG_VALUE_${n}`] = value;
  });
  if (repository.work_tree !== undefined) env["GIT_WORK_TREE"] = repository.work_tree;
  if (repository.index !== undefined) env["GIT_INDEX_FILE"] = repository.index;
  if (repository.objects !== undefined) env["GIT_OBJECT_DIRECTORY"] = repository.objects;
  return env;
}

function run(settings: GitSettings, call: GitCall): Promise<GitAnswer> {
  const name = call.args[0] ?? "";
  const cwd = call.cwd ?? call.repository.work_tree ?? call.repository.git_dir;
  const { promise, resolve, reject } = Promise.withResolvers<GitAnswer>();
  // A group of its own: a Ctrl+C at the terminal does not cut git in the middle, and a limit ends all of it.
  const child = spawn(settings.program ?? "git", call.args, {
    cwd,
    env: environment(settings, call),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const output: Buffer[] = [];
  let size = 0;
  let errors = "";
  let stopped: HarnessError | null = null;
  const stop = (error: HarnessError): void => {
    stopped ??= error;
    killGroup(child.pid);
  };
  const onAbort = (): void =>
    stop(new HarnessError("git_failed", `git ${name} was stopped.`, "Run the command again."));
  const limit_ms = call.limit_ms ?? GIT_LIMIT_MS;
  const timer = setTimeout(() => {
    stop(
      new HarnessError("git_failed", `git ${name} took more than ${limit_ms} ms.`, "Look at the disk, then try again."),
    );
  }, limit_ms);
  call.signal?.addEventListener("abort", onAbort, { once: true });
  if (call.signal?.aborted) onAbort();
  const settle = (): void => {
    clearTimeout(timer);
    call.signal?.removeEventListener("abort", onAbort);
  };

  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size <= GIT_OUTPUT_BYTES_MAX) output.push(chunk);
    else
      stop(
        new HarnessError("git_failed", `git ${name} wrote more than ${GIT_OUTPUT_BYTES_MAX} bytes.`, "Report this."),
      );
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors = (errors + chunk.toString("utf8")).slice(-STDERR_BYTES_KEPT);
  });
  // git may end before it has read all of its input (EPIPE): its exit code tells more than that.
  child.stdin.on("error", () => undefined);
  child.stdin.end(call.input);
  child.on("error", (cause: NodeJS.ErrnoException) => {
    settle();
    reject(startFailure(name, cwd, cause));
  });
  child.on("close", (code, signal) => {
    settle();
    if (stopped !== null) return reject(stopped);
    if (code !== null && (code === 0 || (call.codes?.includes(code) ?? false))) {
      return resolve({ code, output: Buffer.concat(output) });
    }
    const ending = code === null ? `was ended by ${signal ?? "a signal"}` : `failed with exit code ${code}`;
    const said = errors.trim().split("\n").slice(-5).join(" | ");
    reject(new HarnessError("git_failed", `git ${name} ${ending}: ${said}.`, "The message of git says why."));
  });
  return promise;
}

function startFailure(name: string, cwd: string, cause: NodeJS.ErrnoException): HarnessError {
  if (cause.code === "ENOENT" && existsSync(cwd)) {
    return new HarnessError("git_missing", "git was not found.", "Install git 2.30 or newer.", { cause });
  }
  return new HarnessError("git_failed", `git ${name} could not be started in ${cwd}.`, "Look whether it exists.", {
    cause,
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // errors of process.kill are system errors
  }
}

/** The same, held to what is harmless in a repository whose configuration is somebody else's. */
export function forUserRepository(git: Git): Git {
  return (call) => {
    const name = call.args[0] ?? "";
    if (!USER_COMMANDS.includes(name)) {
      throw new HarnessError(
        "internal",
        `git ${name} must not run in the user's repository.`,
        "Report this as a defect.",
      );
    }
    return git(call);
  };
}

/** One line of text that git answered. */
export function lineOf(answer: GitAnswer): string {
  return answer.output.toString("utf8").replace(/\n$/, "");
}
