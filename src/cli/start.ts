/** What `run` and `resume` do: read the task, look at the surroundings, put the host together, and follow the session. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Host } from "../engine/host.ts";
import { requireNoBatch } from "../engine/no-batch.ts";
import { GOES_ON_ELSEWHERE, type LiveSession, resumeSession, startSession } from "../engine/session.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import { loadSession } from "../store/journal.ts";
import { createPriceTable } from "../model/prices.ts";
import { systemClock } from "../host/system-clock.ts";
import type { SessionConfig } from "../kernel/config.ts";
import type { Review } from "../engine/going-on.ts";
import { windowAfter } from "../engine/known-window.ts";
import type { SessionState } from "../kernel/state.ts";
import type { ChosenModel } from "../kernel/model-policy.ts";
import type { Store } from "../store/port.ts";
import { probeSandbox } from "../workspace/sandbox/probe.ts";
import { createGit } from "../workspace/git/git.ts";
import {
  findRepository,
  isGitDirectory,
  requireSupported,
  resolveRevision,
  type UserRepository,
} from "../workspace/prepare/source.ts";
import { agentDefinitions, requireAgentProviders } from "./agent-definitions.ts";
import type { Face } from "./face.ts";
import { failureOf } from "./failure.ts";
import { follow } from "./follow.ts";
import { createHost } from "./command-host.ts";
import { requirePricedForTenant, unpricedModels, unpricedNotes } from "./priced.ts";
import { chosenModel, modelText, requireProvider } from "./providers.ts";
import { createPrompter, hasPerson } from "./question.ts";
import { readSettings, type Settings } from "./resolved-settings.ts";
import { createRunOutput, type RunOutput } from "./run-output.ts";
import { asBegun, changeOf, configOf } from "./session-config.ts";
import { said as saidPolicy, startPolicy } from "./session-policy.ts";
import type { PermissionSettings } from "./permission-settings.ts";
import { projectKey } from "./project-key.ts";
import { settledPermissions } from "./project-trust.ts";
import { forkOf } from "./ci-fork.ts";
import { chosenSession, withStore } from "./session-choice.ts";
import {
  confinement,
  type Confinement,
  requireSameConfinement,
  type OutputMode,
  type ResumeOptions,
  type RunOptions,
  workspaceChoice,
} from "./settings.ts";
import { listenForSignals } from "./signals.ts";
import { boundaryHealth, choiceText, surroundingsOf } from "./surroundings.ts";
import { fileLines, readTask, type Task, taskOf } from "./task.ts";
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
  /** Instead of the words: one that was read already. */
  readonly task?: Task;
}

export async function runTask(request: RunRequest): Promise<number> {
  const { face, options } = request;
  return driven(request, options.output, async (output, person, settings) => {
    const sandbox = probeSandbox();
    const choice = chosenModel(options.model, face.environment.providers, settings);
    warmUp(choice.provider);
    const cwd = directoryOf(face, options);
    const paint = paintFor(face.out.colors);
    const greeting = `belay: ${safeLine(modelText(choice))} in ${safeLine(cwd)}`;
    const { ci } = face.environment;
    if (ci === null) output.note(paint.dim(greeting));
    const settle = (): Promise<PermissionSettings> =>
      settledPermissions(face, { cwd, cli: saidPolicy(options), person, say: (line) => output.note(line) });
    // Where nobody is asked, the settings are read beside what follows.
    const early = person ? null : settle();
    early?.catch(() => undefined); // awaited below
    const { task = await readTask({ words: request.words, stdin: face.stdin, cwd, files: options.file ?? [] }) } =
      request;
    for (const line of fileLines(task.files)) output.note(paint.dim(line));
    const repository = findRepository(cwd);
    const source = repository?.top ?? null;
    const usable = requireUsable(face, { cwd, repository, base: options.base ?? null }); // beside the sandbox's trial
    usable.catch(() => undefined); // awaited below, after what is said first
    const surroundings = surroundingsOf(await sandbox, person, face.environment);
    const confined = confinement(options, surroundings);
    const workspace = workspaceChoice(options, confined, { isRepository: source !== null, ci });
    if (workspace.mode === "in_place") refuseWholeMachine(source ?? cwd, face);
    // A log is read from its first line on: what was chosen for the reader stands there.
    if (ci !== null) output.note(paint.dim(`${greeting}, ${choiceText(confined.mode, workspace)}`));
    for (const warning of warnings(options, confined)) output.note(paint.yellow(warning));
    const untrusted = options.untrusted ?? forkOf(face.environment.all);
    const wanted = untrusted === null ? options : { ...options, untrusted };
    const permissions = await (early ?? settle());
    const policy = startPolicy(wanted, permissions, person);
    const kinds = await agentDefinitions(face, settings, { source: source ?? cwd, untrusted: untrusted !== null });
    for (const finding of kinds.findings) output.note(paint.yellow(`! ${safeLine(finding)}`));
    const around = { agents: kinds.defined };
    const config = configOf(options, { model: choice, confined, workspace: workspace.mode, policy, around }, settings);
    await usable;
    const unpriced = await requireModels(config, { face, settings, output });
    return async (host, store) => {
      await requirePricedForTenant(unpriced, store, settings.user_path);
      const project = await projectKey(store, { directory: cwd, path: face.environment.all["PATH"] });
      return startSession(host, {
        task: task.parts,
        title: task.title,
        config: { ...config, memory: { ...config.memory, project } },
        health: boundaryHealth(confined.mode, surroundings),
        place: { cwd, source: source ?? cwd, sessions: join(face.environment.home, SESSIONS_DIRECTORY) },
      });
    };
  });
}

export interface NextTask {
  readonly task: Task;
  readonly options: ResumeOptions;
  /** The options that it begins with in place of what the task before it had; absent: that stays. */
  readonly begins?: RunOptions;
}

export interface ResumeRequest extends Started {
  readonly id: string | undefined;
  readonly options: ResumeOptions;
  /** Another task, which begins with a fresh conversation, and what is said for it. */
  readonly next?: (state: SessionState) => Promise<NextTask>;
  /** Whose last session is meant where none is named. Default the current directory. */
  readonly cwd?: string;
  /** Instead of the message: one that was read already. */
  readonly task?: Task;
}

export async function resumeTask(request: ResumeRequest): Promise<number> {
  const { face, cwd = face.cwd } = request;
  return driven(request, request.options.output, async (output, person, settings) => {
    const paint = paintFor(face.out.colors);
    const said = request.task ?? (await messageOf(request.options, cwd));
    return async (host, store) => {
      const session = await chosenSession(store, request.id, cwd);
      const { row, state } = await loadSession(store, LOCAL_TENANT, session);
      requireNoBatch(state, GOES_ON_ELSEWHERE);
      const { config } = state;
      const say = (line: string): void => output.note(line);
      const going: Omit<NextTask, "task"> & { readonly task: Task | null } =
        request.next === undefined ? { task: said, options: request.options } : await request.next(state);
      const { task, options, begins } = going;
      for (const line of fileLines(task?.files ?? [])) output.note(paint.dim(line));
      const source = existsSync(row.place.source) ? row.place.source : face.cwd;
      const permissions = await settledPermissions(face, {
        cwd: source,
        cli: saidPolicy(options, config),
        person,
        say,
      });
      const begun =
        begins === undefined
          ? (config: SessionConfig) => config
          : asBegun(begins, chosenModel(begins.model, face.environment.providers, settings), settings);
      const changed = changeOf(options, { settings, permissions, person });
      const wanted = (present: SessionConfig): SessionConfig => changed(begun(present));
      const window = config === null ? null : await windowAfter(config, wanted(config), host.prices);
      const change = (present: SessionConfig): SessionConfig => {
        const next = wanted(present);
        return { ...next, context: { ...next.context, window } };
      };
      const surroundings = surroundingsOf(await probeSandbox(), person, face.environment);
      if (config !== null) {
        requireSameConfinement(change(config), surroundings);
        const unpriced = await requireModels(change(config), { face, settings, output });
        await requirePricedForTenant(unpriced, store, settings.user_path);
      }
      const fresh = request.next !== undefined;
      const about = fresh && task !== null ? `: ${safeLine(task.title)}` : "";
      output.note(paint.dim(`belay: ${fresh ? "a fresh conversation in" : "resuming"} session ${session}${about}`));
      if (
        task === null &&
        options.verify === undefined &&
        options.approve !== true &&
        (await isCompleted(store, session))
      )
        output.note("It is completed: nothing is left to do. Say what more with --message.");
      return resumeSession(host, {
        session,
        message: task === null ? null : task.parts,
        change,
        review: reviewOf(options, state),
        fresh,
        repin: options.repin === true,
        health: boundaryHealth(config?.sandbox.mode ?? "none", surroundings),
      });
    };
  });
}

/** @throws HarnessError `usage` */
async function messageOf({ message, file = [] }: ResumeOptions, cwd: string): Promise<Task | null> {
  if (message !== undefined) return taskOf(message, cwd, file);
  if (file.length === 0) return null;
  throw new HarnessError("usage", "--file was said without --message.", 'Say what the file is for: --message "…".');
}

/** A message to a session that waits for a review is the remark of whoever looked. */
function reviewOf({ approve, message }: ResumeOptions, { end }: SessionState): Review | null {
  const waits = end?.outcome === "needs_review";
  if (approve === true) return { by: REVIEWER, remark: message ?? null };
  return waits && message !== undefined ? { by: REVIEWER, remark: message } : null;
}

/** As the answers to approvals have it. */
const REVIEWER = "the user (belay resume)";

async function isCompleted(store: Store, session: SessionId): Promise<boolean> {
  const { status, outcome } = (await store.getSession(LOCAL_TENANT, session))?.summary ?? {};
  return status !== "running" && outcome === "completed";
}

/**
 * Before anything is started: providers that can be used, and prices where caps of money were asked for.
 * @returns models without a price
 */
async function requireModels(
  config: Omit<SessionConfig, "versions">,
  {
    face,
    settings,
    output,
  }: { readonly face: Face; readonly settings: Settings; readonly output: Pick<RunOutput, "note"> },
): Promise<readonly ChosenModel[]> {
  const { phases, fallback } = config.models;
  const used = [{ provider: config.provider }, ...fallback, ...Object.values(phases)];
  for (const provider of new Set(used.map((one) => one.provider))) requireProvider(provider, face);
  requireAgentProviders(config, face);
  const unpriced = await unpricedModels(config, createPriceTable({ overrides: settings.prices }));
  for (const note of unpricedNotes(unpriced, config, settings.user_path))
    output.note(paintFor(face.out.colors).yellow(safeLine(note)));
  return unpriced;
}

type Launch = (host: Host, store: Store) => Promise<LiveSession>;

/** Says in the mode's own way when the run cannot even be started. */
async function driven(
  { face, debug }: Started,
  mode: OutputMode,
  plan: (output: RunOutput, person: boolean, settings: Settings) => Promise<Launch>,
): Promise<number> {
  const output = createRunOutput(mode, face);
  const person = mode === "text" && hasPerson(face);
  let driving: SessionId | null = null;
  const signals = listenForSignals({
    monotonic: () => systemClock.monotonic(),
    leave: (code) => {
      if (driving !== null) output.note(`left at once; \`belay resume ${driving}\` goes on from the last event.`);
      process.exit(code);
    },
  });
  try {
    const settings = readSettings(face.environment.home);
    const launch = await plan(output, person, settings);
    return await withStore(face, async (store) => {
      const host = createHost({ face, store, prompter: person ? createPrompter(face, output) : null, settings });
      const live = await launch(host, store);
      driving = live.session;
      return follow({ face, host, live, output, signals, debug, person });
    });
  } catch (error) {
    output.failed(failureOf(error));
    throw error;
  } finally {
    signals.quiet();
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
    ...(confined.mode === "none" && confined.approval === "allow"
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
