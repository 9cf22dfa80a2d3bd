/**
 * The shell with a sandbox: bubblewrap gives every command its own namespaces of processes, mounts, network, IPC and
 * users, without capabilities, and takes them all away when the command, or belay, ends.
 *
 * W1: no command is started outside the sandbox, whatever goes wrong: then there is none (`sandbox_failed`).
 * W2: nothing of the sandbox outlives belay: its first process dies with the outer one, which dies with belay, and a
 *     command that was not released never runs.
 * W3: what was prepared is taken by a start of exactly that command, or ended by whoever prepared it.
 */
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Readable } from "node:stream";
import type { Clock } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { lazy } from "../../kernel/lazy.ts";
import { HeldCommand } from "../process/command.ts";
import { holdInNamespace } from "../process/hold.ts";
import { identityOf } from "../process/identity.ts";
import { capProcesses, kernelLimits, serveLast } from "../process/kernel-limits.ts";
import type { CommandLimits } from "../process/limits.ts";
import { openOutputPipe } from "../process/pipe.ts";
import { findProgram, requireBash } from "../process/programs.ts";
import { namespaceReach } from "../process/reach.ts";
import { spawnHeld } from "../process/spawn.ts";
import { hasCode, namespaceOf } from "../process/table.ts";
import { terminalCommand } from "../process/pty.ts";
import { type Egress, openEgress } from "./egress.ts";
import { commandEnvironment } from "./environment.ts";
import { kernelCovers } from "./kernel.ts";
import { Placeholders } from "./placeholders.ts";
import { type MountPlan, planMounts, realDirectory, type SandboxLayout } from "./mounts.ts";
import type { BwrapProbe } from "./probe.ts";
import { scanWorkspace, type WorkspaceFindings } from "./scan.ts";
import { proxyEnvironment, relayMounts, START_RELAY } from "./relay.ts";
import { relocations } from "./toolchains.ts";
import type {
  CommandNetwork,
  ExpectedCommand,
  PreparedCommand,
  RunningCommand,
  Shell,
  ShellCommand,
} from "../shell.ts";

/** The machine may change while the mounts are planned (a socket goes away): then it is planned once more. */
const START_ATTEMPTS = 2;
/** The first processes of a namespace that are belay's: the sandbox's own, the supervising script, and the relay where there is one. */
const OWN_PROCESSES = 2;
/** Of a command's memory, what each of the places in memory (`/run`, `/var/tmp`, `/dev/shm`) may hold: it does not count otherwise. */
const SHARE_OF_PLACE = 0.25;
/** What the sandbox says about itself on one line of JSON. */
const INFO_BYTES_MAX = 8_192;

export interface BwrapShellOptions extends SandboxLayout {
  /** What `probeSandbox` found. */
  readonly sandbox: BwrapProbe;
  /** belay's environment; an allow list of it is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Of every command, with what it starts. */
  readonly limits: CommandLimits;
  /** Secrets of the workspace that commands may read all the same: paths relative to it. */
  readonly readableSecrets: readonly string[];
}

export function createBwrapShell(options: BwrapShellOptions): Shell {
  const ground: Ground = {
    options,
    placeholders: new Placeholders(options.tree),
    findings: lazy(() =>
      scanWorkspace({ root: realDirectory(options.root), tree: options.tree, readable: options.readableSecrets }),
    ),
  };
  let early: EarlyStart | null = null;
  return {
    mode: "bwrap",
    start: async (command) => {
      const taken = early?.fits(command) === true ? early : null;
      if (taken !== null) early = null;
      const held = (await taken?.started) ?? null;
      return held === null ? start(ground, command) : release(options, held, command);
    },
    prepare: (command) => {
      if (early !== null) return NOTHING_PREPARED;
      const mine = new EarlyStart(command, startEarly(ground, command));
      early = mine;
      return {
        drop: async () => {
          if (early !== mine) return;
          early = null;
          await (await mine.started)?.held.abandon();
        },
      };
    },
  };
}

/** What the commands of one shell have in common. */
interface Ground {
  readonly options: BwrapShellOptions;
  readonly placeholders: Placeholders;
  readonly findings: () => Promise<WorkspaceFindings>;
}

const NOTHING_PREPARED: PreparedCommand = { drop: () => Promise.resolve() };

/** W3. A held process that waits for its start. */
class EarlyStart {
  readonly started: Promise<Ready | null>;
  readonly #command: ExpectedCommand;

  constructor(command: ExpectedCommand, started: Promise<Ready | null>) {
    this.#command = command;
    this.started = started;
  }

  fits({ command, cwd, interactive, network }: ExpectedCommand): boolean {
    const mine = this.#command;
    const same_network = JSON.stringify(networkOf(mine.network)) === JSON.stringify(networkOf(network));
    return mine.command === command && mine.cwd === cwd && mine.interactive === interactive && same_network;
  }
}

/** Null when it did not come to be held: the start itself tries again, and says why it fails. */
async function startEarly(ground: Ground, command: ExpectedCommand): Promise<Ready | null> {
  try {
    return await readyOf(ground, await startHeld(ground, command));
  } catch (error) {
    if (error instanceof HarnessError) return null;
    throw error;
  }
}

interface HeldStartUp {
  readonly held: HeldCommand;
  /** The way out of a command that may reach some hosts; it ends with the sandbox. */
  readonly egress: Egress | null;
  /** The first process of the sandbox; null when there is none. */
  readonly pid: number | null;
}

interface Ready extends HeldStartUp {
  readonly pid: number;
}

/** Null when it did not come to be held; then it is ended. */
async function readyOf({ options }: Ground, { held, egress, pid }: HeldStartUp): Promise<Ready | null> {
  if (pid !== null && (await held.isHeld())) {
    serveLast(pid, namespaceOf(pid));
    await capProcesses(pid, options.limits);
    return { held, egress, pid };
  }
  await held.abandon();
  return null;
}

function release(
  options: BwrapShellOptions,
  { held, egress, pid }: Ready,
  command: ShellCommand,
): Promise<RunningCommand> {
  const identity = identityOf(pid);
  if (egress !== null && command.onBlocked !== undefined) egress.report(command.onBlocked);
  const { limits, root, scratch } = options;
  const reach = namespaceReach(identity, egress === null ? OWN_PROCESSES : OWN_PROCESSES + 1);
  return held.release(identity, reach, command, { limits, written: [root, scratch.tmp] });
}

function networkOf(network: ShellCommand["network"]): CommandNetwork {
  if (typeof network === "boolean") return network ? "all" : "none";
  // An empty list allows nothing: then there is nothing to relay either.
  return typeof network === "object" && network.domains.length === 0 ? "none" : network;
}

async function start(ground: Ground, command: ShellCommand): Promise<RunningCommand> {
  let complaint = "";
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const started = await startHeld(ground, command);
    const ready = await readyOf(ground, started);
    if (ready !== null) return release(ground.options, ready, command);
    complaint = started.held.complaint;
  }
  throw new HarnessError(
    "sandbox_failed",
    `The sandbox did not start: ${complaint || "it ended without a word"}.`,
    "No command runs outside it: repair it, then resume.",
  );
}

async function startHeld(ground: Ground, command: ExpectedCommand): Promise<HeldStartUp> {
  const { options, placeholders } = ground;
  const plan = planMounts(options, {
    network: networkOf(command.network) === "all",
    findings: await ground.findings(),
    version: options.sandbox.version,
    memory_bytes: Math.max(1, Math.floor(options.limits.memory_bytes * SHARE_OF_PLACE)),
  });
  const stands_on = placeholders.hold(plan.placeholders);
  hideFromGit(options, plan.placeholders);
  const release = once(() => {
    placeholders.release(stands_on);
  });
  try {
    const { child, ...started } = await spawnSandbox(options, plan, command);
    for (const end of ["exit", "error"]) child.once(end, release);
    return { ...started, pid: await firstProcessOf(child) };
  } catch (error) {
    release();
    throw error;
  }
}

/** Where git looks for what a person never wants to see, below the HOME of commands. */
const GIT_IGNORE = ".config/git/ignore";

/** What covers stand on is nothing to git: to clean it away, or to stash it, would fail. */
function hideFromGit({ root, scratch }: BwrapShellOptions, paths: readonly string[]): void {
  const file = join(scratch.home, GIT_IGNORE);
  if (paths.length === 0 || existsSync(file)) return;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, paths.map((path) => `/${relative(realDirectory(root), path)}/\n`).join(""), { flag: "wx" });
  } catch (error) {
    // A command has made something else of it, or a start beside this one was earlier: the cover holds all the same.
    if (!["EEXIST", "ENOTDIR", "EACCES", "ELOOP"].some((code) => hasCode(error, code))) throw error;
  }
}

/** A process that could not be started may be said to have failed and to have ended. */
function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
}

interface Spawned extends Pick<HeldStartUp, "held" | "egress"> {
  readonly child: ChildProcess;
}

async function spawnSandbox(options: BwrapShellOptions, plan: MountPlan, command: ExpectedCommand): Promise<Spawned> {
  const bash = requireBash(options.path);
  const words = command.interactive
    ? terminalCommand(findProgram("script"), bash, command.command)
    : [bash, "-c", command.command];
  const network = networkOf(command.network);
  const pipe = await openOutputPipe(options.scratch.tmp);
  const egress = await openWayOut(options, network);
  const before = [kernelLimits(options.limits), egress === null ? "" : START_RELAY].join("\n");
  const argv = [
    ...options.sandbox.namespaces,
    ...(network === "all" ? ["--share-net"] : []),
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox", "--info-fd", "4"],
    ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", ...kernelCovers()],
    ...plan.arguments,
    ...(egress === null ? [] : relayMounts(egress.path)),
    ...["--chdir", realDirectory(command.cwd), "--", bash, "-c", holdInNamespace(before), "belay", ...words],
  ];
  const child = spawnHeld({
    program: options.sandbox.program,
    arguments: argv,
    // Any that exists; the command's own directory is set inside.
    cwd: "/",
    detached: false,
    interactive: command.interactive,
    channels: 2,
    pipe,
    // The environment goes the way of every process, not as arguments that anybody can list.
    environment: commandEnvironment({
      ...options,
      bash,
      home: realDirectory(options.scratch.home),
      tmp: "/tmp",
      interactive: command.interactive,
      network: network !== "none",
      proxy: egress === null ? {} : proxyEnvironment(),
      toolchains: relocations(options.home),
      uid: process.getuid?.() ?? null,
    }),
  });
  for (const end of ["exit", "error"]) child.once(end, () => egress?.close());
  return { child, egress, held: new HeldCommand({ child, pipe, clock: options.clock }) };
}

/** Beside the directories that commands see: one that may reach nothing must not find the way out of another. */
function openWayOut({ scratch }: BwrapShellOptions, network: CommandNetwork): Promise<Egress> | null {
  return typeof network === "object"
    ? openEgress({ domains: network.domains, directory: dirname(realDirectory(scratch.tmp)) })
    : null;
}

/** The pid, as we see it, of the first process in the sandbox; null when the sandbox ended before it told. */
function firstProcessOf(child: ChildProcess): Promise<number | null> {
  const info = child.stdio[4] as Readable; // started with a pipe there, above
  return new Promise((resolve) => {
    let text = "";
    info.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("utf8")).slice(0, INFO_BYTES_MAX);
      const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
      if (pid !== undefined && text.includes("}")) resolve(Number(pid));
    });
    const none = (): void => {
      resolve(null);
    };
    info.on("error", none);
    info.on("close", none);
    child.on("error", none);
  });
}
