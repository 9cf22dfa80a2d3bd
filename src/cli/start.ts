/** What `run` and `resume` do: read the task, look at the surroundings, put the host together, and follow the session. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Host } from "../engine/host.ts";
import { type LiveSession, resumeSession, startSession } from "../engine/session.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import { loadSession } from "../store/journal.ts";
import type { Store } from "../store/port.ts";
import { probeSandbox } from "../workspace/sandbox-probe.ts";
import { createGit } from "../workspace/git.ts";
import {
  findRepository,
  isGitDirectory,
  requireSupported,
  resolveRevision,
  type UserRepository,
} from "../workspace/source.ts";
import type { Face } from "./face.ts";
import { failureOf } from "./failure.ts";
import { follow } from "./follow.ts";
import { createHost } from "./command-host.ts";
import { createPrompter, hasPerson } from "./question.ts";
import { createRunOutput, type RunOutput } from "./run-output.ts";
import { chosenSession, withStore } from "./session-choice.ts";
import {
  changeOf,
  configOf,
  confinement,
  type Confinement,
  DEFAULT_MODEL,
  requireSameConfinement,
  type OutputMode,
  type ResumeOptions,
  type RunOptions,
} from "./settings.ts";
import { readTask, taskOf } from "./task.ts";
import { paintFor } from "./view/paint.ts";
import { safeLine } from "./view/safe-text.ts";
import { warmUp } from "./warm-up.ts";

/** Below belay's home. */
const SESSIONS_DIRECTORY = "sessions";
/** Where git is looked for without a PATH, and the locale of what it says. */
const PATH_DEFAULT = "/usr/local/bin:/usr/bin:/bin";
const LOCALE = "C.UTF-8";

interface Started {
  readonly face: Face;
  readonly debug: boolean;
}

export interface RunRequest extends Started {
  readonly words: readonly string[];
  readonly options: RunOptions;
}

export async function runTask(request: RunRequest): Promise<number> {
  const { face, options } = request;
  return driven(request, options.output, async (output, person) => {
    const sandbox = probeSandbox();
    warmUp();
    const cwd = directoryOf(face, options);
    const paint = paintFor(face.out.colors);
    output.note(paint.dim(`belay: ${safeLine(options.model ?? DEFAULT_MODEL)} in ${safeLine(cwd)}`));
    const task = await readTask({ words: request.words, stdin: face.stdin, cwd });
    const repository = findRepository(cwd);
    const source = repository?.top ?? null;
    if (options.inPlace === true) refuseWholeMachine(source ?? cwd, face);
    const usable = requireUsable(face, { cwd, repository, base: options.base ?? null }); // beside the sandbox's trial
    usable.catch(() => undefined); // awaited below, after what is said first
    const confined = confinement(options, { sandbox: await sandbox, terminal: person });
    for (const warning of warnings(options, confined)) output.note(paint.yellow(warning));
    const config = configOf(options, confined, source !== null);
    await usable;
    return (host) =>
      startSession(host, {
        task: task.parts,
        title: task.title,
        config,
        place: { cwd, source: source ?? cwd, sessions: join(face.environment.home, SESSIONS_DIRECTORY) },
      });
  });
}

export interface ResumeRequest extends Started {
  readonly id: string | undefined;
  readonly options: ResumeOptions;
}

export async function resumeTask(request: ResumeRequest): Promise<number> {
  const { face, options } = request;
  return driven(request, options.output, async (output, person) => {
    const task = options.message === undefined ? null : await taskOf(options.message, face.cwd);
    return async (host, store) => {
      const session = await chosenSession(store, request.id, face.cwd);
      const { config } = (await loadSession(store, LOCAL_TENANT, session)).state;
      if (config !== null) requireSameConfinement(config, { sandbox: await probeSandbox(), terminal: person });
      output.note(paintFor(face.out.colors).dim(`belay: resuming session ${session}`));
      if (task === null && options.verify === undefined && (await isCompleted(store, session)))
        output.note("It is completed: nothing is left to do. Say what more with --message.");
      return resumeSession(host, { session, message: task === null ? null : task.parts, change: changeOf(options) });
    };
  });
}

async function isCompleted(store: Store, session: SessionId): Promise<boolean> {
  const { status, outcome } = (await store.getSession(LOCAL_TENANT, session))?.summary ?? {};
  return status !== "running" && outcome === "completed";
}

type Launch = (host: Host, store: Store) => Promise<LiveSession>;

/** Says in the mode's own way when the run cannot even be started. */
async function driven(
  { face, debug }: Started,
  mode: OutputMode,
  plan: (output: RunOutput, person: boolean) => Promise<Launch>,
): Promise<number> {
  const output = createRunOutput(mode, face);
  const person = mode === "text" && hasPerson(face);
  try {
    const launch = await plan(output, person);
    requireModel(face);
    return await withStore(face, async (store) => {
      const host = createHost({ face, store, prompter: person ? createPrompter(face, output) : null });
      const live = await launch(host, store);
      return follow({ face, host, live, output, debug, person });
    });
  } catch (error) {
    output.failed(failureOf(error));
    throw error;
  }
}

interface Sought {
  readonly cwd: string;
  readonly repository: UserRepository | null;
  readonly base: string | null;
}

/** The workspace is prepared while the model is asked already: what would fail then for sure is said before it costs. */
async function requireUsable({ environment }: Face, { cwd, repository, base }: Sought): Promise<void> {
  if (repository === null) {
    if (!isGitDirectory(cwd)) return;
    throw new HarnessError("repo_unsupported", `${cwd} is a repository without files.`, "Work in a clone of it.");
  }
  const { PATH: path = PATH_DEFAULT } = environment.all;
  const git = createGit({ path, locale: LOCALE });
  await requireSupported(git, repository);
  if (base !== null) await resolveRevision(git, repository, base);
}

/** Before anything is started: a session that cannot say a word is of no use to anybody. */
function requireModel({ environment }: Face): void {
  const { baseUrl } = environment;
  if (baseUrl !== undefined && !/^https?:$/.test(URL.parse(baseUrl)?.protocol ?? "")) {
    throw new HarnessError(
      "config_invalid",
      `ANTHROPIC_BASE_URL is "${baseUrl}", which is no address of a server.`,
      "Set it to one that begins with https:// or http://, or unset it.",
    );
  }
  if (environment.apiKey !== undefined || environment.authToken !== undefined) return;
  throw new HarnessError(
    "auth",
    "There is no key for the model.",
    "Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) in the environment; it is read from nowhere else. `npm run demo` needs none.",
  );
}

/** The workspace refuses it too; said here, it costs no call. */
function refuseWholeMachine(directory: string, { environment }: Face): void {
  if (directory !== "/" && directory !== environment.userHome) return;
  throw new HarnessError(
    "workspace_refused",
    `${directory} is not a project.`,
    "Choose a project directory with --cwd.",
  );
}

function directoryOf(face: Face, { cwd }: RunOptions): string {
  const directory = resolve(face.cwd, cwd ?? ".");
  if (!existsSync(directory) || !statSync(directory).isDirectory())
    throw new HarnessError("usage", `${directory} is no directory.`, "Correct --cwd.");
  try {
    accessSync(directory, constants.R_OK | constants.X_OK);
  } catch (cause) {
    throw new HarnessError("usage", `${directory} may not be read.`, "Choose another with --cwd.", { cause });
  }
  return directory;
}

/** What is said aloud because it takes protection away. */
function warnings(options: RunOptions, confined: Confinement): readonly string[] {
  return [
    ...(!options.sandbox
      ? [
          "! --no-sandbox: commands run unconfined, as you. They can read your keys, change any file and use the network.",
        ]
      : []),
    ...(confined.approval === "ask"
      ? [
          "! There is no sandbox here: you are asked before every command. `apt-get install bubblewrap` makes that unnecessary.",
        ]
      : []),
    ...(options.allowNetwork === true
      ? [
          "! --allow-network: commands can send what they read anywhere, and after a crash none is undone and run again.",
        ]
      : []),
    ...(options.inPlace === true ? ["! --in-place: the agent works in your own files."] : []),
  ];
}
