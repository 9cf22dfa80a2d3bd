/**
 * CONTINUITY: what must not be forgotten, as people and models read it. A projection of the journal, so it is right whatever a
 * model says, and the same in the workspace's file, in a compacted conversation and in a fresh one.
 */
import type { TextPart } from "../kernel/content.ts";
import type { Continuity, Lesson } from "../kernel/continuity.ts";
import { neutralise } from "../kernel/neutralise.ts";
import type { SessionState } from "../kernel/state.ts";
import { withoutMarks } from "./frame.ts";

/** Of the task as it is shown here; the whole of it stays in the conversation. Characters. */
const TASK_CHARS_MAX = 2_000;

/** Markdown. Ends with a newline. */
export function renderContinuity(state: SessionState): string {
  const { continuity } = state;
  const sections = [
    section("Task", taskLines(state)),
    section("State", stateLines(state)),
    section("Last checkpoint", checkpointLines(state)),
    section("Queue", queueLines(continuity)),
    section("Mistakes", lessonLines(continuity.mistakes)),
    section("Learnings", lessonLines(continuity.learnings)),
    section("Finished before", continuity.done.map(bullet)),
    section("Files changed lately", fileLines(continuity)),
  ];
  return `# CONTINUITY\n\n${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `## ${title}\n${lines.join("\n")}`;
}

/** What people typed, the latest last. */
export function userParts({ messages, inbox }: Pick<SessionState, "messages" | "inbox">): readonly TextPart[] {
  const said = messages.flatMap((message) => (message.role === "user" ? message.parts : []));
  return [...said, ...inbox].filter((part): part is TextPart => part.type === "text" && part.origin.from === "user");
}

function taskLines(state: SessionState): readonly string[] {
  const said = userParts(state);
  const [first] = said;
  if (first === undefined) return state.title === "" ? [] : [line(state.title)];
  const last = said.at(-1);
  const more = last === undefined || last === first ? [] : ["", "The user's latest message:", clip(last.text)];
  return [clip(first.text), ...more];
}

function stateLines({ session, turn, runs, phase, config, verified, end, workspace }: SessionState): readonly string[] {
  const phases = config?.phases.map(({ name }) => name) ?? [];
  return [
    bullet(`session ${session}, run ${runs}, turn ${turn}`),
    ...(phase === null ? [] : [bullet(`phase ${phase}${phases.includes(phase) ? ` (of ${phases.join(", ")})` : ""}`)]),
    ...(workspace !== null && workspace.snapshots
      ? [
          bullet(
            workspace.tree === workspace.base
              ? "no file changed so far"
              : `files as of tree ${workspace.tree.slice(0, 12)}`,
          ),
        ]
      : []),
    ...(config?.verify == null ? [] : [bullet(`verified by \`${line(config.verify)}\`: ${verifiedText(verified)}`)]),
    ...(end === null
      ? []
      : [bullet(`the last run ended: ${end.outcome}${end.error === null ? "" : ` (${line(end.error.message)})`}`)]),
  ];
}

function verifiedText(verified: SessionState["verified"]): string {
  if (verified === null) return "not yet";
  return verified.passed ? "passed" : "failed";
}

function checkpointLines({ checkpoints }: SessionState): readonly string[] {
  const last = checkpoints.at(-1);
  return last === undefined ? [] : [bullet(`${last.id}: ${line(last.label)} (turn ${last.turn})`)];
}

const MARKS = { pending: "[ ]", active: "[>]", done: "[x]" } as const;

function queueLines({ queue }: Continuity): readonly string[] {
  return queue.map(({ text, status }) => `- ${MARKS[status]} ${line(text)}`);
}

function lessonLines(lessons: readonly Lesson[]): readonly string[] {
  return lessons.map(({ turn, what }) => bullet(`turn ${turn}: ${what}`));
}

function fileLines({ files }: Continuity): readonly string[] {
  return files.slice(-10).map(({ path, turn }) => bullet(`${path} (turn ${turn})`));
}

function bullet(text: string): string {
  return `- ${line(text)}`;
}

/** Nothing in it can look like another section, or like an end of what holds it. */
function line(text: string): string {
  return withoutMarks(neutralise(text).text.replaceAll(/\s+/g, " ").trim());
}

function clip(text: string): string {
  const plain = withoutMarks(neutralise(text).text).replaceAll(/^#/gm, "\\#");
  return plain.length <= TASK_CHARS_MAX ? plain : `${plain.slice(0, TASK_CHARS_MAX).toWellFormed()}…`;
}
