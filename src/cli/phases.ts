/** The phases that a session can be told to go through: those that are built in, and a user's own. */
import type { Phase } from "../kernel/work-policy.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { PhaseDefinition } from "./work-sections.ts";

/** Everything but what writes files: what a command changes on its way (build output) is no work. */
const VERIFY_TOOLS = ["read", "grep", "glob", "bash", "web_fetch", "todo", "skill", "call_tool"] as const;

export const BUILT_IN_PHASES: readonly Phase[] = [
  {
    name: "explore",
    tools: null,
    read_only: true,
    instructions:
      "Find out what is there and what matters for the task. End with what you found, with paths and lines.",
  },
  {
    name: "plan",
    tools: null,
    read_only: true,
    instructions: "Decide what to change and why. Put the steps into your list. End with the plan.",
  },
  {
    name: "implement",
    tools: null,
    read_only: false,
    instructions: "Do what was planned, and nothing besides.",
  },
  {
    name: "verify",
    tools: [...VERIFY_TOOLS],
    read_only: false,
    instructions:
      "Run what proves the work: tests, checks, the program itself. Change no file. End with what you ran, what it said, and what is not proven.",
  },
];

type Listed = readonly (string | PhaseDefinition)[];

/** @param named those that are wanted, in order; @param own those of the settings @throws HarnessError `usage` */
export function phasesNamed(named: Listed, own: Listed | null): Phase[] {
  const known = new Map(BUILT_IN_PHASES.map((phase) => [phase.name, phase]));
  for (const one of [...(own ?? []), ...named]) if (typeof one !== "string") known.set(one.name, phaseOf(one));
  return named.map((one) => {
    const name = typeof one === "string" ? one : one.name;
    const phase = known.get(name);
    if (phase !== undefined) return phase;
    throw new HarnessError(
      "usage",
      `There is no phase "${name}".`,
      `The phases are ${[...known.keys()].join(", ")}; your own stand under \`phases\` in the settings (docs/narrow-scope.md).`,
    );
  });
}

function phaseOf({ name, tools, read_only = false, instructions }: PhaseDefinition): Phase {
  return { name, tools: tools ?? null, read_only, instructions: instructions ?? null };
}
