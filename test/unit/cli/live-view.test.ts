import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { LiveView } from "../../../src/cli/view/live-view.ts";
import { paintFor } from "../../../src/cli/view/paint.ts";
import { Screen } from "../../../src/cli/view/screen.ts";
import { PROGRESS_LINES_MAX } from "../../../src/cli/view/tool-lines.ts";
import { displayWidth } from "../../../src/cli/view/width.ts";
import type { Standing } from "../../../src/engine/report.ts";
import type { Delta } from "../../../src/kernel/delta.ts";
import type { Draft } from "../../../src/kernel/events/index.ts";
import { nanoDollars, NO_MONEY } from "../../../src/kernel/money.ts";
import { choicesFrom, simulate } from "../../support/simulated-session.ts";
import { answered, ids, sealed, SESSION, toolFinished, toolStarted, toolUse } from "./sealed-events.ts";

/** A view on a recorded terminal; time is what the test says. */
function viewOf(facts: { readonly terminal?: boolean; readonly colors?: boolean; readonly columns?: number } = {}) {
  const written: string[] = [];
  let now = 0;
  const sink = {
    write: (text: string) => void written.push(text),
    isTerminal: facts.terminal ?? false,
    colors: facts.colors ?? false,
    columns: () => facts.columns ?? 80,
  };
  const view = new LiveView({ screen: new Screen(sink), paint: paintFor(sink.colors), monotonic: () => now });
  return {
    view,
    written,
    text: () => written.join(""),
    pass: (ms: number) => {
      now += ms;
    },
    show: (...drafts: readonly Draft[]) => {
      view.events(sealed(...drafts));
    },
  };
}

const bash = toolUse("bash", { command: "npm test" });

describe("a run in text mode, without a terminal", () => {
  it("reads from top to bottom, and holds no escape sequence", () => {
    const { view, show, text } = viewOf();
    show({ kind: "SessionCreated", data: { title: "t" } });
    show(...answered("").slice(0, 2));
    view.delta({ type: "text", text: "I will run " });
    view.delta({ type: "text", text: "the tests." });
    show(...answered("I will run the tests.", [bash]).slice(2));
    show(toolStarted(bash));
    view.delta({ type: "tool_progress", call: bash.call, text: "running 3 tests\nfail" });
    view.delta({ type: "tool_progress", call: bash.call, text: "ed\n" });
    show(toolFinished(bash, { status: "error", text: "running 3 tests\nfailed", code: 1 }));
    view.close();
    expect(text()).toBe(
      [
        `session ${SESSION}`,
        "I will run the tests.",
        "● bash npm test",
        "  │ running 3 tests",
        "  │ failed",
        "  ✗ exit 1, 2 lines, 1.2 s",
        "",
      ].join("\n"),
    );
  });

  it("shows with the event what the deltas did not: all of it, or the rest", () => {
    const none = viewOf();
    none.show(...answered("Hello there."));
    none.view.close();
    expect(none.text()).toBe("Hello there.\n");

    const half = viewOf();
    half.show(...answered("").slice(0, 2));
    half.view.delta({ type: "text", text: "Hello" });
    half.show(...answered("Hello there.").slice(2));
    half.view.close();
    expect(half.text()).toBe("Hello there.\n");
  });

  it("keeps an answer that failed on the way apart from the next", () => {
    const { view, show, text } = viewOf();
    view.delta({ type: "text", text: "Half an ans" });
    show(
      {
        kind: "ModelCallFailed",
        data: {
          call: ids.modelCall(),
          kind: "overloaded",
          message: "Overloaded",
          http: 529,
          request_id: null,
          retry_after_ms: null,
          partial: "Half an ans",
          usage: null,
          duration_ms: 5,
        },
      },
      { kind: "RetryScheduled", data: { kind: "overloaded", attempt: 3, delay_ms: 2_100, until: 9 } },
    );
    expect(text()).toBe(
      "Half an ans\n✗ provider overloaded: Overloaded (the answer so far is discarded)\n… provider overloaded, trying again in 2.1 s (2/8)\n",
    );
  });

  it("says once that it waits, and then for how long it has, where nothing can be redrawn", () => {
    const { view, show, text } = viewOf();
    for (const wait_ms of [4_000, 3_000])
      view.delta({ type: "waiting", for: "rate", wait_ms, reason: "62 % of input tokens/min used by 3 runs" });
    show({
      kind: "RateWaited",
      data: { provider: "p", model: "m", waited_ms: 4_100, reason: "62 % of input tokens/min used by 3 runs" },
    });
    expect(text()).toBe(
      "… waiting 4 s for rate: 62 % of input tokens/min used by 3 runs\n… waited 4.1 s for rate: 62 % of input tokens/min used by 3 runs\n",
    );
  });

  it("says what money and models stand in the way of", () => {
    const { show, text } = viewOf();
    const chosen = { provider: "p", model: "m" };
    show(
      {
        kind: "BudgetAlerted",
        data: {
          scope: "session",
          unit: "cost",
          value: 4_020_000_000,
          level: 4_000_000_000,
          cap: 5_000_000_000,
          answer: "go_on",
          by: "u",
        },
      },
      {
        kind: "ModelCallRefused",
        data: {
          ...chosen,
          attempt: 1,
          purpose: "turn",
          kind: "budget_exceeded",
          message: "session: $4.99 of $5.00 is spent.",
          retry_after_ms: null,
          refused_by: null,
        },
      },
      {
        kind: "ModelSwitched",
        data: {
          from: chosen,
          to: { provider: "p", model: "small" },
          kind: "budget_exceeded",
          message: "The cap is reached.",
        },
      },
      { kind: "RateWaited", data: { ...chosen, waited_ms: 40, reason: "" } },
    );
    expect(text()).toBe(
      [
        "! budget: session has spent $4.02 of $5.00; u said: go on",
        "… not sent: session: $4.99 of $5.00 is spent.",
        "! small takes over from m (budget exceeded: The cap is reached.)",
        "",
      ].join("\n"),
    );
  });

  it("names what ended when several tools ran at once", () => {
    const reads = [toolUse("read", { path: "a.ts" }), toolUse("grep", { pattern: "x", path: "src" })] as const;
    const { show, text } = viewOf();
    show(...answered("", reads));
    show(...reads.map(toolStarted));
    show(toolFinished(reads[0], { text: "1\n2\n3" }), toolFinished(reads[1]));
    expect(text()).toBe(
      ["● read a.ts", "● grep x in src", "✓ read a.ts: 3 lines, 1.2 s", "  ✓ 1 line, 1.2 s", ""].join("\n"),
    );
  });

  it("shows a denied call although it never started", () => {
    const { show, text } = viewOf();
    show(
      ...answered("", [bash]),
      toolFinished(bash, { status: "denied", text: "Denied: the plan mode changes nothing." }),
    );
    expect(text()).toContain("⊘ bash npm test: Denied: the plan mode changes nothing, 1.2 s");
  });

  it("shows a bounded part of what a tool writes", () => {
    const { view, show, text } = viewOf();
    show(...answered("", [bash]), toolStarted(bash));
    for (let i = 0; i < 500; i++) view.delta({ type: "tool_progress", call: bash.call, text: `line ${i}\n` });
    expect(
      text()
        .split("\n")
        .filter((line) => line.startsWith("  │ line")),
    ).toHaveLength(PROGRESS_LINES_MAX);
    expect(text()).toContain("  │ …");
  });

  it("passes no control character of the model or a tool on", () => {
    const { view, show, text } = viewOf();
    view.delta({ type: "text", text: "a\u001b]0;owned\u0007b" });
    const nasty = toolUse("bash", { command: "echo \u001b[2J\nrm x" });
    show(...answered("a\u001b]0;owned\u0007b", [nasty]), toolStarted(nasty), toolFinished(nasty));
    expect(text()).not.toContain("\u001b");
    expect(text()).toContain("● bash echo ⏎ rm x");
  });

  it("knows after a resume what the calls are that an earlier run has left open", () => {
    const { view, show, text } = viewOf();
    view.resume([bash], { turn: 4, tokens: 9, cost: null });
    show({ kind: "ToolRequeued", data: { call: bash.call, note: null } }, toolStarted(bash));
    expect(text()).toBe("↻ runs again: bash npm test\n● bash npm test\n");
  });

  it("says what a resume found and undid", () => {
    const { show, text } = viewOf();
    show(
      { kind: "RunStarted", data: { run: ids.run(), number: 2, reason: "resume", pid: 1 } },
      { kind: "RecoveryFinished", data: { processes: 1, unprovable: 0 } },
      { kind: "CancelRequested", data: { by: "sigint", reason: "canceled by Ctrl+C" } },
    );
    expect(text()).toBe(
      "◆ run 2 goes on\n◆ recovered from the run that was cut off: 1 process of it proven dead\n! stopping: canceled by Ctrl+C\n",
    );
  });

  it("writes no escape sequence for any journal that can occur", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 30 }), { maxLength: 60 }), (numbers) => {
        const { view, text } = viewOf();
        view.events(simulate(choicesFrom(numbers)).events);
        view.tick();
        view.close();
        return !text().includes("\u001b") && (text() === "" || text().endsWith("\n"));
      }),
      { numRuns: 40 },
    );
  });
});

describe("a run in text mode, at a terminal", () => {
  const ERASE = "\r\u001b[2K";

  it("draws one live line with turns, tokens, money and time, and takes it away for every line above it", () => {
    const { view, show, written, pass } = viewOf({ terminal: true, columns: 100 });
    show(...answered("", [bash]), toolStarted(bash));
    pass(65_000);
    view.tick();
    expect(written.at(-1)).toBe(`${ERASE}⠙ turn 1 · 1.2k tokens · $0.012 · 1 min 5 s · bash npm test`);
    view.note("hello");
    expect(written.slice(-3, -1)).toEqual([ERASE, "hello\n"]);
    view.close();
    expect(written.at(-1)).toBe(ERASE);
  });

  it("never draws over streaming text", () => {
    const { view, written } = viewOf({ terminal: true });
    view.delta({ type: "text", text: "Half a line" });
    const before = written.length;
    view.tick();
    view.delta({ type: "thinking", text: "…" });
    expect(written).toHaveLength(before);
    view.delta({ type: "text", text: " and the rest\n" });
    view.tick();
    expect(written.at(-1)).toContain("turn 0");
  });

  it("fits the live line into the terminal", () => {
    const { view, show, written } = viewOf({ terminal: true, columns: 30 });
    show(...answered("", [bash]), toolStarted(bash));
    view.tick();
    expect(written.at(-1)).toBe(`${ERASE}⠙ $0.012 · bash npm test`);
  });

  const STANDING: Standing = {
    cost: nanoDollars(12_000_000),
    unknown_cost: NO_MONEY,
    left: { scope: "session", cost: nanoDollars(4_988_000_000) },
    cache_read_share: 0.914,
    context_tokens: 24_000,
  };
  const RATE: Delta = {
    type: "rate",
    used: [
      { what: "requests/min", share: 0.1 },
      { what: "input tokens/min", share: 0.62 },
    ],
  };

  /** The live line of a long command, as wide as the terminal lets it be. */
  function lineAt(columns: number): string {
    const { view, show, written, pass } = viewOf({ terminal: true, columns });
    const long = toolUse("bash", { command: "npm test -- --watch=false test/unit/cli" });
    show(...answered("", [long]), toolStarted(long));
    view.delta(RATE);
    view.standing(STANDING, 200_000);
    pass(65_000);
    view.tick();
    return (written.at(-1) ?? "").slice(ERASE.length);
  }

  it("shows money, what is left of it, the cache, the context and the rate, and always what is going on", () => {
    expect(lineAt(160)).toBe(
      "⠙ turn 1 · 1.2k tokens · $0.012 · $4.98 left · 91 % cached · 12 % context · 62 % of input tokens/min · 1 min 5 s · bash npm test -- --watch=false test/unit/cli",
    );
    expect(lineAt(120)).toBe(
      "⠙ turn 1 · $0.012 · $4.98 left · 91 % cached · 12 % context · 62 % of input tokens/min · 1 min 5 s · bash npm test -- …",
    );
    expect(lineAt(80)).toBe("⠙ turn 1 · $0.012 · $4.98 left · 12 % context · 1 min 5 s · bash npm test -- -…");
    for (const columns of [10, 20, 40, 80, 120, 200]) expect(displayWidth(lineAt(columns))).toBeLessThan(columns);
  });

  it("counts a wait for the rate down, and says what it is for", () => {
    const { view, show, written, pass } = viewOf({ terminal: true, columns: 120 });
    const reason = "62 % of input tokens/min used by 3 runs";
    view.delta({ type: "waiting", for: "rate", wait_ms: 4_000, reason });
    expect(written.at(-1)).toContain(` · waiting 4 s for rate: ${reason}`);
    pass(1_500);
    view.tick();
    expect(written.at(-1)).toContain(` · waiting 3 s for rate: ${reason}`);
    show(...answered("").slice(0, 2));
    expect(written.at(-1)).toContain(" · waiting for the model");
  });

  it("gives a tool's title and each line of its output one line, and whole lines where it is no terminal", () => {
    const long = toolUse("bash", { command: "x".repeat(150) });
    const widths = (facts: Parameters<typeof viewOf>[0]): readonly number[] => {
      const { view, show, text } = viewOf(facts);
      show(...answered("", [long]), toolStarted(long));
      view.delta({ type: "tool_progress", call: long.call, text: `${"y".repeat(300)}\n` });
      return text()
        .replaceAll("\r\u001b[2K", "\n")
        .split("\n")
        .filter((line) => /^(●| {2}│)/.test(line))
        .map((line) => line.length);
    };
    expect(widths({ terminal: true, columns: 40 })).toEqual([40, 40]);
    expect(widths({ terminal: false, columns: 40 })).toEqual([157, 304]);
  });

  it("says once what money stands in the way, however often it is looked whether it still does", () => {
    const { show, text } = viewOf();
    const held = (message: string, delay_ms: number): void => {
      const refused = { provider: "p", model: "m", attempt: 1, purpose: "turn", kind: "budget_held", message } as const;
      show(
        { kind: "ModelCallRefused", data: { ...refused, retry_after_ms: null, refused_by: null } },
        { kind: "RetryScheduled", data: { kind: "budget_held", attempt: 1, delay_ms, until: 9 } },
        { kind: "RetryWaited", data: {} },
      );
    };
    held("$0.10 is reserved by calls under way.", 100);
    held("$0.09 is reserved by calls under way.", 400);
    show(...answered("There it is."));
    held("$0.08 is reserved by calls under way.", 100);
    expect(text()).toBe(
      [
        "… not sent: $0.10 is reserved by calls under way.",
        "There it is.",
        "… not sent: $0.08 is reserved by calls under way.",
        "",
      ].join("\n"),
    );
  });

  it("does not say twice why another model takes over", () => {
    const { show, text } = viewOf();
    const chosen = { provider: "p", model: "m" };
    const why = { purpose: "turn" as const, kind: "circuit_open", message: "m failed too often." } as const;
    show(
      { kind: "ModelCallRefused", data: { ...chosen, ...why, attempt: 1, retry_after_ms: null, refused_by: null } },
      { kind: "ModelSwitched", data: { ...why, from: chosen, to: { provider: "p", model: "small" } } },
    );
    expect(text()).toBe("… not sent: m failed too often.\n! small takes over from m (circuit open)\n");
  });

  it("says on the live line that the set-up runs", () => {
    const { show, written } = viewOf({ terminal: true });
    show(...answered("I look."), { kind: "PhaseEntered", data: { phase: "setup", say: null } });
    expect(written.at(-1)).toContain(" · setup");
  });

  it("draws nothing while a person is asked", () => {
    const { view, written } = viewOf({ terminal: true });
    view.pause(true);
    const before = written.length;
    view.tick();
    expect(written).toHaveLength(before);
    view.pause(false);
    expect(written.length).toBeGreaterThan(before);
  });

  it("counts a wait down", () => {
    const { view, show, written, pass } = viewOf({ terminal: true });
    show({ kind: "RetryScheduled", data: { kind: "rate_limit", attempt: 2, delay_ms: 30_000, until: 9 } });
    pass(10_000);
    view.tick();
    expect(written.at(-1)).toContain("trying again in 20.0 s");
  });

  it("uses colours only where they are wanted", () => {
    const plain = viewOf({ terminal: true });
    plain.show({ kind: "SessionCreated", data: { title: "t" } });
    expect(plain.written[0]).toBe(`session ${SESSION}\n`);
    const colored = viewOf({ terminal: true, colors: true });
    colored.show({ kind: "SessionCreated", data: { title: "t" } });
    expect(colored.written[0]).toBe(`\u001b[2msession ${SESSION}\u001b[22m\n`);
  });
});
