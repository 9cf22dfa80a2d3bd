/** A recorded scenario as the YAML that a person reads, and changes. */
import { stringify } from "yaml";
import type { Recording } from "./scenario-of.ts";

const LINE_CHARS = 100;

export function scenarioText(recording: Recording, session: string): string {
  const { scenario, answers, faults, left_out } = recording;
  const head = [
    `# Recorded from ${session}: ${answers} answer(s), ${faults} failed call(s).`,
    "# Secrets are tokens, as in the journal. Every key: docs/emulator.md",
    ...left_out.map(
      ({ turn, kind }) => `# Left out before turn ${turn}: a call that failed with ${kind}; no server can do that.`,
    ),
  ];
  return `${head.join("\n")}\n${stringify(scenario, { lineWidth: LINE_CHARS })}`;
}
