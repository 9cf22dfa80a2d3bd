/**
 * Everything that has to hold, in one command: one line for each gate, two gates at a time, the tests last. Nothing stops
 * early; the end is non-zero when any gate failed. What a machine cannot check is said in plain sight, with the line that
 * installs what is missing; with CI=true that is a failure.
 */
import { spawn, spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";

interface Gate {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

interface GateEnd {
  readonly ok: boolean;
  readonly output: string;
  readonly seconds: string;
}

const ROOT = join(import.meta.dirname, "..");
const CI = process.env["CI"] === "true";
const AT_ONCE = 2;
/** The tools of the house come first, also when this is not started by npm. */
const ENVIRONMENT = { ...process.env, PATH: [join(ROOT, "node_modules/.bin"), process.env["PATH"]].join(delimiter) };
/** What is shown of a gate that failed, in lines. */
const SHOWN_LINES_MAX = 120;

const run = (script: string, ...args: string[]): Gate["command"] => [process.execPath, script, ...args];

/** Each looks at the sources only, so that they can run side by side. */
const GATES: readonly Gate[] = [
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "lint", command: ["eslint", "--max-warnings", "0", "."] },
  { name: "build", command: run("scripts/build.ts") },
  { name: "format", command: ["prettier", "--check", "--log-level", "warn", "."] },
  { name: "boundaries", command: run("scripts/boundaries.ts") },
  { name: "unused", command: ["knip"] },
  { name: "printed docs", command: run("scripts/printed-docs.ts", "--check") },
];

/** These need what `build` made. */
const BUILT_GATES: readonly Gate[] = [{ name: "package", command: run("scripts/package-lint.ts") }];

/** System packages that some tests need, and how to tell that they work. */
const NEEDED = [
  {
    name: "bubblewrap",
    probe: ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"],
    tests: "the sandbox tests",
    install: "apt-get install bubblewrap",
  },
] as const;

async function main(): Promise<void> {
  const failed: string[] = [...missingPackages()];
  for (const stage of [GATES, BUILT_GATES]) failed.push(...(await runStage(stage)));
  if (!process.argv.includes("--gates-only")) {
    const tests = spawnSync("vitest", ["run"], { cwd: ROOT, env: ENVIRONMENT, stdio: "inherit" });
    if (tests.status !== 0) failed.push("tests");
  }
  console.log(failed.length === 0 ? "\nall gates are green" : `\nfailed: ${failed.join(", ")}`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** @returns what counts as failed: nothing, unless CI=true. */
function missingPackages(): readonly string[] {
  const missing = NEEDED.filter(({ probe: [command, ...args] }) => spawnSync(command, args).status !== 0);
  for (const { name, tests, install } of missing) {
    console.log(`skipped       ${tests}: ${name} is missing or does not work here. Install it: ${install}`);
  }
  return CI ? missing.map(({ name }) => name) : [];
}

async function runStage(gates: readonly Gate[]): Promise<readonly string[]> {
  const queue = [...gates];
  const failed: string[] = [];
  const work = async (): Promise<void> => {
    for (let gate = queue.shift(); gate !== undefined; gate = queue.shift()) {
      const end = await runGate(gate);
      console.log(`${end.ok ? "ok    " : "FAILED"}  ${gate.name.padEnd(14)} ${end.seconds} s`);
      if (end.ok) continue;
      failed.push(gate.name);
      console.log(shown(end.output));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failed;
}

function runGate({ command: [program, ...args] }: Gate): Promise<GateEnd> {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
    const chunks: string[] = [];
    const end = (ok: boolean): void => {
      resolve({ ok, output: chunks.join(""), seconds: ((performance.now() - started) / 1000).toFixed(1).padStart(5) });
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
    child.on("error", (error) => {
      chunks.push(`${program} could not be started: ${error.message}\n`);
      end(false);
    });
    child.on("close", (code) => {
      end(code === 0);
    });
  });
}

function shown(output: string): string {
  const lines = output.trimEnd().split("\n");
  const head = lines.slice(0, SHOWN_LINES_MAX).map((line) => `  ${line}`);
  return [
    ...head,
    ...(lines.length > SHOWN_LINES_MAX ? [`  … ${lines.length - SHOWN_LINES_MAX} more lines`] : []),
  ].join("\n");
}

await main();
