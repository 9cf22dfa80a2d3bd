import { describe, expect, it } from "vitest";
import { formatAge, formatCount, formatDuration, plural } from "../../../src/cli/view/format.ts";
import { fittingTableLines, tableLines } from "../../../src/cli/view/table.ts";
import { displayWidth, padded, truncated } from "../../../src/cli/view/width.ts";

describe("numbers as people read them", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1.0 s"],
    [59_999, "59.9 s"],
    [60_000, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [3_600_000, "1 h 0 min"],
  ])("shows %i ms as %s", (ms, shown) => {
    expect(formatDuration(ms)).toBe(shown);
  });

  it.each([
    [0, "0"],
    [999, "999"],
    [1_234, "1.2k"],
    [123_456, "123k"],
    [999_949, "1000k"],
    [1_200_000, "1.2M"],
  ])("shows the count %i as %s", (count, shown) => {
    expect(formatCount(count)).toBe(shown);
  });

  it("tells ages roughly", () => {
    expect([30_000, 300_000, 7_200_000, 172_800_000].map(formatAge)).toEqual([
      "just now",
      "5 min ago",
      "2 h ago",
      "2 d ago",
    ]);
  });

  it("counts one and many", () => {
    expect([plural(1, "line"), plural(0, "line"), plural(2, "line")]).toEqual(["1 line", "0 lines", "2 lines"]);
  });
});

describe("columns", () => {
  it("counts wide characters as two and joined ones once", () => {
    expect(["abc", "漢字", "é", "e\u0301", "👩‍👩‍👧"].map(displayWidth)).toEqual([3, 4, 1, 1, 2]);
  });

  it("cuts what does not fit, never through a character", () => {
    expect(truncated("abcdef", 4)).toBe("abc…");
    expect(truncated("漢字漢字", 5)).toBe("漢字…");
    expect(truncated("abcd", 4)).toBe("abcd");
  });

  it("fills up to a width", () => {
    expect(padded("漢", 4)).toBe("漢  ");
  });

  it("leaves columns out, in the order they are missed least, until the last one can be read", () => {
    const table = (columns: number): readonly string[] =>
      fittingTableLines(
        ["ID", "STATE", "COST", "TASK"],
        [["1234567890", "completed", "$0.01", "fix the failing test"]],
        columns,
        [2, 1],
      );
    expect(table(60)[1]).toBe("1234567890  completed  $0.01  fix the failing test");
    expect(table(45)).toEqual(["ID          STATE      TASK", "1234567890  completed  fix the failing test"]);
    expect(table(34)).toEqual(["ID          TASK", "1234567890  fix the failing test"]);
    expect(table(20)[1]).toBe("1234567890  fix the…");
  });

  it("makes columns as wide as needed and cuts the last", () => {
    expect(
      tableLines(
        ["A", "B"],
        [
          ["1", "a long text that is cut"],
          ["22", "x"],
        ],
        16,
      ),
    ).toEqual(["A   B", "1   a long text…", "22  x"]);
  });
});
