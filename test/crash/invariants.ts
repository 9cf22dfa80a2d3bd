/** What holds after a session was killed anywhere and resumed to its end. Each problem is a sentence. */
import { isDeepStrictEqual } from "node:util";
import type { ChildEnd } from "../support/session-child.ts";
import { type CrashPlace, logOf, type Remains } from "./crash-place.ts";
import type { CrashScenario } from "./scenarios.ts";

export function problemsIn(
  scenario: CrashScenario,
  place: CrashPlace,
  ends: readonly ChildEnd[],
  remains: Remains,
  reference: Remains,
): readonly string[] {
  const last = ends.at(-1);
  const failure = last?.report?.error?.message ?? last?.stderr.slice(0, 500) ?? "";
  const { outcome, verification } = remains.row.summary;
  const expected = reference.row.summary;
  return [
    ...(outcome === expected.outcome ? [] : [`the outcome is ${String(outcome)}: ${failure}`]),
    ...(verification === expected.verification ? [] : [`the verification is ${String(verification)}`]),
    ...(last?.lines.some((line) => line.startsWith("refused ")) ? [last.lines.join(" ")] : []),
    ...lostEvents(ends, remains),
    ...callsWithoutOneResult(remains),
    ...remains.money,
    ...(scenario.unconfined || scenario.inPlace
      ? repeatedEffects(scenario, place, remains)
      : differentFiles(remains, reference)),
  ];
}

/** G1: every acknowledged event is stored, byte for byte. */
function lostEvents(ends: readonly ChildEnd[], { row, events }: Remains): readonly string[] {
  const stored = new Set(events.map((event) => `ack ${row.session} ${event.seq} ${event.hash}`));
  const acknowledged = ends.flatMap(({ lines }) => lines.filter((line) => line.startsWith(`ack ${row.session} `)));
  const lost = acknowledged.filter((line) => !stored.has(line));
  return lost.length === 0 ? [] : [`${lost.length} acknowledged events lost: ${lost[0] ?? ""}`];
}

function callsWithoutOneResult({ events }: Remains): readonly string[] {
  const asked = events.flatMap((event) =>
    event.kind === "ModelCallFinished"
      ? event.data.parts.flatMap((part) => (part.type === "tool_use" ? [part.call] : []))
      : [],
  );
  const answered = events.flatMap((event) => (event.kind === "ToolFinished" ? [event.data.call] : []));
  return isDeepStrictEqual([...asked].sort(), [...answered].sort()) ? [] : ["calls and results do not agree"];
}

/** G2, confined: what was half-done was undone and done again, so the files are those of an undisturbed run. */
function differentFiles(remains: Remains, reference: Remains): readonly string[] {
  const interrupted = remains.events.some(
    (event) => event.kind === "ToolFinished" && event.data.status === "interrupted",
  );
  return [
    ...(interrupted ? ["a confined call was reported as interrupted"] : []),
    ...(["workspace", "repository", "commits"] as const)
      .filter((part) => !isDeepStrictEqual(remains[part], reference[part]))
      .map((part) => `the ${part} differs: ${JSON.stringify(remains[part])} for ${JSON.stringify(reference[part])}`),
  ];
}

/** G2, not confined: an effect happened at most once, and one that is missing belongs to a call that the model was told of. */
function repeatedEffects(scenario: CrashScenario, place: CrashPlace, remains: Remains): readonly string[] {
  const lines = logOf(place, remains, scenario.inPlace === true);
  const twice = lines.filter((line, i) => lines.indexOf(line) !== i);
  const missing = ["one", "two", "three"].filter((line) => !lines.includes(line));
  const told = remains.events.filter((event) => event.kind === "ToolFinished" && event.data.status === "interrupted");
  return [
    ...(twice.length === 0 ? [] : [`done twice: ${twice.join(", ")}`]),
    ...(missing.length <= told.length ? [] : [`silently not done: ${missing.join(", ")}`]),
  ];
}
