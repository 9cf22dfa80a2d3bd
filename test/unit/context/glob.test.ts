import picomatch from "picomatch";
import { describe, expect, it } from "vitest";
import { compileGlob, GLOB_CHARS_MAX, PATH_CHARS_MAX } from "../../../src/context/glob.ts";
import { fc } from "../../support/property.ts";

const fits = (glob: string, path: string): boolean => compileGlob(glob)?.(path) ?? false;

describe("a glob of a rule", () => {
  it.each([
    ["**/*.ts", ["a.ts", "src/a.ts", "src/.hidden/a.ts"], ["a.tsx", "src/ats"]],
    ["src/**/*", ["src/a", "src/a/b/c.ts"], ["src", "lib/src/a"]],
    ["src/**", ["src/a", "src/a/b"], ["lib/a"]],
    ["*.md", ["README.md"], ["docs/a.md"]],
    ["src/**/*.{ts,tsx}", ["src/a.ts", "src/x/y.tsx"], ["src/a.js"]],
    ["{src,lib}/*.{a,b{c,d}}", ["src/x.a", "lib/x.bc", "lib/x.bd"], ["src/x.b"]],
    ["src/[ab]?.ts", ["src/a1.ts"], ["src/c1.ts", "src/a.ts"]],
    ["src/[!a-c].ts", ["src/d.ts"], ["src/b.ts"]],
    ["./src/api/", ["src/api/x/y.ts"], ["src/apix"]],
    ["a**b/c", ["aXXb/c"], ["a/b/c"]],
    ["packages/*/src/**/__tests__/**", ["packages/a/src/b/__tests__/c.ts"], ["packages/a/b/src/__tests__/c.ts"]],
    ["src/(app)/[id", ["src/(app)/[id"], ["src/app/i"]],
  ])("%s", (glob, about, others) => {
    expect(about.filter((path) => !fits(glob, path))).toEqual([]);
    expect(others.filter((path) => fits(glob, path))).toEqual([]);
  });

  it("means what picomatch means by it", () => {
    const piece = fc.constantFrom("*", "**", "?", "a", "ab", "b");
    const segment = fc.array(piece, { minLength: 1, maxLength: 3 }).map((all) => all.join(""));
    const glob = fc.array(segment, { minLength: 1, maxLength: 4 }).map((all) => all.join("/"));
    const path = fc.array(fc.stringMatching(/^[ab]{1,4}$/), { minLength: 1, maxLength: 5 }).map((all) => all.join("/"));
    fc.assert(
      fc.property(glob, path, (one, of) => {
        // picomatch takes `src/**` to be about `src` itself, which is no file; and has words of its own for stars in a row.
        fc.pre(!/\*\*$|\*{3}|[^/]\*\*|\*\*[^/]/.test(one));
        expect(fits(one, of)).toBe(picomatch.isMatch(of, one, { dot: true }));
      }),
    );
  });

  it("of many stars takes no longer than its length times that of the path", () => {
    // With a regular expression each of these takes hours.
    const names = "a".repeat(PATH_CHARS_MAX);
    const directories = "a/".repeat(PATH_CHARS_MAX / 2 - 1) + "a";
    expect(fits(`${"*a".repeat(90)}*b`, names)).toBe(false);
    expect(fits(`${"**/a/".repeat(39)}b`, directories)).toBe(false);
    expect(fits(`${"**/".repeat(60)}*b`, directories)).toBe(false);
    expect(fits(`${"*".repeat(190)}b`, names)).toBe(false);
  });

  it("is refused when it is too long, empty, or comes to too many alternatives", () => {
    expect(compileGlob("a".repeat(GLOB_CHARS_MAX + 1))).toBeNull();
    expect(compileGlob(" ")).toBeNull();
    expect(compileGlob("{a,b}".repeat(30))).toBeNull();
    expect(compileGlob(`{${"a,".repeat(90)}}`)).toBeNull();
    expect(compileGlob("{".repeat(150))?.("{".repeat(150))).toBe(true);
  });

  it("is about no path that is longer than paths are", () => {
    expect(fits("**", "a".repeat(PATH_CHARS_MAX + 1))).toBe(false);
  });
});
