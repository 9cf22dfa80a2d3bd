/** A test run that fails says so with its exit code, whatever a library in the process does at its end. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

const HOUSE = join(import.meta.dirname, "../..");

function run(test: string, environment: Record<string, string> = {}, file = "a.test.ts"): number | null {
  const root = mkdtempSync(join(tmpdir(), "belay-red-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  symlinkSync(join(HOUSE, "node_modules"), join(root, "node_modules"));
  const reporter = JSON.stringify(join(HOUSE, "scripts/closing-reporter.ts"));
  const files = {
    "package.json": '{ "type": "module" }',
    "vitest.config.ts": `export default { test: { include: ["**/*.test.ts"], retry: 1, reporters: [${reporter}], globalSetup: ["./setup.ts"] } };`,
    "setup.ts": 'export function setup() { process.on("beforeExit", () => process.exit(0)); }',
    [file]: `import { expect, it } from "vitest"; ${test}`,
  };
  mkdirSync(dirname(join(root, file)), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  const vitest = join(HOUSE, "node_modules/vitest/vitest.mjs");
  const { CI: _ci, ...rest } = process.env;
  return spawnSync(process.execPath, [vitest, "run"], { cwd: root, env: { ...rest, ...environment } }).status;
}

it("a red run exits with 1, also under an exit hook that says 0", () => {
  expect(run('it("fails", () => expect(1).toBe(2));')).toBe(1);
});

it("a green run exits with 0", () => {
  expect(run('it("works", () => expect(1).toBe(1));')).toBe(0);
});

it("a skip is a failure in CI alone", () => {
  const skipped = 'it("waits", ({ skip }) => skip("not here"));';
  expect(run(skipped)).toBe(0);
  expect(run(skipped, { CI: "true" })).toBe(1);
});

const FLAKY = "let tries = 0; const flaky = (name) => it(name, () => expect(tries++ % 2).toBe(1));";

it("a test that passes on its second try is not a failure, but where one failure is a finding, and but for a few", () => {
  expect(run(`${FLAKY} flaky("a");`)).toBe(0);
  expect(run(`${FLAKY} flaky("a");`, {}, "test/security/a.test.ts")).toBe(1);
  expect(run(`${FLAKY} for (const name of "abcd") flaky(name);`)).toBe(1);
});
