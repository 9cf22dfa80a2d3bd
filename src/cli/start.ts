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
import type { Face } from "./face.ts";
import { failureOf } from "./failure.ts";
import { follow } from "./follow.ts";
import { createHost } from "./command-host.ts";
import { requirePricedForTenant, unpricedModels, unpricedNotes } from "./priced.ts";
import { chosenModel, modelText, requireProvider } from "./providers.ts";
import { createPrompter, hasPerson } from "./question.ts";
import { readSettings, type Settings } from "./resolved-settings.ts";
import { createRunOutput, type RunOutput } from "./run-output.ts";
import { changeOf, configOf } from "./session-config.ts";
import { said, startPolicy } from "./session-policy.ts";
import type { PermissionSettings } from "./permission-settings.ts";
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
      settledPermissions(face, { cwd, cli: said(options), person, say: (line) => output.note(line) });
    // Where nobody is asked, the settings are read beside what follows.
    const early = person ? null : settle();
    early?.catch(() => undefined); // awaited below
    const task = await readTask({ words: request.words, stdin: face.stdin, cwd });
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
    const config = configOf(options, { model: choice, confined, workspace: workspace.mode, policy }, settings);
    await usable;
    const unpriced = await requireModels(config, { face, settings, output });
    return async (host, store) => {
      await requirePricedForTenant(unpriced, store, settings.user_path);
      return startSession(host, {
        task: task.parts,
        title: task.title,
        config,
        health: boundaryHealth(confined.mode, surroundings),
        place: { cwd, source: source ?? cwd, sessions: join(face.environment.home, SESSIONS_DIRECTORY) },
      });
    };
  });
}

export interface ResumeRequest extends Started {
  readonly id: string | undefined;
  readonly options: ResumeOptions;
}

export async function resumeTask(request: ResumeRequest): Promise<number> {
  const { face, options } = request;
  return driven(request, options.output, async (output, person, settings) => {
    const task = options.message === undefined ? null : await taskOf(options.message, face.cwd);
    return async (host, store) => {
      const session = await chosenSession(store, request.id, face.cwd);
      const { row, state } = await loadSession(store, LOCAL_TENANT, session);
      requireNoBatch(state, GOES_ON_ELSEWHERE);
      const { config } = state;
      const say = (line: string): void => output.note(line);
      const source = existsSync(row.place.source) ? row.place.source : face.cwd;
      const permissions = await settledPermissions(face, { cwd: source, cli: said(options, config), person, say });
      const change = changeOf(options, { settings, permissions, person });
      const surroundings = surroundingsOf(await probeSandbox(), person, face.environment);
      if (config !== null) {
        requireSameConfinement(change(config), surroundings);
        const unpriced = await requireModels(change(config), { face, settings, output });
        await requirePricedForTenant(unpriced, store, settings.user_path);
      }
      output.note(paintFor(face.out.colors).dim(`belay: resuming session ${session}`));
      if (task === null && options.verify === undefined && (await isCompleted(store, session)))
        output.note("It is completed: nothing is left to do. Say what more with --message.");
      return resumeSession(host, {
        session,
        message: task === null ? null : task.parts,
        change,
        health: boundaryHealth(config?.sandbox.mode ?? "none", surroundings),
      });
    };
  });
}

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
