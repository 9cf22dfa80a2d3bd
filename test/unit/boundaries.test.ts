/** The boundary check is green when nothing is wrong, red when something is, and red when it saw nothing. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = join(import.meta.dirname, "../../scripts/boundaries.ts");

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "belay-floors-"));
  await plant(
    "tsconfig.json",
    '{ "compilerOptions": { "module": "nodenext", "allowImportingTsExtensions": true, "noEmit": true } }',
  );
  await plant("package.json", '{ "type": "module" }');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function plant(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

function check(): Promise<{ readonly ok: boolean; readonly report: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, root], { encoding: "utf8" }, (error, stdout, stderr) => {
      resolve({ ok: error === null, report: stderr.trim().split("\n").sort().join("\n") || stdout.trim() });
    });
  });
}

describe("the boundary check", () => {
  it("is green where imports run downward", async () => {
    await plant("src/kernel/a.ts", "export const a = 1;\n");
    await plant("src/store/b.ts", 'export { a } from "../kernel/a.ts";\n');
    expect(await check()).toEqual({ ok: true, report: "2 files, 0 imports that break a floor" });
  });

  it("finds every kind of wrong import, of types too", async () => {
    await plant("src/kernel/a.ts", 'import type { B } from "../store/b.ts";\nimport "node:fs";\nexport type A = B;\n');
    await plant("src/store/b.ts", "export type B = 1;\n");
    await plant("src/model/m.ts", 'import "../tool/t.ts";\n');
    await plant("src/tool/t.ts", 'import "../workspace/w.ts";\nimport "./gone.ts";\n');
    await plant("src/workspace/w.ts", 'import "./v.ts";\n');
    await plant("src/workspace/v.ts", 'import "./w.ts";\n');
    await plant("src/testing/s.ts", "export const s = 1;\n");
    await plant("src/cli/c.ts", 'import "../testing/s.ts";\n');
    await plant("src/cli/commands/emulate.ts", 'import "../../testing/s.ts";\n');
    await plant("src/attic/x.ts", 'import "../kernel/a.ts";\n');
    const { ok, report } = await check();
    expect(ok).toBe(false);
    expect(report.split("\n")).toEqual([
      "floor-cli: src/cli/c.ts → src/testing/s.ts",
      "floor-kernel: src/kernel/a.ts → src/store/b.ts",
      "floor-model: src/model/m.ts → src/tool/t.ts",
      "kernel-is-pure: src/kernel/a.ts → fs",
      "known-folder: src/attic/x.ts → src/kernel/a.ts",
      "no-cycle: src/workspace/v.ts → src/workspace/w.ts",
      "resolvable: src/tool/t.ts → ./gone.ts",
    ]);
  });

  it("is red when there was nothing to look at", async () => {
    await mkdir(join(root, "src"));
    expect((await check()).ok).toBe(false);
  });
});
