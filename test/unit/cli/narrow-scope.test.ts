/**
 * Phases, reviews, fresh conversations, task files and queues, through the real command in this process: real HTTP, a real repository, a store of its
 * own. Without the sandbox, which has tests of its own.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { environmentOf } from "../../support/cli.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { type TestPlace, testPlace } from "../../support/session.ts";

interface World {
  readonly place: TestPlace;
  readonly emulator: Emulator;
  belay(...args: readonly string[]): Promise<ProgramEnd>;
  report(end: ProgramEnd): Report;
}

interface Report {
  readonly session: string;
  readonly outcome: string;
  readonly turns: number;
  readonly review: {
    readonly since_review: number;
    readonly files: readonly { readonly path: string }[];
    readonly steps: readonly { readonly what: string; readonly ok: boolean }[];
    readonly next: { readonly from: string; readonly text: string } | null;
  } | null;
}

async function world(scenario: ScenarioInput): Promise<World> {
  const place = testPlace();
  const emulator = await startEmulator({ scenario });
  onTestFinished(() => emulator.close());
  return {
    place,
    emulator,
    belay: (...args) =>
      program({ directory: place.directory, cwd: place.repository, variables: environmentOf(place, emulator) }, args),
    // The last line of `--output json`, printed by the command under test.
    report: ({ out }) => JSON.parse(out.trim().split("\n").at(-1) ?? "") as Report,
  };
}

const RUN = ["run", "--no-sandbox", "--output", "json"] as const;
const RESUME = ["resume", "--output", "json"] as const;

const call = (
  tool: string,
  input: Readonly<Record<string, unknown>>,
): { tool: string; input: Readonly<Record<string, unknown>> } => ({
  tool,
  input,
});
const EDIT = call("edit", { path: "src/app.js", old_string: "return 1", new_string: "return 2" });
const WRITE = call("write", { path: "made.txt", content: "made\n" });
const LIST = call("todo", {
  items: [
    { text: "change the number", status: "done" },
    { text: "write the changelog", status: "pending" },
  ],
});

function bodies({ emulator }: World): readonly string[] {
  return emulator.requests.map(({ body }) => JSON.stringify(body));
}

describe("phases", () => {
  it("go one after the other: a read-only one changes nothing, and the next one has its own instructions", async () => {
    const at = await world({
      turns: [
        {
          say: "I look.",
          call: [EDIT, call("bash", { command: "cat notes.txt" }), call("bash", { command: "rm notes.txt" })],
        },
        { say: "Found." },
        { say: "I change.", call: [EDIT] },
        { say: "Changed." },
      ],
    });
    const end = await at.belay(...RUN, "--phases", "explore,implement", "change the number");
    expect(at.report(end)).toMatchObject({ outcome: "completed", turns: 4 });
    const [first = "", second = "", third = ""] = bodies(at);
    expect(first).toContain("Phase 1 of 2");
    expect(first).not.toContain("Phase 2 of 2");
    expect(second.match(/the phase `explore` changes nothing/g)).toHaveLength(2);
    expect(second).toContain("some notes");
    expect(third).toContain("Phase 2 of 2");
  });

  it("of the settings are gone through without being named, with tools of their own; an unknown name says which there are", async () => {
    const at = await world({ turns: [{ call: [WRITE] }, { say: "Seen." }] });
    mkdirSync(at.place.home, { recursive: true });
    writeFileSync(
      join(at.place.home, "settings.json"),
      JSON.stringify({ phases: [{ name: "look", tools: ["Read", "Grep"], instructions: "Only look." }] }),
    );
    const end = await at.belay(...RUN, "look at it");
    expect(at.report(end).outcome).toBe("completed");
    expect(bodies(at)[1]).toContain("the phase `look` may use only Read, Grep");
    const wrong = await at.belay(...RUN, "--phases", "explor", "look");
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("explore, plan, implement, verify, look");
  });
});

describe("a review", () => {
  it("is due after so many turns, says what was done and what is next, and only a yes or a remark goes on", async () => {
    const at = await world({
      turns: [
        { say: "I begin.", call: [EDIT, LIST] },
        { say: "Then I verify.", call: [call("read", { path: "src/app.js" })] },
        { call: [call("read", { path: "notes.txt" })] },
        { call: [WRITE] },
        { say: "Done." },
      ],
    });
    const paused = await at.belay(...RUN, "--review-every", "2", "change the number");
    expect(paused.code).toBe(5);
    const { session, outcome, review } = at.report(paused);
    expect(outcome).toBe("needs_review");
    expect(review).toMatchObject({
      since_review: 2,
      files: [{ path: "src/app.js", status: "modified", added: 1, removed: 1 }],
      gate: { status: "none" },
      steps: [
        { what: "edit src/app.js", ok: true },
        { what: "todo", ok: true },
        { what: "read src/app.js", ok: true },
      ],
      next: { from: "queue", text: "write the changelog" },
    });
    const shown = await at.belay("sessions", "show", session, "--review", "--json");
    expect(JSON.parse(shown.out)).toEqual(review);

    const refused = await at.belay(...RESUME);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("--approve");
    expect(refused.err).toContain("--message");

    const remarked = await at.belay(...RESUME, "--message", "Mind the notes.");
    expect(remarked.code).toBe(5);
    expect(bodies(at)[2]).toContain("Mind the notes.");
    const approved = await at.belay(...RESUME, "--approve");
    expect(at.report(approved)).toMatchObject({ outcome: "completed", review: null });
    const idle = await at.belay(...RESUME, "--approve");
    expect(idle.code).toBe(2);
    expect(idle.err).toContain("waits for no review");
  });
});

describe("run --next", () => {
  it("begins a fresh conversation in the same session and files, with the next item of the list where no task is said", async () => {
    const at = await world({
      conversations: [
        { task_contains: "say goodbye", turns: [{ say: "Goodbye." }] },
        {
          task_contains: "<continuity>",
          turns: [{ call: [call("read", { path: "src/app.js" })] }, { say: "Written." }],
        },
      ],
      turns: [{ call: [EDIT, LIST] }, { say: "The number is changed, of which nobody hears again." }],
    });
    const first = at.report(await at.belay(...RUN, "change the number"));
    const second = at.report(await at.belay("run", "--output", "json", "--next"));
    expect(second).toMatchObject({ session: first.session, outcome: "completed", turns: 4 });
    const [, , fresh = "", read = ""] = bodies(at);
    expect(fresh).toContain("write the changelog");
    expect(fresh).not.toContain("of which nobody hears again");
    expect(read).toContain("return 2");
    const third = at.report(await at.belay("run", "--output", "json", "--next", "say goodbye"));
    expect(third).toMatchObject({ session: first.session, turns: 5 });
  });

  it("says what to do where nothing is left, and that a session is named with it alone", async () => {
    const at = await world({ turns: [{ say: "Done." }] });
    await at.belay(...RUN, "say something");
    const nothing = await at.belay("run", "--next");
    expect(nothing.code).toBe(2);
    expect(nothing.err).toContain("Nothing is left in the list");
    expect((await at.belay("run", "--session", "ses_x", "x")).err).toContain("--next");
  });
});

const TASK = `kind: fix
objective: The function in src/app.js has to return 2 instead of 1.
inputs: [src/app.js]
success_criteria:
  - test -f src/app.js
  - grep -q "return 2" src/app.js
limits: { turns: 5, cost: 1.00 }
constraints: [Touch no other file.]
`;

describe("a task file", () => {
  it("is run with its inputs, its limits and its criteria, of which the first red one is named", async () => {
    const at = await world({ turns: [{ say: "It is done." }, { call: [EDIT] }, { say: "Now it is." }] });
    writeFileSync(join(at.place.repository, "task.yaml"), TASK);
    const red = await at.belay(...RUN, "--task-file", "task.yaml");
    expect(at.report(red).outcome).toBe("verification_failed");
    expect(bodies(at)[0]).toContain("return 1");
    expect(bodies(at)[0]).toContain("Touch no other file.");
    const green = await at.belay(...RESUME, "--message", "It is not: look again.");
    expect(at.report(green).outcome).toBe("completed");
    const { state } = JSON.parse((await at.belay("sessions", "show", "--json")).out) as {
      state: { config: { limits: { turns: number }; budget: { caps: { scope: string; cost: number }[] } } };
    };
    expect(state.config.limits.turns).toBe(5);
    expect(state.config.budget.caps.find(({ scope }) => scope === "session")?.cost).toBe(1e9);
    const events = (await at.belay("sessions", "show", "--full")).out;
    expect(events).toContain("success criterion 2 of 2 is red");
  });

  it("that is vague is refused by check and by run alike, each finding with its line", async () => {
    const at = await world({ turns: [] });
    writeFileSync(
      join(at.place.repository, "vague.yaml"),
      "kind: chore\nobjective: clean up\nsuccess_criteria: ['true']\n",
    );
    writeFileSync(join(at.place.repository, "good.yaml"), TASK);
    const checked = await at.belay("check", "vague.yaml", "good.yaml", "--json");
    expect(checked.code).toBe(2);
    const { files } = JSON.parse(checked.out) as { files: { findings: { line: number; what: string }[] }[] };
    expect(files.map(({ findings }) => findings.map(({ line }) => line))).toEqual([[1, 1, 2, 3], []]);
    const run = await at.belay(...RUN, "--task-file", "vague.yaml");
    expect(run.code).toBe(2);
    expect(at.emulator.requests).toEqual([]);
  });
});

describe("a queue", () => {
  it("stops at the first task that is not completed, and goes on there when it is called again", async () => {
    const at = await world({
      conversations: [
        { task_contains: "third task", turns: [{ say: "Third." }] },
        {
          task_contains: "second task",
          turns: [{ call: [call("read", { path: "notes.txt" })] }, { call: [WRITE] }, { say: "Second." }],
        },
      ],
      turns: [{ say: "First." }],
    });
    writeFileSync(
      join(at.place.repository, "tasks.txt"),
      "# what to do\nthe first task\nthe second task\n\nthe third task\n",
    );
    const queue = ["run", "--no-sandbox", "--output", "json", "--queue", "tasks.txt"];
    const stopped = await at.belay(...queue, "--max-turns", "2");
    expect(stopped.code).toBe(7);
    const states = (end: ProgramEnd): readonly unknown[] =>
      (JSON.parse(end.out.trim().split("\n").at(-1) ?? "") as { tasks: { outcome: unknown }[] }).tasks.map(
        ({ outcome }) => outcome,
      );
    expect(states(stopped)).toEqual(["completed", "limit_reached", null]);
    const asked = at.emulator.requests.length;
    const done = await at.belay(...queue, "--max-turns", "20");
    expect(done.code).toBe(0);
    expect(states(done)).toEqual(["completed", "completed", "completed"]);
    // The second went on in the middle: its first turn was not asked for again.
    expect(at.emulator.requests.length - asked).toBe(3);
    const again = await at.belay("run", "--no-sandbox", "--queue", "tasks.txt");
    expect(again.code).toBe(0);
    expect(at.emulator.requests.length - asked).toBe(3);
    expect(again.out).toMatch(/1 +completed +1 .*the first task/);
    expect(readFileSync(join(at.place.repository, "notes.txt"), "utf8")).toBe("some notes\n");
  });

  it("takes the name of a task file as that file, and no task has the criteria of the one before it", async () => {
    const at = await world({
      conversations: [
        { task_contains: "a third task", turns: [{ say: "Third." }] },
        { task_contains: "return 2 instead of 1", turns: [{ call: [EDIT] }, { say: "Second." }] },
      ],
      turns: [{ say: "First." }],
    });
    writeFileSync(join(at.place.repository, "task.yaml"), TASK.replace("limits:", "review_every: 4\nlimits:"));
    writeFileSync(join(at.place.repository, "tasks.yaml"), "- a first task\n- task.yaml\n- a third task\n");
    const queue = ["run", "--no-sandbox", "--output", "json", "--queue"];
    const done = await at.belay(...queue, "tasks.yaml");
    const ends = done.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { outcome?: string; verification?: string }); // printed by the command under test
    expect(ends.slice(0, 3)).toMatchObject([
      { outcome: "completed", verification: "not_applicable" },
      { outcome: "completed", verification: "passed" },
      { outcome: "completed", verification: "none_found" },
    ]);
    const { state } = JSON.parse((await at.belay("sessions", "show", "--json")).out) as {
      state: { config: { limits: { turns: number }; verify: string | null; review_every: number | null } };
    };
    expect(state.config).toMatchObject({ limits: { turns: 100 }, verify: null, review_every: null });
    writeFileSync(join(at.place.repository, "tasks.txt"), "a first task\nnowhere.yaml\n");
    const asked = at.emulator.requests.length;
    expect(await at.belay(...queue, "tasks.txt")).toMatchObject({ code: 2 });
    expect(at.emulator.requests).toHaveLength(asked);
  });
});
