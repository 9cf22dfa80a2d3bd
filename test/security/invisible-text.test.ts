/**
 * Does a character that nobody sees reach anybody? One of every range, and sequences of terminals, are planted on every surface:
 * contents and names of files, the output of commands, errors, what a model says and asks for, titles, reasons and notes.
 * Neither the requests to the model, nor the journal's results, nor a terminal may have one of them raw.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failureText } from "../../src/cli/failure.ts";
import { callLines } from "../../src/cli/view/approval-view.ts";
import { LiveView } from "../../src/cli/view/live-view.ts";
import { paintFor } from "../../src/cli/view/paint.ts";
import { patchText } from "../../src/cli/view/patch.ts";
import { safeLine, safeText } from "../../src/cli/view/safe-text.ts";
import { Screen } from "../../src/cli/view/screen.ts";
import { story } from "../../src/cli/view/story.ts";
import { toolTitle } from "../../src/cli/view/tool-title.ts";
import { textPart } from "../../src/kernel/content.ts";
import type { Draft, Event } from "../../src/kernel/events/index.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { callTool, say, scriptedModel } from "../../src/testing/scripted-model.ts";
import { testConfig } from "../support/config.ts";
import { testHost } from "../support/host.ts";
import { eventsOf, resultTexts, start, testPlace } from "../support/session.ts";
import { answered, ids, sealed, toolFinished, toolStarted, toolUse } from "../unit/cli/sealed-events.ts";

const ESC = "\u001b";

/** The first and the last of each range. */
const RANGES: Readonly<Record<string, readonly number[]>> = {
  "C0 controls": [0x01, 0x08, 0x0b, 0x0c, 0x0e, 0x1b, 0x1f, 0x7f],
  "C1 controls": [0x80, 0x85, 0x90, 0x9b, 0x9d, 0x9f],
  "the soft hyphen and the grapheme joiner": [0xad, 0x34f],
  direction: [0x61c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069],
  "zero width": [0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x2064, 0x2065, 0xfeff],
  "old formats": [0x206a, 0x206f, 0xfff0, 0xfff9, 0xfffb, 0x1bca0, 0x1d173],
  fillers: [0x115f, 0x1160, 0x17b4, 0x3164, 0xffa0],
  "line separators": [0x2028, 0x2029],
  "variation selectors": [0x180b, 0xfe00, 0xfe0f, 0xe0100, 0xe01ef],
  tags: [0xe0000, 0xe0001, 0xe0020, 0xe0041, 0xe007e, 0xe007f],
  "private use": [0xe000, 0xf8ff, 0xf0000, 0x10fffd],
  "no characters": [0xfdd0, 0xfffe, 0xffff, 0x1fffe, 0x10ffff],
};
const SEQUENCES: Readonly<Record<string, string>> = {
  colours: `${ESC}[31mred${ESC}[0m`,
  "the cursor": `${ESC}[2K${ESC}[1A${ESC}[1G`,
  "a title": `${ESC}]0;owned\u0007`,
  "a link": `${ESC}]8;;https://evil.example${ESC}\\text${ESC}]8;;${ESC}\\`,
  "the clipboard": `${ESC}]52;c;ZXZpbA==\u0007`,
  "device strings": `${ESC}P1$r${ESC}\\${ESC}_x${ESC}\\${ESC}^y${ESC}\\`,
  "eight bits": "\u009b31m\u009d52;c;x\u009c\u0090z\u009c",
  overwriting: "rm -rf x\rls\b\b",
};

const points = Object.values(RANGES).flat();
const samples = [...points.map((code) => `a${String.fromCodePoint(code)}b`), ...Object.values(SEQUENCES)];
const cases = [
  ...Object.entries(RANGES).map(
    ([name, codes]) => [name, codes.map((code) => String.fromCodePoint(code)).join("x")] as const,
  ),
  ...Object.entries(SEQUENCES),
];

/** Written apart from the table of the sources. Half a character counts, too. */
const RAW =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{1fffe}\u{1ffff}\u{e0000}-\u{e0fff}\u{f0000}-\u{10ffff}]/u;

/** Of a file, where a null byte would make it no text. */
const all = samples.join("\n");

async function storyOf(events: readonly Event[]): Promise<string> {
  async function* each(): AsyncGenerator<Event> {
    yield* events;
  }
  const lines: string[] = [];
  for await (const line of story(each(), { paint: paintFor(false), resultLines: Infinity })) lines.push(line);
  return lines.join("\n");
}

describe("a session whose workspace is full of invisible characters", () => {
  it("shows the model and the journal none of them raw: contents, names, output, errors", async () => {
    const place = testPlace();
    writeFileSync(join(place.repository, "all.txt"), all);
    mkdirSync(join(place.repository, "names"));
    for (const code of points)
      writeFileSync(join(place.repository, "names", `n${String.fromCodePoint(code)}m.txt`), "needle\n");
    execFileSync("git", ["add", "-A"], { cwd: place.repository });
    const model = scriptedModel([
      callTool("read", { path: "all.txt" }),
      callTool("read", { path: "names" }),
      callTool("glob", { pattern: "names/*" }),
      callTool("grep", { pattern: "needle|a.b" }),
      callTool("bash", { command: "cat all.txt; ls names; ls names >&2; cat names/*x 2>&1; false" }),
      callTool("bash", { command: "printf 'ls: cannot access a\\xe2\\x80\\x8bb\\xf3\\xa0\\x81\\x81' >&2; exit 3" }),
      callTool("edit", { path: "all.txt", old_string: "a⟨U+202E⟩b", new_string: "a⟨U+202E⟩c" }),
      say("Done."),
    ]);
    const host = await testHost({ home: place.home, model });
    const live = await start(host, place);
    const report = await live.done;
    expect(report).toMatchObject({ outcome: "completed" });
    const events = await eventsOf(host, live.session);

    const results = resultTexts(events);
    expect(results.map((text) => text.split(":")[0])).toEqual(["ok", "ok", "ok", "ok", "error", "error", "ok"]);
    for (const text of results) expect(text).not.toMatch(RAW);
    for (const { messages } of model.calls) expect(JSON.stringify(messages)).not.toMatch(RAW);
    expect(await storyOf(events)).not.toMatch(RAW);

    // It is not that nothing was there: each stands as its mark, where a terminal would not have been told it.
    for (const code of [0x200b, 0x202e, 0xe0041, 0xfe00, 0x2028, 0xad, 0x3164, 0xe000]) {
      const mark = `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
      for (const text of results.slice(0, 5)) expect(text).toContain(mark);
    }
  });
});

describe.each(cases)("on a terminal, %s", (_, planted) => {
  const text = `before ${planted} after`;

  it("is in nothing that is told of a session", async () => {
    const part = toolUse(`bash${planted}`, { command: text });
    const drafts: readonly Draft[] = [
      { kind: "SessionCreated", data: { title: text } },
      { kind: "SessionConfigured", data: { config: testConfig({ verify: text }) } },
      { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
      {
        kind: "UserMessageAdded",
        data: { parts: [textPart(text, { from: "user" }), textPart(text, { from: "workspace", by: text })] },
      },
      ...answered(text, [part]),
      toolStarted(part),
      toolFinished(part, { status: "error", text }),
      { kind: "CancelRequested", data: { reason: text, by: "user" } },
    ];
    expect(await storyOf(sealed(...drafts))).not.toMatch(RAW);

    const written: string[] = [];
    const sink = {
      write: (line: string) => void written.push(line),
      isTerminal: false,
      colors: false,
      columns: () => 80,
    };
    const view = new LiveView({ screen: new Screen(sink), paint: paintFor(false), monotonic: () => 0 });
    view.events(sealed(...drafts.slice(0, 4)));
    view.delta({ type: "text", text });
    view.events(sealed(...drafts).slice(4));
    view.delta({ type: "tool_progress", call: part.call, text: `${text}\n` });
    view.close();
    expect(written.join("")).not.toMatch(RAW);
  });

  it("is in no question, title, change or error", () => {
    const part = toolUse("bash", { command: text });
    const drawn = { paint: paintFor(false), columns: 80 };
    expect(callLines({ part, reason: text, rule: text, sources: [text] }, drawn).join("\n")).not.toMatch(RAW);
    expect(toolTitle(part)).not.toMatch(RAW);
    expect(patchText(`--- ${text}\n+++ ${text}\n+${text}`, paintFor(false))).not.toMatch(RAW);
    expect(failureText(new HarnessError("file_failed", `There is no ${text}.`, `Look at ${text}.`), true)).not.toMatch(
      RAW,
    );
    expect([safeText(text), safeLine(text)].join("\n")).not.toMatch(RAW);
  });
});
