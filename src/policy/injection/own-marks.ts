/**
 * What only belay, a provider or a chat template may say: tags of a request (`<environment>`, `<external…>`, `<tool_result>`),
 * tokens of templates (`<|im_start|>`, `[INST]`), whose turn it is (`Human:`), and belay's notes in brackets (`[exit code 1]`).
 * In text of strangers their first sign (or the colon) is written as a character reference, so that they are read as text.
 *
 * O1: every pattern begins at a fixed sign and has bounded gaps: searching is linear.
 * O2: what is escaped holds no mark that this file knows, look-alikes and blanks between the signs included.
 */
import { folded } from "./folded.ts";

/** Names that tags of a request have in belay, in its peers and at the providers. `-` and `_` are the same here. */
const FAMILIES = [
  "antml",
  "assistant[-_]",
  "command[-_]",
  "environment",
  "external",
  "function[-_]",
  "local[-_]command",
  "prompt[-_]",
  "system",
  "tool[-_]?(?:call|code|def|input|output|respons|result|use)",
  "untrusted",
  "user[-_]",
];
const NAMES = [
  "(?:begin|end|start)[-_]of[-_](?:turn|text|sentence|prompt)",
  "[be]os",
  "agents?",
  "assistant",
  "belay",
  "context",
  "continuity",
  "developer",
  "file",
  "functions?",
  "human",
  "important",
  "instructions?",
  "invoke",
  "memory",
  "parameters?",
  "phase",
  "policy",
  "prompt",
  "reminder",
  "rule",
  "s",
  "skills?",
  "sys",
  "thinking",
  "tools?",
  "user",
];
/** Blanks that may stand between the signs of a tag. */
const GAP = "[\\s_]{0,8}";
const TAG = new RegExp(
  `<(?=${GAP}(?:[/\\\\!?]${GAP})?(?:(?:${FAMILIES.join("|")})|(?:${NAMES.join("|")})(?![a-z0-9])))`,
  "gi",
);
const TEMPLATE_TAG = /<(?=\s{0,8}(?:\||<\s{0,8}\/?\s{0,8}SYS))/gi;
const TEMPLATE_BRACKET =
  /\[(?=\s{0,8}\/?\s{0,8}(?:INST|SYS(?:TEM)?|SYSTEM_PROMPT|USER|ASSISTANT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\s{0,8}\])/gi;
/** Before a name at the beginning of a line: blanks, and the signs of a quotation, a list, a heading or bold letters. */
const LINE = "(?<=(?:^|[\\n\\r\\u2028\\u2029])[ \\t>*_#\"'`-]{0,12}";
const TURN = new RegExp(
  `${LINE}(?:[Hh]uman|HUMAN|[Aa]ssistant|ASSISTANT|User|USER|System|SYSTEM|Developer|DEVELOPER|Tool|TOOL)[ \\t*_]{0,4}):`,
  "g",
);
const HEADING = new RegExp(
  `${LINE}#{1,6}[ \\t]{0,4}(?:instruction|response|input|system|human|assistant|user)s?[ \\t]{0,4}):`,
  "gi",
);
/** A line that is a note, as belay writes them: `[exit code 1]`, `[3 more lines of 10: …]`, `[… 5 lines left out …]`. */
const NOTE =
  /(?<=(?:^|\n)[ \t]{0,8})\[(?=[ \t]{0,4}(?:…|\.\.\.|[a-z]|[\d,.]+ [a-z])[^\n]{0,2000}\][ \t]{0,8}(?:\n|$))/gi;
/** What stands for a secret of the user. */
const SECRET = /\[(?=\s{0,8}secret\s{0,8}:)/gi;

const PATTERNS = [TAG, TEMPLATE_TAG, TEMPLATE_BRACKET, TURN, HEADING, NOTE, SECRET];
const NEARLY_NONE = /[<[:\u0080-\uffff]/;

export interface Escaped {
  readonly text: string;
  readonly count: number;
}

export function escapeOwnMarks(text: string): Escaped {
  if (!NEARLY_NONE.test(text)) return { text, count: 0 };
  const view = folded(text);
  const signs = new Map<number, string>();
  for (const pattern of PATTERNS)
    for (const found of view.text.matchAll(pattern)) signs.set(view.at(found.index), found[0]);
  const places = [...signs.keys()].sort((a, b) => a - b);
  let out = "";
  let from = 0;
  for (const place of places) {
    out += text.slice(from, place) + (REFERENCES[signs.get(place) ?? ""] ?? "");
    from = place + ((text.codePointAt(place) ?? 0) > 0xffff ? 2 : 1);
  }
  return { text: out + text.slice(from), count: places.length };
}

const REFERENCES: Readonly<Record<string, string>> = { "<": "&lt;", "[": "&#91;", ":": "&#58;" };
