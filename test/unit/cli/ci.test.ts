import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { ciOf } from "../../../src/cli/ci.ts";
import { codeSpan, fenced, locatedIn, outputLine, workflowCommand } from "../../../src/cli/ci-github.ts";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { LINE_CHARS_MAX, LogSink } from "../../../src/cli/view/log-sink.ts";
import { jsonWithoutCommands, withoutCommands } from "../../../src/cli/view/log-text.ts";
import { safeText } from "../../../src/cli/view/safe-text.ts";

/** As the runner looks for commands: its own two forms. */
function obeyed(line: string): boolean {
  return line.trimStart().startsWith("::") || /##\w*\[/.test(line);
}

describe("the service", () => {
  it.each([
    [
      { GITHUB_ACTIONS: "true", CI: "true" },
      { name: "GitHub Actions", github: true },
    ],
    [
      { GITLAB_CI: "true", CI: "true" },
      { name: "GitLab CI", github: false },
    ],
    [{ BUILDKITE: "true" }, { name: "Buildkite", github: false }],
    [{ JENKINS_URL: "http://ci.example" }, { name: "Jenkins", github: false }],
    [{ CI: "1" }, { name: "CI", github: false }],
    [{ CI: "false" }, null],
    [{ CI: "" }, null],
    [{}, null],
  ] as const)("of %j is %j", (environment, ci) => {
    expect(ciOf(environment)).toEqual(ci);
  });
});

describe("colours in a log", () => {
  it.each([
    [{ FORCE_COLOR: "1" }, true],
    [{ FORCE_COLOR: "" }, true],
    [{ CLICOLOR_FORCE: "1" }, true],
    [{ FORCE_COLOR: "0" }, false],
    [{ CLICOLOR_FORCE: "0" }, false],
    [{}, false],
  ] as const)("with %j are asked for: %j", (environment, asked) => {
    expect(readEnvironment(environment, "/home/a").forceColor).toBe(asked);
  });
});

describe("a line of a log", () => {
  it.each([
    ["::set-output name=a::b", "\\::set-output name=a::b"],
    ["  \t::error::x", "  \t\\::error::x"],
    ["\u00a0\u2003::error::x", "\u00a0\u2003\\::error::x"],
    ["\u001b[2m::error::x", "\u001b[2m\\::error::x"],
    ["a ##[set-env name=PATH;]/x", "a #\\#[set-env name=PATH;]/x"],
    ["###[x] ##vso[task.y]z ##teamcity[z]", "##\\#[x] #\\#vso[task.y]z #\\#teamcity[z]"],
    ["std::vector<int> ## a heading", "std::vector<int> ## a heading"],
  ])("%j becomes %j", (line, text) => {
    expect(withoutCommands(line)).toBe(text);
  });

  it("is never a command, whatever is in it", () => {
    const hostile = fc.array(
      fc.constantFrom("::", ":", "#", "##", "[", "vso[", " ", "\t", "\u0085", "a", "]", "\n", "\r"),
    );
    fc.assert(
      fc.property(hostile, (parts) => {
        const lines: string[] = [];
        const sink = new LogSink({
          write: (text) => lines.push(text),
          colors: false,
          columns: () => 80,
          monotonic: () => 0,
        });
        for (const part of parts) sink.write(safeText(part));
        sink.write("\n");
        expect(lines.flatMap((text) => text.split("\n")).filter(obeyed)).toEqual([]);
      }),
    );
  });

  it("of JSON says the same and holds no command", () => {
    const value = { text: "##[set-output name=x]y ##vso[a] \\##[b]", "##[k]": "::error::" };
    const line = jsonWithoutCommands(JSON.stringify(value));
    expect(obeyed(line)).toBe(false);
    expect(JSON.parse(line)).toEqual(value);
  });

  it("is written whole, and one without an end is bounded", () => {
    const written: string[] = [];
    const sink = new LogSink({
      write: (text) => written.push(text),
      colors: false,
      columns: () => 80,
      monotonic: () => 0,
    });
    sink.write("a");
    sink.write("b\nc");
    expect(written).toEqual(["ab\n"]);
    sink.write("x".repeat(LINE_CHARS_MAX));
    expect(written).toHaveLength(2);
  });

  it("of belay's own ends what was begun", () => {
    const written: string[] = [];
    const sink = new LogSink({
      write: (text) => written.push(text),
      colors: false,
      columns: () => 80,
      monotonic: () => 0,
    });
    sink.write("half");
    sink.command("::endgroup::");
    expect(written.join("")).toBe("half\n::endgroup::\n");
  });
});

describe("a workflow command", () => {
  it("escapes what its message and its properties could say to the runner", () => {
    expect(workflowCommand("error", "100%\n::stop::\r##[x]", { file: "a,b:c.ts", line: 3 })).toBe(
      "::error file=a%2Cb%3Ac.ts,line=3::100%25%0A::stop::%0A#\\#[x]",
    );
    expect(workflowCommand("endgroup", "")).toBe("::endgroup::");
  });
});

describe("the output of a verification", () => {
  it("names places in the forms of compilers, linters and tsc, each once, inside the repository", () => {
    const output = [
      "src/a.ts:3:7 - error TS1: no",
      "  ./src/b.c:12: warning: unused",
      "src/c.ts(4,5): error TS2: no",
      "src/a.ts:3:9: again",
      "/etc/passwd:1:1: outside",
      "../x.ts:1:1: outside",
      "at 12:30:00 nothing",
      "http://example.org:80 nothing",
    ].join("\n");
    expect(locatedIn(output)).toEqual([
      { file: "src/a.ts", line: 3, col: 7, message: "- error TS1: no" },
      { file: "src/b.c", line: 12, col: null, message: "warning: unused" },
      { file: "src/c.ts", line: 4, col: 5, message: "error TS2: no" },
    ]);
  });

  it("is annotated at most as often as GitHub shows", () => {
    const many = Array.from({ length: 50 }, (_, i) => `a.ts:${i + 1}: no`).join("\n");
    expect(locatedIn(many)).toHaveLength(9);
  });
});

describe("text of others in a summary", () => {
  it("stays in its fence and in its cell", () => {
    expect(fenced("a\n````\n![x](http://evil)")).toBe("`````text\na\n````\n![x](http://evil)\n`````");
    expect(codeSpan("a|`b`")).toBe("`` a\\|`b` ``");
    expect(outputLine("branch", "a\nexit_code=0")).toBe("branch=a ⏎ exit_code=0");
  });
});
