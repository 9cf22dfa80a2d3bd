/** Task files: what is refused and where, what proves nothing, and what a task comes to. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { checkTask, type Finding } from "../../../src/cli/task-file/check.ts";
import { provesNothing, verifyCommand } from "../../../src/cli/task-file/criteria.ts";
import { taskJsonSchema } from "../../../src/cli/task-file/schema.ts";
import { readSource, TASK_FILE_BYTES_MAX } from "../../../src/cli/task-file/source.ts";
import { taskOptions, taskText } from "../../../src/cli/task-file/task-run.ts";
import type { TaskFile } from "../../../src/cli/task-file/schema.ts";

const GOOD = `kind: fix
objective: The parser drops the last line of a file without a newline at its end.
inputs: [src/parse.ts, "test/**/*.ts"]
success_criteria: [npm test, npm run lint]
limits:
  turns: 40
  cost: 2.00
  tokens: 500k
constraints: ["Leave @exported names alone."]
phases: [explore, { name: port, tools: [read, edit], read_only: false }]
review_every: 4
model: fast
allowed_tools: [read, edit, bash, mcp__x__y]
`;

const KNOWN = {
  exists: (input: string) => input !== "gone.ts",
  phases: ["explore", "implement"],
  isModel: (name: string) => name === "fast",
  tools: ["read", "edit", "bash"],
};

async function checked(text: string): Promise<TaskFile | readonly Finding[]> {
  const source = await readSource(text);
  if ("mend" in source) return [source];
  const found = checkTask(source, KNOWN);
  return "task" in found ? found.task : found.findings;
}

/** `line what`, of each finding. */
async function findings(text: string): Promise<readonly string[]> {
  const found = await checked(text);
  return "kind" in found ? [] : found.map(({ line, what }) => `${String(line)} ${what}`);
}

const changed = (line: RegExp, to: string): string => GOOD.replace(line, to);

describe("a task file", () => {
  it("that says enough has nothing against it", async () => {
    expect(await findings(GOOD)).toEqual([]);
  });

  it.each([
    ["no criterion", /success_criteria.*\n/, "", "1 there is no `success_criteria`"],
    ["an empty list of them", /\[npm test.*\]/, "[]", "4 there is no success criterion"],
    ["no inputs", /inputs.*\n/, "", "1 there are no `inputs`"],
    ["inputs that are not there", /src\/parse\.ts/, "gone.ts", "3 no file fits the input `gone.ts`"],
    ["no bound", /limits:\n(?: {2}.*\n)+/, "limits: {}\n", "5 there is no bound"],
    ["no limits", /limits:\n(?: {2}.*\n)+/, "", "1 there are no `limits`"],
    [
      "a vague objective",
      /The parser.*/,
      "Please clean up the code.",
      '2 the objective is vague: "Please clean up the code." fits any project',
    ],
    ["a short one", /The parser.*/, "Parser faster", "2 the objective is too short to be understood"],
    [
      "a criterion that always succeeds",
      /npm test/,
      "exit 0",
      "4 the success criterion `exit 0` proves nothing: it always succeeds",
    ],
    ["an unknown key", /review_every/, "review_evry", "11 `review_evry` is not known"],
    ["an unknown key below", /turns/, "turn", "6 `turn` is not known"],
    ["an unknown key of a phase", /read_only/, "readonly", "10 `readonly` is not known"],
    ["an unknown phase", /explore/, "explor", "10 there is no phase `explor`"],
    ["an unknown model", /fast/, "slow", "12 `slow` is no model that is known"],
    ["an unknown tool", /bash/, "bsh", "13 there is no tool `bsh`"],
    ["a wrong amount", /2\.00/, "lots", "7 `limits.cost`: It must be an amount in dollars, such as 2.00"],
  ])("with %s is refused at its line", async (_what, line, to, finding) => {
    expect(await findings(changed(line, to))).toEqual([finding]);
  });

  it("names all that is wrong at once, in the order of its lines", async () => {
    const all = await findings("kind: fix\nobjective: improve performance\nlimits: {}\n");
    expect(all.map((one) => one.replace(/ .*/, ""))).toEqual(["1", "1", "2", "3"]);
  });

  it.each([
    ["a key twice", "kind: fix\nkind: fix\n", "2 it is no YAML: Map keys must be unique"],
    ["an alias", "a: &a [x, x]\nb: [*a, *a]\n", "1 it has an alias"],
    ["a bracket that does not end", "a: [x\n", "it is no YAML"],
    ["more than the bound", `a: ${"x".repeat(TASK_FILE_BYTES_MAX)}\n`, "1 it has more than 32768 bytes"],
    ["a list", "- x\n", "1 the whole: expected object, received array"],
    ["nothing", "", "1 the whole: expected object, received null"],
  ])("that is %s is refused", async (_what, text, finding) => {
    expect((await findings(text))[0]).toContain(finding);
  });

  it("may be nested as deep as it wants, and is refused for it", async () => {
    expect((await findings(`a: ${"[".repeat(20_000)}`)).length).toBe(1);
  });

  it("has a schema that names every member", () => {
    const { properties, additionalProperties } = taskJsonSchema() as {
      properties: object;
      additionalProperties: boolean;
    };
    expect(Object.keys(properties)).toEqual([
      "kind",
      "objective",
      "inputs",
      "success_criteria",
      "limits",
      "constraints",
      "phases",
      "review_every",
      "model",
      "allowed_tools",
    ]);
    expect(additionalProperties).toBe(false);
  });
});

describe("a criterion", () => {
  it.each([
    "true",
    ":",
    "echo ok",
    "exit 0",
    "exit",
    "npm test || true",
    "npm test || :",
    "npm test || echo red",
    "npm test; true",
    "npm test\nexit 0",
    "npm test | tee log",
    "# npm test",
    "npm test &",
    "make && echo done | cat",
    "/bin/true",
  ])("such as `%s` proves nothing", (command) => {
    expect(provesNothing(command)).not.toBeNull();
  });

  it.each([
    "npm test",
    "grep -q x a.txt",
    "test -f a || exit 1",
    "npm test && echo ok",
    "npm test | grep -q passed",
    "set -o pipefail; npm test | tee log",
    "! grep -q TODO src/a.ts",
    "[ -s a.txt ]",
    "echo x | diff - a.txt",
  ])("such as `%s` may prove something", (command) => {
    expect(provesNothing(command)).toBeNull();
  });

  it("among several is run after those before it, and the first red one is named", () => {
    const script = verifyCommand(["test 1 = 1", "test 'a' = 'b' # no", "echo never"]) ?? "";
    const end = (() => {
      try {
        return { code: 0, out: execFileSync("bash", ["-c", script], { encoding: "utf8" }) };
      } catch (error) {
        const { status, stdout } = error as { status: number; stdout: string }; // of a command that failed
        return { code: status, out: stdout };
      }
    })();
    expect(end).toEqual({ code: 1, out: "success criterion 2 of 3 is red: test 'a' = 'b' # no\n" });
    expect(verifyCommand(["npm test"])).toBe("npm test");
  });
});

describe("what a task file comes to", () => {
  it("goes before nothing that was said on the command line, and its limits come on top of what was used", async () => {
    const task = (await checked(GOOD)) as TaskFile; // nothing stands against it
    const spent = { turns: 10, minutes: 3, tokens: 1_000, cost: 5e8 as never };
    expect(taskOptions(task, { output: "json", maxTurns: 7 }, spent)).toEqual({
      output: "json",
      maxTurns: 7,
      maxTokens: 501_000,
      budget: 2.5e9,
      verify: verifyCommand(["npm test", "npm run lint"]),
      phaseList: ["explore", { name: "port", tools: ["read", "edit"], read_only: false }],
      reviewEvery: 4,
      model: "fast",
      allowedTools: ["read", "edit", "bash", "mcp__x__y"],
    });
  });

  it("is told with its criteria and constraints, and mentions no file but its inputs", async () => {
    const text = taskText((await checked(GOOD)) as TaskFile); // as above
    expect(text).toContain("- npm run lint");
    expect(text).toContain(String.raw`Leave \@exported names alone.`);
  });
});
