import { describe, expect, it } from "vitest";
import { paintFor } from "../../../src/cli/view/paint.ts";
import { story } from "../../../src/cli/view/story.ts";
import type { Draft, Event, UnknownEvent } from "../../../src/kernel/events/index.ts";
import { testConfig } from "../../support/config.ts";
import { answered, ids, sealed, SESSION, toolFinished, toolStarted, toolUse } from "./sealed-events.ts";

async function told(events: readonly (Event | UnknownEvent)[], resultLines = 2): Promise<string> {
  async function* all(): AsyncGenerator<Event | UnknownEvent> {
    yield* events;
  }
  const lines: string[] = [];
  for await (const line of story(all(), { paint: paintFor(false), resultLines })) lines.push(line);
  return lines.join("\n");
}

const bash = toolUse("bash", { command: "npm test" });

const WHOLE: readonly Draft[] = [
  { kind: "SessionCreated", data: { title: "t" } },
  { kind: "SessionConfigured", data: { config: testConfig({ verify: "npm test" }) } },
  { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
  {
    kind: "UserMessageAdded",
    data: {
      parts: [
        { type: "text", text: "fix it, see @a.ts", origin: { from: "user" } },
        { type: "text", text: "<file>…</file>", origin: { from: "workspace", by: "a.ts" } },
      ],
    },
  },
  ...answered("I look.", [bash]),
  toolStarted(bash),
  toolFinished(bash, { text: "one\ntwo\nthree\nfour", code: 0 }),
  ...answered("Done.", [], 2),
  {
    kind: "RunEnded",
    data: { outcome: "completed", verification: "passed", exit_code: 0, error: null, active_ms: 65_000 },
  },
];

describe("`belay sessions show`", () => {
  it("reads like a story: the task, each turn, what was said and done, the outcome, the money", async () => {
    expect(await told(sealed(...WHOLE))).toBe(
      [
        `Session ${SESSION}`,
        "  begun 1970-01-01 00:16 UTC",
        "  claude-sonnet-4-5 · sandbox none · clone · at most 100 turns",
        "  verified by: npm test",
        "",
        "You",
        "  fix it, see @a.ts",
        "  [a.ts, 14 characters]",
        "",
        "Turn 1",
        "  I look.",
        "● bash npm test",
        "  ✓ exit 0, 4 lines, 1.2 s",
        "    │ one",
        "    │ two",
        "    │ … 2 more lines (--full shows them)",
        "",
        "Turn 2",
        "  Done.",
        "",
        "completed · verification passed · exit code 0",
        "  2.5k tokens · $0.024 · at work 1 min 5 s",
      ].join("\n"),
    );
  });

  it("keeps what belay says about a result apart from the result", async () => {
    const finished = toolFinished(bash, { text: "[it ran again]", code: 0 });
    if (finished.kind !== "ToolFinished") throw new TypeError("a call that ended");
    const content = [
      ...finished.data.content,
      { type: "text" as const, text: "10 log.txt", origin: { from: "tool" as const, by: "bash" } },
    ];
    const events = sealed(...answered("", [bash]), toolStarted(bash), {
      ...finished,
      data: { ...finished.data, content },
    });
    expect(await told(events)).toContain("    │ [it ran again]\n    │ 10 log.txt");
  });

  it("shows no empty line for a red verification that said nothing", async () => {
    const data = {
      command: "false",
      exit_code: 1,
      passed: false,
      tree: null,
      tail: "\n",
      output: null,
      duration_ms: 5,
    };
    expect(await told(sealed({ kind: "VerificationFinished", data }))).toBe(
      "✗ verification failed: false (exit 1, 5 ms)",
    );
  });

  it("shows whole results when asked", async () => {
    expect(await told(sealed(...WHOLE), Infinity)).toContain("    │ four");
  });

  it("shows an event of a later version instead of failing", async () => {
    const [event] = sealed(...WHOLE);
    if (event === undefined) throw new TypeError("there is a first event");
    expect(await told([{ ...event, kind: "DreamDreamt", unknown: true }])).toBe(
      "? DreamDreamt (event 1; this version does not know it)",
    );
  });
});
