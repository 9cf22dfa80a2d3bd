/**
 * The tool runner: intent → snapshot → run under a signal, a limit and a heartbeat → receipt. Reads of a batch run
 * together; a change runs alone, after a snapshot.
 *
 * R1: a changing call starts only when its intent, and the tree to go back to, are durable.
 * R2: every started call gets exactly one result, whatever the tool does; one that ignores its signal is left behind after
 *     a grace and its late result is dropped.
 */
import { ERROR_TABLE } from "../kernel/error-kind.ts";
import { type PlainPart, textPart } from "../kernel/content.ts";
import { CLEAN_LABEL, isUntrusted } from "../kernel/label.ts";
import type { Draft } from "../kernel/events/index.ts";
import { HarnessError, InvariantError } from "../kernel/harness-error.ts";
import type { BlobHash, ToolCallId, TreeHash } from "../kernel/ids.ts";
import { invariant } from "../kernel/harness-error.ts";
import type { ToolCall } from "../kernel/state.ts";
import { cameAcross } from "../policy/flow/sources.ts";
import { presentToolContent } from "../policy/injection/present.ts";
import { parseToolInput } from "../tool/registry.ts";
import type { Tool, ToolContext, ToolOutput, ToolStop } from "../tool/tool.ts";
import type { CommandNetwork, PreparedCommand } from "../workspace/shell.ts";
import { agentStarter } from "./agents/run-agent.ts";
import { commandNetwork } from "./command-network.ts";
import { endOverreaching, noteReach } from "./waiting-commands.ts";
import { goneCalls } from "./gone-tools.ts";
import { inputOf, type Judging, openCall, staysInside } from "./judge-tools.ts";
import { pastOutput, withoutRepeated } from "./past-output.ts";
import { calledTool } from "./tool-list.ts";
import { memoryKeeper } from "./memory/keeper.ts";
import type { Drive } from "./run.ts";

/** How long a tool may take to end after its signal aborted, in milliseconds. */
const ABORT_GRACE_MS = 4_000;
const HEARTBEAT_MS = 5_000;
const WITHHELD =
  "this ran without network: the session has taken in text of strangers, and a grant for the host is needed (--grant)";

export interface Planned {
  readonly call: ToolCall;
  readonly tool: Tool;
  /** With secrets put back. */
  readonly input: unknown;
  readonly limit_ms: number;
  readonly confined: boolean;
}

export async function runTools(ids: readonly ToolCallId[], run: Drive): Promise<readonly Draft[]> {
  const gone = goneCalls(ids, run);
  if (gone.length > 0) return gone; // what is left is decided anew
  const planned = ids.map((id) => plan(openCall(run.state(), id), run));
  await endOverreaching(run);
  const prepared = prepareCommand(planned, run);
  try {
    await recordIntent(planned, run);
    await runAll(planned, run);
  } finally {
    await (await prepared)?.drop();
  }
  return run.signal.aborted ? [] : run.project.due(planned.map(({ call }) => call));
}

/**
 * R3: the process of a command may be made while its call's intent is journaled: held, so that nothing of the command runs before
 * the process itself is journaled too, and ended when the call does not take it.
 */
async function prepareCommand([first, ...others]: readonly Planned[], run: Drive): Promise<PreparedCommand | null> {
  const command = others.length === 0 ? first?.tool.command?.(first.input) : undefined;
  if (command === undefined || command.includes("\0") || run.signal.aborted) return null;
  try {
    const [workspace, shell] = await Promise.all([run.workspace(), run.shell()]);
    const network = networkOf(first?.call, run);
    return shell.prepare?.({ command, cwd: workspace.root, interactive: false, network }) ?? null;
  } catch (error) {
    if (error instanceof HarnessError) return null; // the call itself meets it, and says so
    throw error;
  }
}

async function runAll(planned: readonly Planned[], run: Drive): Promise<void> {
  // Each result is durable as soon as it is there: a cancel or a crash keeps what is finished. The last one goes with the
  // next record, which follows at once (E4).
  let open = planned.length;
  const keep = async (one: Planned): Promise<void> => {
    const result = await runOne(one, run);
    open -= 1;
    if (open === 0) await run.stage(result);
    else await run.record(result);
  };
  await allOrFirstError(planned.map(keep));
}

export function plan(call: ToolCall, run: Judging): Planned {
  const { tool } = calledTool(call.part, run.host.tools);
  invariant(tool !== undefined, "invariant R0: only judged calls of known tools are run");
  const { workspace } = run.config();
  const parsed = parseToolInput(tool, inputOf(call, tool, run));
  invariant(parsed.ok, "invariant R0: the input was parsed when the call was judged");
  const repeatable = tool.repeatable?.(parsed.value) ?? true;
  return {
    call,
    tool,
    input: parsed.value,
    limit_ms: Math.min(tool.limitOf?.(parsed.value) ?? tool.limit_ms, tool.limit_max_ms),
    confined: staysInside(tool, run.config()) && repeatable && workspace.mode !== "in_place",
  };
}

/** R1. The call begins when its intent is durable and the file clock has moved past its mark. */
async function recordIntent(planned: readonly Planned[], run: Drive): Promise<void> {
  // What acts on the network does so from belay itself, and changes no file.
  const changing = planned.find(({ tool }) => tool.effect === "write" || tool.effect === "execute");
  if (changing === undefined) {
    await run.record(planned.map((one) => started(one, null, null)));
    return;
  }
  const mark = (await run.workspace()).markFileClock();
  const journaled = snapshotBefore(changing, run).then((snapshot) => {
    const intents = planned.map((one) => started(one, snapshot?.tree ?? null, mark.at_ms));
    return run.record([...(snapshot?.drafts ?? []), ...intents]);
  });
  await Promise.all([journaled, mark.passed]);
}

function started({ call, tool, confined, limit_ms }: Planned, tree: TreeHash | null, file_time: number | null): Draft {
  const data = { call: call.part.call, tool: tool.name, tree, file_time, confined, limit_ms };
  return { kind: "ToolStarted", causation: call.asked_seq, data };
}

async function snapshotBefore(
  one: Planned,
  run: Drive,
): Promise<{ readonly tree: TreeHash; readonly drafts: readonly Draft[] } | null> {
  const known = run.state().workspace;
  if (known === null || !known.snapshots) return null;
  // Nothing of ours ran since the last tree was taken, and nobody else works in a private workspace.
  if (!run.state().dirty && run.config().workspace.mode !== "in_place") return { tree: known.tree, drafts: [] };
  await run.settle();
  const started = run.host.clock.monotonic();
  const workspace = await run.workspace();
  const { tree, files, left_out } = await workspace.snapshot();
  const duration_ms = Math.round(run.host.clock.monotonic() - started);
  const data = {
    tree,
    call: one.call.part.call,
    files,
    left_out: left_out.map((left) => ({ ...left, paths: [...left.paths] })),
    duration_ms,
  };
  return { tree, drafts: [{ kind: "WorkspaceSnapshotted", data }] };
}

async function runOne(planned: Planned, run: Drive): Promise<readonly Draft[]> {
  const { call, tool, input } = planned;
  const { clock } = run.host;
  const started = clock.monotonic();
  const stop = new AbortController();
  const done = new AbortController();
  const cancel = (): void => {
    stop.abort("canceled" satisfies ToolStop);
  };
  run.signal.addEventListener("abort", cancel, { once: true });
  if (run.signal.aborted) cancel();
  void clock
    .sleep(planned.limit_ms, done.signal)
    .then(() => (done.signal.aborted ? undefined : stop.abort("timed_out" satisfies ToolStop)));
  const heartbeat = heartbeats(call.part.call, started, done.signal, run);
  try {
    const context = await contextOf(planned, stop.signal, run);
    const output = await Promise.race([tool.run(input, context), leftBehind(stop.signal, done.signal, tool, run)]);
    noteReach(run.interactive, context.network);
    return receipt(planned, output, clock.monotonic() - started, run);
  } catch (error) {
    return receipt(planned, crashed(error), clock.monotonic() - started, run);
  } finally {
    done.abort("done"); // a reason: without one the runtime makes an error, with its stack
    run.signal.removeEventListener("abort", cancel);
    await heartbeat;
  }
}

async function contextOf(planned: Planned, signal: AbortSignal, run: Drive): Promise<ToolContext> {
  const { call } = planned;
  const id = call.part.call;
  return {
    workspace: await run.workspace(),
    shell: await run.shell(),
    signal,
    clock: run.host.clock,
    limit_ms: planned.limit_ms,
    network: networkOf(call, run),
    interactive: run.interactive,
    memories: memoryKeeper(call, run),
    onProcess: async (process) => {
      await run.record([{ kind: "ToolProcessStarted", data: { call: id, process } }]);
    },
    onProgress: (text) => run.delta({ type: "tool_progress", call: id, text }),
    skills: run.project.skills,
    agents: agentStarter(id, run),
    pastOutput: (call) => pastOutput(call, run),
    keep: (text): Promise<BlobHash> =>
      run.host.store.putBlob(run.state().tenant, Buffer.from(run.redactor.redact(text).text, "utf8")),
  };
}

/** R2. */
async function leftBehind(stop: AbortSignal, done: AbortSignal, tool: Tool, run: Drive): Promise<ToolOutput> {
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener("abort", () => resolve(), { once: true });
  });
  await run.host.clock.sleep(ABORT_GRACE_MS, done);
  const status = (stop.reason as ToolStop) === "timed_out" ? "timed_out" : "canceled"; // only `runOne` aborts this signal
  const say = `The tool ${tool.name} did not end when it was stopped; what it still does is unknown.`;
  return { status, content: [textPart(say, { from: "belay" })], output: null, exit: null };
}

/** A failure that the run can go on with is a result; any other ends the run and leaves the call to the next one. */
function crashed(error: unknown): ToolOutput {
  if (error instanceof InvariantError) throw error;
  if (error instanceof HarnessError && ERROR_TABLE[error.kind].handling !== "surface") throw error;
  const text = error instanceof HarnessError ? error.message : `The tool failed unexpectedly: ${String(error)}`;
  return { status: "error", content: [textPart(text, { from: "belay" })], output: null, exit: null };
}

function receipt(planned: Planned, output: ToolOutput, took: number, run: Drive): readonly Draft[] {
  const { call } = planned;
  const notes = [
    ...(call.note === null ? [] : [call.note]),
    ...(call.judged?.network_withheld === true ? [WITHHELD] : []),
  ];
  const note = notes.map((text) => textPart(`[${text}]`, { from: "belay" }));
  const { parts, findings } = presentToolContent(labelled(call, withoutRepeated(output.content, run.state())), {
    nonce: () => run.host.ids.trace(),
  });
  const id = call.part.call;
  const finished: Draft = {
    kind: "ToolFinished",
    actor: "tool",
    data: {
      call: id,
      status: output.status,
      content: [...note, ...parts],
      output: output.output,
      exit: output.exit,
      duration_ms: Math.round(took),
    },
  };
  if (findings.length === 0) return [finished];
  return [{ kind: "InjectionSuspected", data: { call: id, findings: [...findings] } }, finished];
}

/** The judgement said what the call brings in: every part of its result carries it. */
function labelled({ judged }: ToolCall, content: readonly PlainPart[]): readonly PlainPart[] {
  const brings_in = judged?.brings_in ?? { untrusted: null, secret: null };
  const { secret } = brings_in;
  const untrusted = brings_in.untrusted ?? cameAcross(content.flatMap(printed));
  if (untrusted === null && secret === null) return content;
  return content.map((part) => ({
    ...part,
    origin: {
      ...part.origin,
      ...(untrusted === null || isUntrusted(part.origin) ? {} : { untrusted: true }),
      ...(secret === null ? {} : { secret: true }),
    },
  }));
}

function printed(part: PlainPart): readonly string[] {
  return part.type === "text" && part.origin.from !== "belay" ? [part.text] : [];
}

/** As it was judged: what has come in since does not count against a call that was allowed before. */
function networkOf(call: ToolCall | undefined, run: Drive): CommandNetwork {
  const withheld = call?.judged?.network_withheld === true;
  return commandNetwork(run.config(), withheld ? run.state().label : CLEAN_LABEL, run.host.clock.now());
}

async function heartbeats(call: ToolCallId, started: number, done: AbortSignal, run: Drive): Promise<void> {
  const { clock } = run.host;
  for (;;) {
    await clock.sleep(HEARTBEAT_MS, done);
    if (done.aborted) return;
    run.delta({ type: "tool_heartbeat", call, running_ms: Math.round(clock.monotonic() - started) });
  }
}

/** Waits for all, so that no sibling is left running, then throws the first error there was. */
async function allOrFirstError(work: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  const failed = settled.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
}
