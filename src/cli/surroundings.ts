/** What `run` and `resume` look at before a session: the sandbox, what is around belay, and what that means in words. */
import type { EventOf } from "../kernel/events/index.ts";
import { type ExternalProbe, probeExternal } from "../workspace/sandbox/external.ts";
import type { SandboxProbe } from "../workspace/sandbox/probe.ts";
import type { Environment } from "./environment.ts";
import type { Confinement, Surroundings, WorkspaceChoice } from "./settings.ts";

type Health = EventOf<"HealthChanged">["data"];

/** Evidence that is named; the rest says the same again. */
const EVIDENCE_NAMED_MAX = 3;

export function surroundingsOf(sandbox: SandboxProbe, terminal: boolean, environment: Environment): Surroundings {
  let found: ExternalProbe | null = null;
  const look = (): ExternalProbe =>
    probeExternal({ root: "/", platform: process.platform, environment: environment.all });
  return { sandbox, terminal, external: () => (found ??= look()) };
}

/** What the journal and people learn about a boundary that is not belay's own. */
export function boundaryHealth(mode: Confinement["mode"], { external }: Surroundings): readonly Health[] {
  if (mode !== "external") return [];
  const { verdict, evidence } = external();
  const rest = "belay itself confines no command, and their network is what it lets them have";
  if (verdict === "confirmed")
    return [{ subsystem: "sandbox", status: "ok", reason: `external, as declared: ${named(evidence)}; ${rest}` }];
  const reason = `external, as declared, and not confirmed (this system does not tell); ${rest}`;
  return [{ subsystem: "sandbox", status: "degraded", reason }];
}

function named(evidence: readonly string[]): string {
  return evidence.slice(0, EVIDENCE_NAMED_MAX).join(", ");
}

/** `sandbox external, in place (the default in …)`: for the first line of a log. */
export function choiceText(mode: Confinement["mode"], workspace: WorkspaceChoice): string {
  const where = { clone: "in a private clone", copy: "in a private copy", in_place: "in place" }[workspace.mode];
  return `sandbox ${mode}, works ${where}${workspace.why === null ? "" : ` (${workspace.why})`}`;
}
