/**
 * Questions and answers with the built command: what a run leaves behind where nobody is, answers from other processes, and the
 * question at a real terminal.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { type CliEnd, environmentOf, reportIn, runCli, startCli } from "../support/cli.ts";
import { needsProgram } from "../support/needs.ts";
import { atTerminal } from "../support/pty.ts";
import { SANDBOX, type TestPlace, testPlace } from "../support/session.ts";

const RUN = SANDBOX === "bwrap" ? ["run"] : ["run", "--no-sandbox"];
const ASKS = ["--ask", "Bash(touch *)"];

interface World {
  readonly place: TestPlace;
  readonly emulator: Emulator;
  belay(...args: readonly string[]): Promise<CliEnd>;
  readonly environment: NodeJS.ProcessEnv;
}

async function world(turns: ScenarioInput["turns"]): Promise<World> {
  const place = testPlace();
  const emulator = await startEmulator({ scenario: { turns } });
  onTestFinished(() => emulator.close());
  const environment = environmentOf(place, emulator);
  // From another directory than the run's: an answer can come from anywhere.
  const elsewhere = { ...place, repository: place.directory };
  return {
    place,
    emulator,
    environment,
    belay: (...args) => runCli(args, args[0] === "run" ? place : elsewhere, environment),
  };
}

const touches = (...names: readonly string[]): ScenarioInput["turns"] => [
  { call: names.map((name) => ({ tool: "bash", input: { command: `touch ${name}` } })) },
  { say: "Done." },
];

interface Waiting {
  readonly call: string;
  readonly session: string;
  readonly input: { readonly command?: string };
}

async function waitingIn({ belay }: World): Promise<readonly Waiting[]> {
  const { stdout, code } = await belay("approvals", "--json");
  expect(code).toBe(0);
  return JSON.parse(stdout) as readonly Waiting[]; // printed by the command under test
}

/** A run that ended with these questions. */
async function left(...names: readonly string[]): Promise<World & { readonly waiting: readonly Waiting[] }> {
  const of = await world(touches(...names));
  const end = await of.belay(...RUN, ...ASKS, "--on-ask", "wait", "--output", "json", "do it");
  expect(end.code).toBe(4);
  expect(reportIn(end)).toMatchObject({ outcome: "needs_approval", exit_code: 4 });
  return { ...of, waiting: await waitingIn(of) };
}

function touched({ place }: World): readonly string[] {
  return globSync("sessions/*/tree/{one,two,three}", { cwd: place.home }).map((path) => path.split("/").at(-1) ?? "");
}

const idOf = (waiting: readonly Waiting[], i = 0): string => waiting[i]?.call ?? expect.fail("nothing waits");

describe("a run that nobody watches", () => {
  it("with --on-ask wait ends with exit code 4, and says what waits and what to type", async () => {
    const of = await world(touches("one"));
    const end = await of.belay(...RUN, ...ASKS, "--on-ask", "wait", "do it");
    expect(end.code).toBe(4);
    const waiting = await waitingIn(of);
    expect(end.stdout).toContain("needs approval");
    expect(end.stdout).toContain("waits      bash: touch one");
    expect(end.stdout).toContain(`belay approve ${idOf(waiting)}`);
    expect(end.stdout).toContain(`belay deny ${idOf(waiting)} --reason`);
    expect(touched(of)).toEqual([]);
    const list = await of.belay("approvals");
    expect(list.stdout).toContain(idOf(waiting));
    expect(list.stdout).toContain("bash: touch one");
    expect((await of.belay("sessions", "show", waiting[0]?.session ?? "")).stdout).toContain("asked about: touch one");
  });

  it("without it tells the model no, and ends as ever", async () => {
    const of = await world(touches("one"));
    const end = await of.belay(...RUN, ...ASKS, "--output", "json", "do it");
    expect(reportIn(end)).toMatchObject({ outcome: "completed" });
    expect(JSON.stringify(of.emulator.requests.at(-1)?.body)).toContain("Denied");
    expect(touched(of)).toEqual([]);
    expect((await of.belay("approvals")).stdout.trim()).toBe("Nothing waits for an answer.");
  });
});

describe("belay approve", () => {
  it("shows the whole call, lets the run go on from another directory, and ends with its exit code", async () => {
    const of = await left("one");
    const end = await of.belay("approve", idOf(of.waiting).slice(0, 20));
    expect(end.code).toBe(0);
    expect(end.stdout.indexOf("    touch one")).toBeLessThan(end.stdout.indexOf("Approved call_"));
    expect(end.stdout).toContain("completed");
    expect(touched(of)).toEqual(["one"]);
    expect(await waitingIn(of)).toEqual([]);
  });

  it("takes a session's id where one call of it waits", async () => {
    const of = await left("one");
    expect((await of.belay("approve", of.waiting[0]?.session ?? "")).code).toBe(0);
    expect(touched(of)).toEqual(["one"]);
  });

  it("refuses the beginning of several ids, and names them", async () => {
    const of = await left("one", "two");
    for (const named of ["call_", of.waiting[0]?.session ?? ""]) {
      const end = await of.belay("approve", named);
      expect(end.code).toBe(2);
      expect(end.stderr).toContain(idOf(of.waiting));
      expect(end.stderr).toContain(idOf(of.waiting, 1));
    }
    expect(touched(of)).toEqual([]);
  });

  it("goes on only when nothing else waits, and does what was allowed and nothing else", async () => {
    const of = await left("one", "two");
    const first = await of.belay("approve", idOf(of.waiting));
    expect(first.code).toBe(0);
    expect(first.stdout).toContain("1 call of session");
    expect(touched(of)).toEqual([]);
    expect((await waitingIn(of)).map(({ call }) => call)).toEqual([idOf(of.waiting, 1)]);
    expect((await of.belay("deny", idOf(of.waiting, 1), "--reason", "not the second")).code).toBe(0);
    expect(touched(of)).toEqual(["one"]);
    expect(JSON.stringify(of.emulator.requests.at(-1)?.body)).toContain("not the second");
  });

  it("is told when the call was answered before, by whichever process", async () => {
    const of = await left("one", "two");
    await of.belay("approve", idOf(of.waiting));
    const again = await of.belay("approve", idOf(of.waiting));
    expect(again.code).toBe(2);
    expect(again.stderr).toContain(idOf(of.waiting));
    expect(again.stderr).toContain("belay approvals");
  });

  it("at the same time as another takes effect once", async () => {
    const of = await left("one");
    const id = idOf(of.waiting);
    const ends = await Promise.all([of.belay("approve", id, "--no-resume"), of.belay("deny", id, "--no-resume")]);
    expect(ends.map(({ code }) => code === 0).toSorted()).toEqual([false, true]);
    expect(ends.find(({ code }) => code !== 0)?.stderr).toContain(id);
  });

  it("survives kill -9 between the answer and the run", async () => {
    const of = await left("one");
    const going = startCli(["approve", idOf(of.waiting)], of.place, of.environment);
    await going.until("Approved call_");
    going.child.kill("SIGKILL");
    await going.ended;
    expect(await waitingIn(of)).toEqual([]);
    const end = await of.belay("resume", of.waiting[0]?.session ?? "", "--output", "json");
    expect(reportIn(end)).toMatchObject({ outcome: "completed" });
    expect(touched(of)).toEqual(["one"]);
  });

  it("with --no-resume only answers", async () => {
    const of = await left("one");
    const end = await of.belay("approve", idOf(of.waiting), "--no-resume");
    expect(end.stdout).toContain(`belay resume ${of.waiting[0]?.session ?? ""}`);
    expect(touched(of)).toEqual([]);
    expect((await of.belay("resume", of.waiting[0]?.session ?? "")).code).toBe(0);
    expect(touched(of)).toEqual(["one"]);
  });

  it("is refused for a call whose session went on without it", async () => {
    const of = await left("one");
    await of.belay("rollback", of.waiting[0]?.session ?? "", "--reason", "not that"); // closes what is open
    const end = await of.belay("approve", idOf(of.waiting));
    expect(end.code).toBe(2);
    expect(end.stderr).toContain("No call that waits");
    expect(touched(of)).toEqual([]);
  });

  it("remembers nothing where a rule of the user's own asks", async () => {
    const of = await left("one");
    const end = await of.belay("approve", idOf(of.waiting), "--always");
    expect(end.code).toBe(2);
    expect(end.stderr).toContain("nothing is remembered");
    expect(existsSync(join(of.place.home, "settings.json"))).toBe(false);
    expect(await waitingIn(of)).toHaveLength(1);
  });

  it("--always adds the rule to the user's settings and leaves the rest of them as it was", async () => {
    const url = "https://docs.belay.invalid/a";
    const of = await world([{ call: [{ tool: "web_fetch", input: { url } }] }, { say: "Done." }]);
    const settings = join(of.place.home, "settings.json");
    mkdirSync(of.place.home, { recursive: true });
    writeFileSync(settings, '{ "budget": {"session":   "$3"} }\n');
    expect((await of.belay(...RUN, "--on-ask", "wait", "read it")).code).toBe(4);
    const [{ call } = { call: "" }] = await waitingIn(of);
    const end = await of.belay("approve", call, "--always", "--no-resume");
    expect(end.code).toBe(0);
    expect(end.stdout).toContain(`in ${settings}: WebFetch(domain:docs.belay.invalid)`);
    const after = readFileSync(settings, "utf8");
    expect(after).toContain('"budget": {"session":   "$3"}');
    expect(JSON.parse(after)).toMatchObject({ permissions: { allow: ["WebFetch(domain:docs.belay.invalid)"] } });
  });
});

describe("at a terminal", () => {
  it("nothing that was typed before the question counts, not even half a line", async (context) => {
    needsProgram(context, "script", "util-linux");
    const of = await world([
      { call: [{ tool: "bash", input: { command: "touch one" } }], latency_ms: 1_500 },
      { say: "Done." },
    ]);
    const person = atTerminal([...RUN, ...ASKS, "do it"], of.place, of.environment);
    await person.until("belay: ");
    person.press("y\ny\ny");
    await person.until("say why: ");
    person.press("\r");
    await person.until("denied by");
    const { seen } = await person.ended;
    expect(seen).toContain("completed");
    expect(seen).toContain("    touch one");
    expect(touched(of)).toEqual([]);
  });

  it("a yes is a yes, and a reason reaches the model", async (context) => {
    needsProgram(context, "script", "util-linux");
    const of = await world([
      { call: [{ tool: "bash", input: { command: "touch one" } }] },
      { call: [{ tool: "bash", input: { command: "touch two" } }] },
      { say: "Done." },
    ]);
    const person = atTerminal([...RUN, ...ASKS, "do it"], of.place, of.environment);
    await person.until("say why: ");
    person.press("y\r");
    await person.until("say why: ");
    person.press("r\r");
    await person.until("tell the model: ");
    person.press("one is enough\r");
    await person.until("completed");
    await person.until("eep? [k] ");
    person.press("k\r");
    await person.ended;
    expect(touched(of)).toEqual(["one"]);
    expect(JSON.stringify(of.emulator.requests.at(-1)?.body)).toContain("one is enough");
  });

  it("Ctrl+C stops the run and allows nothing", async (context) => {
    needsProgram(context, "script", "util-linux");
    const of = await world(touches("one"));
    const person = atTerminal([...RUN, ...ASKS, "do it"], of.place, of.environment);
    await person.until("say why: ");
    person.press("\u0003");
    const { code, seen } = await person.ended;
    expect(code).toBe(130);
    expect(seen).toContain("canceled");
    expect(touched(of)).toEqual([]);
  });

  it("belay approve shows the call and asks once more", async (context) => {
    needsProgram(context, "script", "util-linux");
    const of = await left("one");
    const unsure = atTerminal(["approve", idOf(of.waiting)], of.place, of.environment);
    await unsure.until("    touch one");
    await unsure.until("Approve exactly this? [y/N] ");
    unsure.press("\r");
    expect((await unsure.ended).code).toBe(1);
    expect(await waitingIn(of)).toHaveLength(1);
    const sure = atTerminal(["approve", idOf(of.waiting), "--no-resume"], of.place, of.environment);
    await sure.until("Approve exactly this? [y/N] ");
    sure.press("y\r");
    expect((await sure.ended).code).toBe(0);
    expect(await waitingIn(of)).toEqual([]);
  });
});
