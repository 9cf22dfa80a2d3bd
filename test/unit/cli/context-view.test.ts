/** The chart and the tables of `belay context`, as they are drawn. */
import { describe, expect, it } from "vitest";
import { chartLines, type ChartColumn, legend } from "../../../src/cli/view/context-chart.ts";
import { contextPhrase, NO_USE, usedContext } from "../../../src/cli/view/context-phrase.ts";
import { partLines } from "../../../src/cli/view/context-view.ts";
import { paintFor } from "../../../src/cli/view/paint.ts";
import { displayWidth } from "../../../src/cli/view/width.ts";
import type { Draft } from "../../../src/kernel/events/index.ts";
import { DEFAULT_CONTEXT } from "../../../src/kernel/work-policy.ts";
import { testConfig } from "../../support/config.ts";
import { answered, sealed } from "./sealed-events.ts";

const plain = { columns: 80, ascii: false, paint: paintFor(false) };

const bar = (turn: number, tokens: number, ...compactions: ChartColumn["compactions"]): ChartColumn => ({
  turn,
  tokens,
  threshold: 16_000,
  compactions,
});

describe("the chart", () => {
  const bars = [bar(1, 2_000), bar(2, 8_000), bar(3, 16_000), bar(4, 4_000, "micro", "auto"), bar(5, 9_000, "micro")];

  it("has a bar for each request, the threshold as a line, and a letter where it was compacted", () => {
    expect(chartLines(bars, plain)).toEqual([
      "16.0k ┤┄┄┄┄┄┄███┄┄┄┄┄┄",
      "      ┤      ███",
      "      ┤      ███",
      "      ┤      ███   ▄▄▄",
      " 8.0k ┤   ██████   ███",
      "      ┤   ██████   ███",
      "      ┤   ████████████",
      "      ┤███████████████",
      "    0 └───────────────",
      "                A  m",
      " turn  1           5",
    ]);
    expect(legend(bars)).toBe("m old results cleared · A compacted");
  });

  it("is drawn with signs of ASCII where nothing else can be shown", () => {
    const lines = chartLines(bars, { ...plain, ascii: true });
    expect(lines).toEqual([
      "16.0k |------###------",
      "      |      ###",
      "      |      ###",
      "      |      ###   :::",
      " 8.0k |   ######   ###",
      "      |   ######   ###",
      "      |   ############",
      "      |###############",
      "    0 +---------------",
      "                A  m",
      " turn  1           5",
    ]);
    expect(lines.join("")).toMatch(/^[\x20-\x7e]*$/);
  });

  it("draws a context that is far below its threshold as large as it can, without the line", () => {
    const [top = "", ...rest] = chartLines([bar(1, 500), bar(2, 1_000)], plain);
    expect(top).toBe("1.0k ┤   ███".padStart(top.length));
    expect(rest.join("\n")).not.toContain("┄");
  });

  it("fits the terminal however many turns there are, and no compaction is lost between two bars", () => {
    const many = Array.from({ length: 1_000 }, (_, i) =>
      i === 501 ? bar(i + 1, 9_000, "reactive") : bar(i + 1, 5_000),
    );
    for (const columns of [40, 80, 140]) {
      const lines = chartLines(many, { ...plain, columns });
      expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(columns);
      expect(lines.filter((line) => line.includes("R"))).toHaveLength(1);
    }
  });

  it("of no turn is nothing", () => {
    expect(chartLines([], plain)).toEqual([]);
  });
});

describe("the table of parts", () => {
  const parts = {
    tokens: 10_000,
    estimated: 0,
    parts: [
      { kind: "task", name: "", tokens: 500 },
      { kind: "result", name: "grep", tokens: 1_500 },
      { kind: "result", name: "read", tokens: 6_000 },
      { kind: "system", name: "with tool schemas", tokens: 1_990 },
      { kind: "file", name: "src/a/very/long/path/to/some/file\u001b[2J.ts", tokens: 10 },
    ],
  } as const;

  it("has the parts in the order of a prompt, tools below their results, and shares that are never quite nothing", () => {
    expect(partLines(parts, plain)).toEqual([
      "PART                                TOKENS  SHARE",
      "system prompt with tool schemas      1,990   20 %  ██████",
      "files mentioned                         10   <1 %  ▏",
      "  …long/path/to/some/file.ts            10   <1 %",
      "task and messages                      500    5 %  █▌",
      "tool results                         7,500   75 %  ██████████████████████▌",
      "  read                               6,000   60 %",
      "  grep                               1,500   15 %",
      "total                               10,000  100 %",
    ]);
  });

  it("fits 80 columns", () => {
    expect(Math.max(...partLines(parts, plain).map(displayWidth))).toBeLessThanOrEqual(80);
  });
});

describe("the context in one phrase", () => {
  it("says how full it is and what was taken out; nothing where that is no news", () => {
    expect(contextPhrase({ tokens: 41_000, window: 100_000, compactions: 0, freed: 0 })).toBe("41 % of 100k tokens");
    expect(contextPhrase({ tokens: 20_000, window: 100_000, compactions: 2, freed: 61_000 })).toBe(
      "20 % of 100k tokens, 2 compactions freed 61.0k",
    );
    expect(contextPhrase({ tokens: 900, window: 100_000, compactions: 0, freed: 0 })).toBeNull();
    expect(contextPhrase(NO_USE)).toBeNull();
  });

  it("is told from events alone", () => {
    const config = testConfig({ context: { ...DEFAULT_CONTEXT, window: 10_000 } });
    const drafts: readonly Draft[] = [{ kind: "SessionConfigured", data: { config } }, ...answered("Done.")];
    const use = sealed(...drafts).reduce(usedContext, NO_USE);
    expect(contextPhrase(use)).toBe("10 % of 10.0k tokens");
  });
});
