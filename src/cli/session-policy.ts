/** What options and settings come to for what a session may do: of a new one, and of one that goes on. */
import type { SessionConfig } from "../kernel/config.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { DEFAULT_CONFINEMENT, type Grant, type PermissionRule } from "../kernel/permissions.ts";
import { readDomain } from "./permission-sections.ts";
import { parseGrant, type PermissionRequest, type PermissionSettings } from "./permission-settings.ts";
import type { PolicyOptions } from "./policy-options.ts";
import type { CommonOptions } from "./settings.ts";

export type Policy = Pick<SessionConfig, "permission_mode" | "permissions" | "flow" | "confinement">;

type Options = PolicyOptions & Pick<CommonOptions, "permissionMode">;

/**
 * What the command line adds to the settings. Of a session that goes on, what was said for it before stays: its own rules, grants
 * and hosts. What the settings say is read anew, so that what was taken back there counts no more.
 * @throws HarnessError `usage`
 */
export function said(options: Options, before: Policy | null = null): NonNullable<PermissionRequest["cli"]> {
  const own = before?.permissions.rules.filter(({ source }) => source === "cli" || source === "session") ?? [];
  const mode = options.permissionMode ?? before?.permission_mode;
  return {
    rules: [...own.map(({ behavior, rule }) => ({ behavior, rule })), ...optionRules(options)],
    ...(mode === undefined ? {} : { mode }),
    grants: [...saidGrants(before), ...(options.grant ?? []).map((text) => ofCommandLine(parseGrant(text)))],
    domains: [...(before?.confinement.said_domains ?? []), ...(options.allowDomain ?? []).map(domain)],
  };
}

const SAID = "cli_";

function ofCommandLine(grant: Grant): Grant {
  return { ...grant, id: grant.id.replace(/^grt_/, SAID) };
}

function saidGrants(before: Policy | null): readonly Grant[] {
  return before?.flow.grants.filter(({ id }) => id.startsWith(SAID)) ?? [];
}

function domain(text: string): string {
  const read = readDomain(text);
  if ("value" in read) return read.value;
  throw new HarnessError("usage", `--allow-domain ${text} cannot be used.`, read.wrong);
}

/** @param person whether somebody is there to be asked */
export function startPolicy(options: Options, settings: PermissionSettings, person: boolean): Policy {
  return {
    permission_mode: settings.mode ?? "default",
    permissions: { rules: [...settings.rules], on_ask: options.onAsk ?? (person ? "prompt" : "deny") },
    flow: {
      grants: [...settings.grants],
      untrusted: options.untrusted ?? null,
      public: options.public ?? settings.public ?? false,
    },
    confinement: {
      ...DEFAULT_CONFINEMENT,
      ...settings.limits,
      domains: [...settings.domains],
      said_domains: settings.domains.filter((host) => options.allowDomain?.some((text) => domain(text) === host)),
      readable_secrets: [...settings.allow_read],
    },
  };
}

/** That the workspace holds text of strangers is never taken back. @param settings with what `said` makes of the session before */
export function changedPolicy(options: Options, before: Policy, settings: PermissionSettings, person: boolean): Policy {
  const now = startPolicy(options, settings, person);
  const { domains, said_domains } = now.confinement;
  const kept = before.confinement.said_domains.filter((host) => domains.includes(host));
  return {
    ...now,
    permissions: { ...now.permissions, on_ask: options.onAsk ?? (person ? "prompt" : unattended(before)) },
    flow: { ...now.flow, untrusted: before.flow.untrusted ?? now.flow.untrusted },
    confinement: { ...now.confinement, said_domains: [...new Set([...kept, ...said_domains])] },
  };
}

function unattended({ permissions }: Policy): "deny" | "wait" {
  return permissions.on_ask === "wait" ? "wait" : "deny";
}

function optionRules({
  allow = [],
  ask = [],
  deny = [],
}: PolicyOptions): readonly Pick<PermissionRule, "behavior" | "rule">[] {
  const lists = { allow, ask, deny } as const;
  return (["deny", "ask", "allow"] as const).flatMap((behavior) => lists[behavior].map((rule) => ({ behavior, rule })));
}
