/**
 * Whether a tool call may run. The boundary is the sandbox and the flow of information; rules are what people want beyond it.
 *
 * J1: deny beats ask beats allow, over every part of a call and over everything that is asked here.
 * J2: a permission mode never switches the sandbox off, and never opens a sink that a label closes.
 * J3: what is not understood is not allowed on its word.
 * J4: what a phase or the session's own list of tools leaves out is denied, whatever rules say.
 */
import type { SessionConfig } from "../kernel/config.ts";
import type { PermissionRule } from "../kernel/permissions.ts";
import { MEMORY_SCOPES, REMEMBER_TOOL } from "../kernel/memory.ts";
import { isProtectedPath } from "../kernel/protected-paths.ts";
import { isSecretPath } from "../kernel/secret-paths.ts";
import { fetchDestination, readFetchAddress } from "../kernel/url-host.ts";
import { isInstructionFile } from "./flow/instruction-files.ts";
import { bringsIn, type BringsIn } from "./flow/sources.ts";
import { isGranted, openDomains, standsAgainst } from "./flow/sinks.ts";
import type { CallReading } from "./call-reading.ts";
import { inPhase, phaseView } from "./phases.ts";
import type { JudgeRequest, JudgeStanding } from "./standing.ts";
import type { Decision, RuleVerdict, SinkUse, Verdict } from "./verdict.ts";

export interface Judgement extends Verdict {
  readonly brings_in: BringsIn;
}

interface View {
  readonly decision: Decision;
  readonly reason: string;
  readonly rule?: PermissionRule | null;
}

const STRENGTH: { readonly [D in Decision]: number } = { allow: 0, ask: 1, deny: 2 };

/** Whether a judgement needs the call read (`readCall`): loading what reads rules and commands takes some time. */
export function needsReading(request: JudgeRequest, standing: JudgeStanding): boolean {
  const { tool, effect } = request;
  const { config, label } = inPhase(request, standing);
  if (config.permissions.rules.length > 0) return true;
  if (effect === "read" || effect === "write") return false;
  return (
    config.permission_mode !== "default" || (tool === "bash" && (hasNetwork(config) || label.untrusted.length > 0))
  );
}

/** @param reading null where `needsReading` says that none is needed */
export function judge(request: JudgeRequest, standing: JudgeStanding, reading: CallReading | null): Judgement {
  const { config } = standing;
  const ruled = reading?.ruled ?? null;
  const flow = judgeFlow(request, standing, reading);
  const views: readonly View[] = [
    ownView(request, inPhase(request, standing), ruled),
    guard(request, ruled),
    flow.view,
  ];
  const strongest =
    phaseView(request, standing, ruled) ??
    views.reduce((a, b) => (STRENGTH[b.decision] > STRENGTH[a.decision] ? b : a));
  const view = answered(strongest, config);
  return {
    decision: view.decision,
    reason: view.reason,
    rule: view.rule ?? null,
    parts: ruled?.parts ?? [],
    sink: flow.sink,
    network_withheld: flow.network_withheld,
    brings_in: bringsIn(request, hasNetwork(config) && !flow.network_withheld, config.sandbox.mode, reading),
  };
}

const OPEN: View = { decision: "allow", reason: "" };

/** Rules and mode, and where they say nothing what the workspace and the sandbox make of it. */
function ownView(request: JudgeRequest, standing: JudgeStanding, ruled: RuleVerdict | null): View {
  const { tool, effect } = request;
  const { config } = standing;
  if (ruled !== null && decides(ruled, config))
    return { decision: ruled.decision, reason: ruled.reason, rule: ruled.rule };
  if (effect === "read") return { decision: "allow", reason: "reads stay inside the workspace" };
  if (config.permission_mode === "plan")
    return { decision: "deny", reason: "the permission mode `plan` changes nothing" };
  if (effect === "write") return { decision: "allow", reason: "writes stay inside the workspace" };
  if (effect === "network" && isInvited(request, standing))
    return { decision: "allow", reason: "the user named this address, or granted its host" };
  if (effect === "network") return { decision: "ask", reason: `no rule allows ${tool} to go there` };
  if (config.sandbox.mode === "bwrap") return { decision: "allow", reason: "confined by the sandbox" };
  if (config.sandbox.mode === "external")
    return { decision: "allow", reason: "the container or machine around belay is the boundary (--sandbox external)" };
  if (config.approval === "allow") return { decision: "allow", reason: "--no-sandbox was said" };
  return { decision: "ask", reason: "there is no sandbox" };
}

/** What the user wrote themselves, or granted beforehand, needs no rule besides. */
function isInvited({ tool, input }: JudgeRequest, { userWrote, label, config, now }: JudgeStanding): boolean {
  if (tool !== "web_fetch") return false;
  const url = String(input["url"] ?? "");
  const destination = fetchDestination({ url });
  if (destination === null) return false;
  return userWrote(url) || isGranted({ sink: "network", destination }, { label, flow: config.flow, now });
}

/**
 * A rule that matched decides, and so does a mode. What rules merely do not know is left to the sandbox: but a command that could
 * not be read is asked about where some rule forbids commands or wants to be asked.
 */
function decides({ by, decision }: RuleVerdict, { permissions, permission_mode }: SessionConfig): boolean {
  if (by === "rule") return true;
  if (by === "mode") return permission_mode !== "default";
  if (by === "built_in") return permission_mode === "plan";
  if (permission_mode === "plan" || by !== "unread") return false;
  return decision !== "allow" && permissions.rules.some(({ behavior }) => behavior !== "allow");
}

/** What no session changes or reads without a word, whatever its mode: what steers other tools, and where secrets lie. */
function guard({ effect, input }: JudgeRequest, ruled: RuleVerdict | null): View {
  const path = typeof input["path"] === "string" ? input["path"] : null;
  if (path === null || (ruled?.by === "rule" && ruled.decision === "allow")) return OPEN;
  if (effect === "write" && isProtectedPath(path))
    return { decision: "ask", reason: `${path} steers other programs (a protected path)` };
  if (isSecretPath(path)) return { decision: "ask", reason: `${path} is where secrets lie` };
  return OPEN;
}

interface FlowView {
  readonly view: View;
  readonly sink: SinkUse | null;
  readonly network_withheld: boolean;
}

const NO_FLOW: FlowView = { view: OPEN, sink: null, network_withheld: false };

/** J2. */
function judgeFlow(request: JudgeRequest, standing: JudgeStanding, reading: CallReading | null): FlowView {
  const { config, label, now } = standing;
  const of = { label, flow: config.flow, now };
  // A command that openly writes what steers agents is asked about like the tool is; what it hides waits for whoever merges.
  const steered: SinkUse | null =
    reading?.configures == null ? null : { sink: "configuration", destination: reading.configures };
  const steers = steered === null ? null : standsAgainst(steered, of);
  if (steers !== null) return { ...NO_FLOW, sink: steered, view: { decision: "ask", reason: steers } };
  const sink = sinkOf(request, config);
  if (sink === null) return NO_FLOW;
  const against = standsAgainst(sink, of);
  if (request.tool === "web_fetch") {
    if (against === null || isOpenAddress(request, standing, reading)) return { ...NO_FLOW, sink };
    return { ...NO_FLOW, sink, view: { decision: "ask", reason: against } };
  }
  if (against === null) return { ...NO_FLOW, sink };
  if (request.effect !== "execute") return { ...NO_FLOW, sink, view: { decision: "ask", reason: against } };
  // A sandboxed command runs on without the network; elsewhere only what is known to stay offline, and inside, does.
  if (config.sandbox.mode === "bwrap") {
    const open = config.sandbox.network ? [] : openDomains(config.confinement.domains, of);
    return { ...NO_FLOW, sink, network_withheld: open.length < Math.max(1, config.confinement.domains.length) };
  }
  const harmless = reading !== null && reading.offline && reading.inside;
  return harmless ? { ...NO_FLOW, sink } : { ...NO_FLOW, sink, view: { decision: "ask", reason: against } };
}

/**
 * An address is a message to its host. One that the user wrote is the user's message. One that a rule welcomes is open where the
 * web itself named it: whoever wrote it there knew nothing of what the session holds, so it can carry nothing out but which of
 * them was chosen. To what is secret not even that is open.
 */
function isOpenAddress({ input }: JudgeRequest, standing: JudgeStanding, reading: CallReading | null): boolean {
  if (standing.label.secret.length > 0) return false;
  const url = String(input["url"] ?? "");
  const welcome = reading?.ruled.by === "rule" && reading.ruled.decision === "allow";
  return standing.userWrote(url) || (welcome && (standing.webNamed(url) || isFrontPage(url, reading.ruled)));
}

/** Of the one host that the rule names: there is nothing to choose. */
function isFrontPage(url: string, { rule }: RuleVerdict): boolean {
  const read = readFetchAddress(url);
  if (!read.ok || rule?.rule !== `WebFetch(domain:${read.address.host})`) return false;
  return /^https?:\/\/[^/]+\/$/.test(read.address.href);
}

/** Where a call acts outside, or on what steers later sessions; null where it does not. */
function sinkOf({ tool, effect, input }: JudgeRequest, config: SessionConfig): SinkUse | null {
  if (tool === REMEMBER_TOOL)
    return { sink: "memory", destination: MEMORY_SCOPES.find((scope) => scope === input["scope"]) ?? "project" };
  if (tool === "web_fetch") {
    const url = String(input["url"] ?? "");
    return { sink: "network", destination: fetchDestination({ url }) ?? url };
  }
  if (effect === "network") {
    const server = /^mcp__(.+?)__/.exec(tool)?.[1];
    return server === undefined ? { sink: "network", destination: tool } : { sink: "mcp", destination: server };
  }
  if (effect === "write" && typeof input["path"] === "string" && isInstructionFile(input["path"]))
    return { sink: "configuration", destination: input["path"] };
  if (effect === "execute" && hasNetwork(config)) {
    const { domains } = config.confinement;
    return {
      sink: "network",
      destination: config.sandbox.network || domains.length === 0 ? "anywhere" : domains.join(", "),
    };
  }
  return null;
}

/** Whether a command can reach anything outside. */
function hasNetwork({ sandbox, confinement }: SessionConfig): boolean {
  return sandbox.mode !== "bwrap" || sandbox.network || confinement.domains.length > 0;
}

/** What becomes of a question where nobody is asked. */
function answered(view: View, { permissions, permission_mode }: SessionConfig): View {
  if (view.decision !== "ask") return view;
  if (permission_mode === "dontAsk")
    return { ...view, decision: "deny", reason: `${view.reason}, and the mode \`dontAsk\` asks nobody` };
  if (permissions.on_ask === "deny")
    return { ...view, decision: "deny", reason: `${view.reason}, and nobody is asked here (--on-ask deny)` };
  return view;
}
