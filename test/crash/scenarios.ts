/** The sessions that are crashed everywhere. Each is small, and together they pass every kind of effect that belay has. */
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { WORK } from "./work-scenario.ts";

export interface CrashScenario {
  readonly name: string;
  readonly script: ScenarioInput;
  readonly verify: string | null;
  /** Commands need a person's yes and run without a sandbox: then a call that was cut off is `interrupted`, never repeated. */
  readonly unconfined?: true;
  readonly inPlace?: true;
  /** The run is canceled while this command runs, the first being 1. */
  readonly cancelAtCommand?: number;
  /** When the verification failed the user says once more what he wants. */
  readonly insist?: true;
  /** Tokens that the model reads at most: so few that the conversation is compacted. */
  readonly window?: number;
  /** What is done with the finished session. */
  readonly after?: "rollback" | "merge" | "apply";
  /** Fewer kill points than this mean that the scenario lost something. */
  readonly pointsMin: number;
}

type TurnInput = NonNullable<ScenarioInput["turns"]>[number];
type FaultInput = NonNullable<TurnInput["fault"]>;

const EDIT = { tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } };
const FIXED = "grep -q 'return 2' src/app.js";
const bash = (command: string): { readonly tool: string; readonly input: { readonly command: string } } => ({
  tool: "bash",
  input: { command },
});
const read = (path: string): { readonly tool: string; readonly input: { readonly path: string } } => ({
  tool: "read",
  input: { path },
});

/** About 2,500 tokens of output. */
const filling = (word: string): string => `echo ${word} >> log.txt; seq 1 1800; echo MARK ${word}`;
/** What is no result is cleared only with the whole conversation. About 1,700 tokens. */
const WEIGHED = "I have weighed it. ".repeat(270);
const WORDS = ["one", "two", "three", "four", "five"];

/**
 * After a compaction the emulator takes the conversation for another one, with a script of its own: so what comes next is told by the
 * last result, in both of them.
 * @param fault of the turn in the middle
 */
function marked(fault?: FaultInput): TurnInput[] {
  const next = WORDS.slice(1).map((word, n): TurnInput => ({
    match: { tool_result_contains: `MARK ${WORDS[n] ?? ""}` },
    say: WEIGHED,
    chunk_chars: 5_000,
    call: [n === 1 ? EDIT : bash(`true ${word}`), bash(filling(word))],
    ...(n === 2 && fault !== undefined ? { fault } : {}),
  }));
  return [
    { match: { user_contains: "about to be shortened" }, repeat: 10, say: "One and two are in the log." },
    ...next,
    { match: { tool_result_contains: "MARK five" }, say: "Done." },
    { call: [bash(filling("one"))] },
  ];
}

const OVERFLOW = {
  type: "error",
  error: { type: "invalid_request_error", message: "prompt is too long: 203456 tokens > 200000 maximum" },
};

/** Above what stands in a row; no two pieces alike. */
const LARGE = Array.from({ length: 12_000 }, (_, i) => `line ${i}`).join("\n");

export const SCENARIOS: readonly CrashScenario[] = [
  { name: "work", script: WORK, verify: FIXED, pointsMin: 200 },
  {
    name: "faults",
    verify: FIXED,
    pointsMin: 80,
    script: {
      turns: [
        { call: [read("src/app.js")], fault: [{ status: 529 }, { cut_after_event: 2 }, { status: 500 }] },
        { call: [bash("echo one >> log.txt")], fault: { cut_in_json: true } },
        { call: [EDIT], fault: [{ status: 503 }, { end_after_event: 4 }] },
        { call: [bash("echo two >> log.txt; sleep 0.05; echo three >> log.txt")], fault: { empty: true } },
        { say: "Done.", fault: { error_event: { type: "overloaded_error", message: "Overloaded", after_event: 2 } } },
      ],
    },
  },
  {
    name: "parallel",
    verify: FIXED,
    pointsMin: 80,
    script: {
      turns: [
        {
          call: [
            read("src/app.js"),
            read("notes.txt"),
            { tool: "grep", input: { pattern: "return" } },
            { tool: "glob", input: { pattern: "**/*" } },
            EDIT,
            bash("echo first >> log.txt"),
            read("log.txt"),
            bash("echo second >> log.txt; mkdir -p made; echo 1 > made/one.txt"),
          ],
        },
        {
          call: [
            { tool: "write", input: { path: "a/b.txt", content: "b\n" } },
            { tool: "write", input: { path: "a/c.txt", content: "c\n" } },
            bash("rm notes.txt; mv a/b.txt a/d.txt"),
          ],
        },
        { say: "Done." },
      ],
    },
  },
  {
    name: "large",
    verify: null,
    pointsMin: 50,
    script: {
      turns: [
        { call: [{ tool: "write", input: { path: "large.txt", content: LARGE } }], chunk_chars: 50_000 },
        { call: [bash("cat large.txt large.txt; echo shown >> log.txt")] },
        { call: [read("large.txt")] },
        { call: [bash("wc -l < large.txt >> log.txt")] },
        { say: "Done." },
      ],
    },
  },
  {
    name: "verify",
    // what it writes must never become part of the work
    verify: `echo tried >> tries.txt; sleep 0.05; ${FIXED}`,
    insist: true,
    pointsMin: 50,
    script: {
      turns: [
        { call: [bash("echo looked >> log.txt")] },
        { say: "It is done." },
        { call: [EDIT] },
        { say: "Now it is done." },
      ],
    },
  },
  {
    name: "cancel",
    verify: null,
    cancelAtCommand: 2,
    pointsMin: 50,
    script: {
      turns: [
        { call: [bash("echo before >> log.txt")] },
        { call: [bash("sleep 1")] },
        { call: [bash("echo after >> log.txt")] },
        { say: "Done." },
      ],
    },
  },
  {
    name: "approval",
    verify: null,
    unconfined: true,
    pointsMin: 50,
    script: {
      turns: [
        { call: [bash("echo one >> log.txt")] },
        { call: [read("log.txt"), EDIT, bash("echo two >> log.txt")] },
        { call: [bash("echo three >> log.txt")] },
        { say: "Done." },
      ],
    },
  },
  {
    name: "in-place",
    verify: null,
    inPlace: true,
    pointsMin: 50,
    script: {
      turns: [
        { call: [bash("echo one >> log.txt")] },
        { call: [{ tool: "write", input: { path: "made.txt", content: "made\n" } }, bash("echo two >> log.txt")] },
        { call: [bash("echo three >> log.txt")] },
        { say: "Done." },
      ],
    },
  },
  {
    name: "compaction",
    verify: FIXED,
    window: 12_000,
    pointsMin: 60,
    script: { conversations: [{ task_contains: "<continuity>", turns: marked() }], turns: marked() },
  },
  {
    name: "overflow",
    verify: FIXED,
    window: 100_000,
    pointsMin: 60,
    script: {
      conversations: [{ task_contains: "<continuity>", turns: marked() }],
      turns: marked({ status: 400, body: OVERFLOW }),
    },
  },
  ...(["rollback", "merge", "apply"] as const).map((after): CrashScenario => ({
    name: after,
    verify: null,
    after,
    pointsMin: 50,
    script: {
      turns: [
        { call: [EDIT, bash("echo one >> log.txt; mkdir -p made; echo 1 > made/one.txt")] },
        { call: [bash("rm notes.txt; echo two >> log.txt")] },
        { say: "Done." },
      ],
    },
  })),
];
