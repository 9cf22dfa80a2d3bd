/** What a command of the session may reach now: what it was configured with, less what the session's label takes away. */
import type { SessionConfig } from "../kernel/config.ts";
import type { SessionLabel } from "../kernel/label.ts";
import { openDomains, standsAgainst } from "../policy/flow/sinks.ts";
import type { CommandNetwork } from "../workspace/shell.ts";

/** Where a command with the whole network acts, as the policy names it. */
const ANYWHERE = { sink: "network", destination: "anywhere" } as const;

export function commandNetwork(
  { sandbox, confinement, flow }: Pick<SessionConfig, "sandbox" | "confinement" | "flow">,
  label: SessionLabel,
  now: number,
): CommandNetwork {
  const standing = { label, flow, now };
  if (sandbox.network && standsAgainst(ANYWHERE, standing) === null) return "all";
  const domains = openDomains(confinement.domains, standing);
  return domains.length === 0 ? "none" : { domains };
}

/** Set-up has the whole network, which is what it is for; not where it would run what strangers wrote. */
export function setupNetwork(config: SessionConfig, label: SessionLabel, now: number): CommandNetwork {
  return standsAgainst(ANYWHERE, { label, flow: config.flow, now }) === null
    ? "all"
    : commandNetwork(config, label, now);
}

/**
 * Why a command of belay's own steps (set-up, verification) must not run, or null. It runs what the workspace says, which may be
 * what strangers say by now; without a sandbox of belay's own the network cannot be taken away from it.
 */
export function standsAgainstOwn(
  { sandbox, flow }: Pick<SessionConfig, "sandbox" | "flow">,
  label: SessionLabel,
  now: number,
): string | null {
  return sandbox.mode === "bwrap" ? null : standsAgainst(ANYWHERE, { label, flow, now });
}
