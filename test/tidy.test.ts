/** What linters cannot see. Every check is a pure function over files, and is shown to fail on a planted example. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ERROR_TABLE } from "../src/kernel/error-kind.ts";

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

type Check = (files: readonly SourceFile[]) => readonly string[];

const ROOT = join(import.meta.dirname, "..");
const LINES_MAX = 450;
const FILE_BYTES_MAX = 1024 * 1024;

/** Written in pieces: this file is checked, too. */
const BANNED: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: new RegExp(String.raw`(?<![\w.-])/(wo${"rk"}|fa${"rm"})/[a-z]`),
    instead: "a path relative to the repository or below os.tmpdir()",
  },
  {
    pattern: new RegExp(String.raw`registry\.(npm${"js"}|yarn${"pkg"})\.`),
    instead: "nothing: npm knows its registry",
  },
  { pattern: new RegExp(`FIX${"ME"}`), instead: "the fix, or an issue" },
];

const bannedWords: Check = (files) =>
  eachLine(files, (line) => BANNED.find(({ pattern }) => pattern.test(line))?.instead, "use instead:");

const longFiles: Check = (files) =>
  files
    .filter(({ path }) => path.startsWith("src/"))
    .map(({ path, text }) => ({ path, lines: text.split("\n").length }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path} has ${lines} lines, more than ${LINES_MAX}: split it by concept`);

const focusedTests: Check = (files) =>
  eachLine(
    tests(files),
    (line) => (/\b(it|test|describe|suite)\.only\b/.test(line) ? "the whole suite" : undefined),
    "run",
  );

/** A skip says why, where it is read: as the note of `context.skip(…)`, or as `// reason: …` on its line or the one before. */
const silentSkips: Check = (files) =>
  tests(files).flatMap(({ path, text }) => {
    const lines = text.split("\n");
    return lines.flatMap((line, i) => {
      if (!/\.(skip|skipIf|runIf|todo)\(/.test(line)) return [];
      const hasNote = /\.skip\([^)]*["'`a-zA-Z]/.test(line) && !/\b(it|test|describe)\.skip\(/.test(line);
      const hasReason = [lines[i - 1], line].some((near) => near?.includes("reason:") === true);
      return hasNote || hasReason ? [] : [`${path}:${i + 1} skips without a reason`];
    });
  });

const errorRows: Check = (files) => {
  const page = files.find(({ path }) => path === "docs/errors.md")?.text ?? "";
  return Object.keys(ERROR_TABLE)
    .filter((kind) => !page.includes(`| \`${kind}\` |`))
    .map((kind) => `${kind} has no row in docs/errors.md: run \`npm run docs\``);
};

const provenGuarantees: Check = (files) => {
  const page = files.find(({ path }) => path === "docs/GUARANTEES.md")?.text ?? "";
  const known = new Set(files.map(({ path }) => path));
  return [...page.matchAll(/\btest\/[\w./-]+\.ts\b/g)]
    .map(([path]) => path)
    .filter((path) => !known.has(path))
    .map((path) => `docs/GUARANTEES.md names ${path}, which does not exist`);
};

/** The oldest Node is named in four places, of which three cannot import the fourth. */
const oldestNode: Check = (files) => {
  const text = (path: string): string => files.find((file) => file.path === path)?.text ?? "";
  const oldest = /"node": ">=([\d.]+)"/.exec(text("package.json"))?.[1] ?? "";
  const places: readonly [string, string][] = [
    ["src/cli/guard.ts", `[${oldest.replaceAll(".", ", ")}]`],
    ["scripts/node-guard.js", `[${oldest.replaceAll(".", ", ")}]`],
    ["bin/belay", `Node ${oldest}`],
  ];
  return places
    .filter(([path, needed]) => !text(path).includes(needed))
    .map(([path]) => `${path} does not name Node ${oldest}`);
};

const CHECKS: readonly { readonly name: string; readonly check: Check; readonly planted: readonly SourceFile[] }[] = [
  {
    name: "no committed text names a machine's paths, a registry or an open repair",
    check: bannedWords,
    planted: [{ path: "docs/a.md", text: `see /wo${"rk"}/main\nand FIX${"ME"}` }],
  },
  {
    name: `no source file has more than ${LINES_MAX} lines`,
    check: longFiles,
    planted: [{ path: "src/kernel/huge.ts", text: "\n".repeat(LINES_MAX + 1) }],
  },
  {
    name: "no test is focused",
    check: focusedTests,
    planted: [{ path: "test/a.test.ts", text: `it.on${"ly"}("x", () => {});` }],
  },
  {
    name: "every skipped test says why",
    check: silentSkips,
    planted: [{ path: "test/a.test.ts", text: `it.sk${"ip"}("x", () => {});\ncontext.sk${"ip"}();` }],
  },
  {
    name: "every error kind has a row in docs/errors.md",
    check: errorRows,
    planted: [{ path: "docs/errors.md", text: "" }],
  },
  {
    name: "every test that docs/GUARANTEES.md names exists",
    check: provenGuarantees,
    planted: [{ path: "docs/GUARANTEES.md", text: "proven by `test/crash/none.test.ts`" }],
  },
  {
    name: "every place that names the oldest Node names the same",
    check: oldestNode,
    planted: [{ path: "package.json", text: '"node": ">=30.1.2"' }],
  },
];

describe("the tidy house", () => {
  const files = committedFiles();

  it("is looked at", () => {
    expect(files.length).toBeGreaterThan(50);
  });

  for (const { name, check, planted } of CHECKS) {
    it(name, () => {
      expect(check(files)).toEqual([]);
    });
    it(`${name}: fails on a planted example`, () => {
      expect(check(planted)).not.toEqual([]);
    });
  }
});

/** What is committed or would be: everything that git does not ignore. */
function committedFiles(): readonly SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return listed
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).size < FILE_BYTES_MAX)
    .filter((path) => statSync(join(ROOT, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
}

function tests(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => path.startsWith("test/") && path.endsWith(".ts") && path !== "test/tidy.test.ts");
}

function eachLine(
  files: readonly SourceFile[],
  problem: (line: string) => string | undefined,
  words: string,
): readonly string[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, i) => {
      const found = problem(line);
      return found === undefined ? [] : [`${path}:${i + 1} ${words} ${found}`];
    }),
  );
}
