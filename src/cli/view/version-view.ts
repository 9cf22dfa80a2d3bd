/** What a session ran with, by hash. */
import type { SessionPin, VersionReport } from "../../observe/prompt-versions.ts";
import { formatDate } from "./format.ts";
import { safeLine } from "./safe-text.ts";
import { tableLines } from "./table.ts";

const NO_BOUND = 10_000;
const WHY: { readonly [R in SessionPin["reason"]]: string } = {
  start: "at its start",
  resume: "when it was first resumed by a version that keeps prompts",
  repin: "because a person said so",
};

export function versionLines({ versions, pins }: VersionReport): readonly string[] {
  if (versions === null) return ["It was never configured."];
  const { belay, prompt, tools, rules, fold, prompt_bytes } = versions;
  const head = [`belay ${safeLine(belay)}, fold ${fold}`];
  const whole = [
    ["system prompt", prompt],
    ["tools", tools],
    ["rules and grants", rules],
  ].map((row) => row.map(safeLine));
  return [
    ...head,
    ...tableLines(["SENT", "SHA-256"], whole, NO_BOUND),
    `Prompt and tools have ${prompt_bytes} bytes together.`,
    ...(pins.length === 0 ? ["", "It is held to no prompt: it is of a version before they were kept."] : []),
    ...pins.flatMap(pinLines),
  ];
}

function pinLines({ seq, at, reason, parts }: SessionPin, i: number, pins: readonly SessionPin[]): readonly string[] {
  const head = `Held to ${i === pins.length - 1 ? "since" : "from"} ${formatDate(at)} (event ${seq}), ${WHY[reason]}:`;
  const rows = parts.map(({ kind, name, hash }) => [kind, hash, name].map(safeLine));
  return ["", head, ...tableLines(["KIND", "SHA-256", "NAME"], rows, NO_BOUND)];
}
