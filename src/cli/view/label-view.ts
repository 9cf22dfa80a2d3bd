/** `sessions show --labels` for people. */
import type { LabelReport, LabelRise, SinkJudgement } from "../../observe/labels.ts";
import type { Paint } from "./paint.ts";
import { safeLine } from "./safe-text.ts";
import { truncated } from "./width.ts";

const LABELS = { untrusted: "text of strangers", secret: "secrets" } as const;

export function labelLines({ rises, sinks }: LabelReport, paint: Paint): readonly string[] {
  return [
    paint.bold("What came in"),
    ...(rises.length === 0 ? ["  nothing but the user's own"] : rises.map((rise) => riseLine(rise, paint))),
    "",
    paint.bold("What would have gone out, or steered later sessions"),
    ...(sinks.length === 0 ? ["  nothing"] : sinks.flatMap((one) => sinkLines(one, paint))),
  ];
}

function riseLine({ label, seq, turn, what, by }: LabelRise, paint: Paint): string {
  const through = by === null ? "" : paint.dim(`, by ${truncated(safeLine(by), 100)}`);
  return `  ${paint.yellow(LABELS[label])}: ${safeLine(what)}${through} ${paint.dim(`(turn ${turn}, event ${seq})`)}`;
}

function sinkLines(one: SinkJudgement, paint: Paint): readonly string[] {
  const colour = one.decision === "allowed" ? paint.green : one.decision === "denied" ? paint.red : paint.yellow;
  const from = one.because.map(({ what }) => safeLine(what)).join(", ");
  return [
    `  ${colour(one.decision)}: ${one.sink} to ${safeLine(one.destination)} ${paint.dim(`(turn ${one.turn}, event ${one.seq})`)}`,
    `    ${truncated(safeLine(one.tool), 160)}`,
    `    ${safeLine(one.reason)}`,
    ...(from === "" ? [] : [paint.dim(`    the session had taken in: ${from}`)]),
  ];
}
