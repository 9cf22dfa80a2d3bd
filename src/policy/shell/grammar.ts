/**
 * tree-sitter's grammar of bash: loaded once, and only when the first command is to be read. It says whether a text is bash
 * at all and where it sees commands and words begin; `read-shell.ts` holds that against its own cut.
 */
import { createRequire } from "node:module";
import type { Parser as GrammarParser, TreeCursor } from "web-tree-sitter";
import { isKnownNode } from "./grammar-nodes.ts";

/** Nodes of one text's tree. */
const NODES_MAX = 5_000;
/** Levels of one text's tree. */
const LEVELS_MAX = 200;
/** Times that the parser comes back to say that it is still at work; one is some hundred operations. */
const PARSE_STEPS_MAX = 2_000;

export interface GrammarReading {
  readonly problems: readonly string[];
  /** Offsets where commands begin. */
  readonly starts: ReadonlySet<number>;
  /** `start:end` of the words of commands. */
  readonly words: ReadonlySet<string>;
}

export type Grammar = (text: string) => GrammarReading;

let loading: Promise<Grammar> | null = null;

/** Rejects when the files of the grammar cannot be loaded; asked again, it tries again. */
export function loadGrammar(): Promise<Grammar> {
  loading ??= load().catch((cause: unknown) => {
    loading = null;
    throw cause;
  });
  return loading;
}

async function load(): Promise<Grammar> {
  const { Parser, Language } = await import("web-tree-sitter");
  await Parser.init();
  const file = createRequire(import.meta.url).resolve("tree-sitter-bash/tree-sitter-bash.wasm");
  const parser = new Parser();
  parser.setLanguage(await Language.load(file));
  return (text) => readTree(parser, text);
}

function readTree(parser: GrammarParser, text: string): GrammarReading {
  let steps = 0;
  const tooLong = (): boolean => {
    steps += 1;
    return steps > PARSE_STEPS_MAX;
  };
  const tree = parser.parse(text, null, { progressCallback: tooLong });
  if (tree === null) {
    // A parser that was stopped goes on where it was, with another text as well.
    parser.reset();
    return refused("The grammar takes too long over the command.");
  }
  try {
    const nodes = tree.rootNode.descendantCount;
    if (nodes > NODES_MAX) return refused(`The command has ${nodes} nodes; ${NODES_MAX} are read at most.`);
    const cursor = tree.walk();
    try {
      return walk(cursor);
    } finally {
      cursor.delete();
    }
  } finally {
    tree.delete();
  }
}

function refused(sentence: string): GrammarReading {
  return { problems: [sentence], starts: new Set(), words: new Set() };
}

function walk(cursor: TreeCursor): GrammarReading {
  const problems = new Set<string>();
  const starts = new Set<number>();
  const words = new Set<string>();
  /** The types above the cursor. */
  const above: string[] = [];
  for (;;) {
    const type = cursor.nodeType;
    if (type === "ERROR" || cursor.nodeIsMissing)
      problems.add("The command is not valid bash, or the grammar does not know it.");
    else if (!isKnownNode(type)) problems.add(`The grammar found a ${type}, which is not on the list.`);
    if (COMMANDS.has(type)) starts.add(cursor.startIndex);
    if (isWord(type, above.at(-1), cursor.currentFieldName)) words.add(`${cursor.startIndex}:${cursor.endIndex}`);
    if (above.length >= LEVELS_MAX) problems.add(`The command is nested deeper than ${LEVELS_MAX} levels.`);
    if (above.length < LEVELS_MAX && cursor.gotoFirstChild()) {
      above.push(type);
      continue;
    }
    while (!cursor.gotoNextSibling()) {
      if (!cursor.gotoParent()) return { problems: [...problems], starts, words };
      above.pop();
    }
  }
}

const COMMANDS = new Set(["command_name", "declaration_command", "unset_command", "test_command"]);

/** Program names and arguments; not what stands in `[ … ]`, which the grammar takes for an expression. */
function isWord(type: string, parent: string | undefined, field: string | null): boolean {
  if (type === "command_name") return true;
  return parent === "command" && field === "argument" && !OPERATORS.has(type);
}

const OPERATORS = new Set(["=~", "==", "$"]);
