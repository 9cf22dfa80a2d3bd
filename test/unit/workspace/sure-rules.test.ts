/** When a directory is ignored by its own name, whatever will be in it. */
import { describe, expect, it } from "vitest";
import { pathFromText } from "../../../src/workspace/byte-path.ts";
import { surelyIgnored } from "../../../src/workspace/snapshot/sure-rules.ts";

const sure = (rules: string, ...directories: readonly string[]): boolean =>
  surelyIgnored(Buffer.from(rules), directories.map(pathFromText));

describe("a directory is surely ignored", () => {
  it.each([
    ["node_modules\n", "node_modules"],
    ["node_modules/\n", "packages/one/node_modules"],
    ["/build/\n", "build"],
    ["packages/one/dist\n", "packages/one/dist"],
    ["/packages/**/dist/\n", "packages/one/dist"],
    ["!keep\nout\n", "out"],
  ])("by the rules %j: %s", (rules, directory) => {
    expect(sure(rules, directory)).toBe(true);
  });

  it.each([
    ["*.o\n", "out"],
    ["out/*\n", "out"],
    ["/build/\n", "sub/build"],
    ["out\n!out/keep\n", "out"],
    ["ou?\n", "out"],
    ["\\out\n", "out"],
    ["/pack*/**/dist/\n", "packages/one/dist"],
    ["", "out"],
  ])("not by the rules %j: %s", (rules, directory) => {
    expect(sure(rules, directory)).toBe(false);
  });

  it("only when every one is", () => {
    expect(sure("a\nb\n", "a", "b")).toBe(true);
    expect(sure("a\n", "a", "b")).toBe(false);
    expect(sure("")).toBe(true);
  });
});
