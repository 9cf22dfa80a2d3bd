/** One phase ends, the next begins: the model is told what it is about, and what it may use. */
import type { SessionConfig } from "../kernel/config.ts";
import type { Draft } from "../kernel/events/index.ts";
import { phaseOfRun } from "../kernel/model-in-use.ts";
import type { Step } from "../kernel/step.ts";

export function nextPhase(
  { from, to }: Extract<Step, { readonly kind: "next_phase" }>,
  config: SessionConfig,
): readonly Draft[] {
  return changed(from, to, config);
}

/** What a run may do names its phase: the one that was planned, `plan`, or `work`. @param present null where there is none */
export function phaseDrafts(present: string | null, config: SessionConfig): readonly Draft[] {
  const phase = phaseOfRun(config, present);
  return phase === present ? [] : changed(present, phase, config);
}

/** From the first of the planned phases on, also where it is the present one. */
export function phasesAnew(present: string | null, config: SessionConfig): readonly Draft[] {
  return changed(present, phaseOfRun(config, null), config);
}

function changed(from: string | null, to: string | null, config: SessionConfig): readonly Draft[] {
  return [
    ...(from === null ? [] : [{ kind: "PhaseLeft", data: { phase: from } } satisfies Draft]),
    ...(to === null ? [] : [{ kind: "PhaseEntered", data: { phase: to, say: phaseNote(config, to) } } satisfies Draft]),
  ];
}

/** What the model is told when a phase begins; null where the phase was not planned. */
export function phaseNote({ phases }: SessionConfig, name: string): string | null {
  const phase = phases.find((one) => one.name === name);
  if (phase === undefined) return null;
  const { tools, read_only, instructions } = phase;
  const may = tools === null ? "all tools" : `only these tools: ${tools.join(", ")}`;
  const rules = `You may use ${may}${read_only ? ", and change nothing" : ""}. Other calls are denied. When the phase is done, answer without a tool call.`;
  const at = phases.indexOf(phase) + 1;
  return [`<phase name="${name}">`, `Phase ${at} of ${phases.length}. ${rules}`, instructions ?? "", "</phase>"]
    .filter((line) => line !== "")
    .join("\n");
}
