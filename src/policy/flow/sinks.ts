/**
 * Sinks and what may go there: the table that decides by label. No session may at once have taken in text of strangers, hold
 * what is private, and act outside, without a person's yes or a grant written beforehand (the Rule of Two). Where acting is
 * harm by itself (a push, a comment, a change of somebody's data or of what steers later sessions) strangers' text alone is
 * enough to ask. Pure.
 */
import type { SessionLabel } from "../../kernel/label.ts";
import type { FlowPolicy, Grant, Sink } from "../../kernel/permissions.ts";
import type { SinkUse } from "../verdict.ts";

/** `read_out`: it can carry what is private to others. `changes`: it changes something outside, or what later sessions obey. */
const SINK_TABLE: { readonly [S in Sink]: "read_out" | "changes" } = {
  network: "read_out",
  push: "changes",
  mcp: "changes",
  comment: "changes",
  memory: "changes",
  configuration: "changes",
};

export interface FlowStanding {
  readonly label: SessionLabel;
  readonly flow: FlowPolicy;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** @returns why the sink is not open to this session, or null */
export function standsAgainst(use: SinkUse, { label, flow, now }: FlowStanding): string | null {
  const [stranger] = label.untrusted;
  if (stranger === undefined) return null;
  const secret = label.secret.length > 0;
  const holds_private = secret || !flow.public;
  if (SINK_TABLE[use.sink] === "read_out" && !holds_private) return null;
  if (isGranted(use, { label, flow, now })) return null;
  const what = secret ? "holds secrets" : holds_private ? "holds what is private" : "changes something outside";
  return `the session has taken in text of strangers (${stranger.what}) and ${what}: ${use.sink} to ${use.destination} needs a person's yes or a grant`;
}

/** Whether somebody said yes to this beforehand, for what the session holds now. */
export function isGranted(use: SinkUse, { label, flow, now }: FlowStanding): boolean {
  const needs = label.secret.length > 0 ? "secret" : "untrusted";
  return flow.grants.some((grant) => covers(grant, use, needs, now));
}

/** A secret is more than what is private: who granted the one did not grant the other. */
function covers(grant: Grant, use: SinkUse, needs: Grant["label"], now: number): boolean {
  if (grant.sink !== use.sink || (grant.expires_at !== null && grant.expires_at <= now)) return false;
  return (grant.label === "secret" || needs === "untrusted") && matches(grant.destination, use.destination);
}

/** `*.example.com` covers what is below it, and not `example.com` itself; a path ending in `/` covers what is below it. */
function matches(pattern: string, destination: string): boolean {
  if (pattern === destination) return true;
  if (pattern.startsWith("*.")) return pattern.length > 2 && destination.endsWith(pattern.slice(1));
  return pattern.endsWith("/") && destination.startsWith(pattern);
}

/** Of the hosts that commands may reach, those that are still open to this session. */
export function openDomains(domains: readonly string[], standing: FlowStanding): readonly string[] {
  return domains.filter((destination) => standsAgainst({ sink: "network", destination }, standing) === null);
}
