/** What a sub-agent is told: what kind it is, its task, and which addresses of it the user named themselves. */
import { type Origin, type PlainPart, textPart } from "../../kernel/content.ts";
import { canonicalJson, type JsonObject } from "../../kernel/json.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { AgentDefinition } from "../../kernel/work-policy.ts";

/** Addresses of a task that the user is asked about: further ones are the model's. */
const ADDRESSES_MAX = 20;

export interface FirstMessage {
  readonly definition: AgentDefinition;
  readonly prompt: string;
  readonly schema: JsonObject | null;
  readonly writes: boolean;
  /** The text of the project is strangers'. */
  readonly untrusted: boolean;
  /** Whether the user wrote exactly this to the parent. */
  readonly userWrote: (text: string) => boolean;
}

export function firstMessage(of: FirstMessage): readonly PlainPart[] {
  const named = addressesIn(of.prompt).filter(of.userWrote);
  return [
    textPart(kindText(of), kindOrigin(of)),
    ...(named.length === 0 ? [] : [textPart(named.join("\n"), { from: "user" })]),
    textPart(of.prompt, { from: "model", by: "the session that asked" }),
  ];
}

/** Told once when an answer does not fit. */
export function correction(problem: string): readonly PlainPart[] {
  const say = `Your answer cannot be used: ${problem}. Answer again, with the JSON object alone.`;
  return [textPart(say, CORRECTION)];
}

const CORRECTION: Origin = { from: "belay", by: "answer" };

/** Whether it was told already: a resume must not tell it again and again. */
export function wasCorrected({ messages }: Pick<SessionState, "messages">): boolean {
  return messages.some(
    ({ role, parts }) =>
      role === "user" &&
      parts.some((part) => part.type === "text" && part.origin.from === "belay" && part.origin.by === CORRECTION.by),
  );
}

function kindText({ definition, schema, writes }: FirstMessage): string {
  const files = writes
    ? "You work in a copy of your own of the files; what you change is merged into theirs when you are done."
    : "You look at the files of the session that asked: nothing can be written, and nothing has to be.";
  const answer =
    schema === null
      ? "Only your last answer is handed back: it must say everything."
      : `Only your last answer is handed back. It must be one JSON object, without any text around it, that fits this JSON Schema: ${canonicalJson(schema)}`;
  const skills = definition.skills.length === 0 ? [] : [`Skills for this: ${definition.skills.join(", ")}.`];
  return [
    `<agent kind="${definition.name}">`,
    definition.prompt,
    ...skills,
    `You are a sub-agent: another session asked you, and no person reads along. ${files} ${answer}`,
    "</agent>",
  ].join("\n");
}

/** `agents` is a name that a compaction keeps, as it keeps what a project says. */
function kindOrigin({ definition, untrusted }: FirstMessage): Origin {
  if (definition.source === "built_in") return { from: "belay", by: "agents" };
  return { from: "workspace", by: definition.source, ...(untrusted ? { untrusted: true } : {}) };
}

function addressesIn(text: string): readonly string[] {
  const found = text.match(/https?:\/\/[^\s<>"'`()[\]]+/g) ?? [];
  return [...new Set(found.map((one) => one.replace(/[.,;:!?]+$/, "")))].slice(0, ADDRESSES_MAX);
}
