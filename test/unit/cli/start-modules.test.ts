/**
 * What `belay run` loads before its first request: what a run does not need would be paid for by every run. Follows the static
 * imports of the sources, as the bundle does.
 */
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");

/** Packages and parts of ours that only other commands, other providers or later moments need. */
const FORBIDDEN =
  /^(?:openai|pg|yaml|ai|kysely|better-sqlite3|@ai-sdk\/.*|@anthropic-ai\/.*|@pydantic\/.*|@vscode\/ripgrep)(?:\/|$)|src\/testing\//;

/** Everything that is loaded with a file, by static imports alone. */
async function loadedWith(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    outdir: "nowhere",
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "silent",
  });
  const loaded = new Set<string>();
  const pending = [entry];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    const imports = metafile.inputs[path]?.imports ?? [];
    for (const { path: to, kind } of imports) if (kind === "import-statement") pending.push(to);
  }
  return [...loaded];
}

describe("the start of a run", () => {
  it("loads no provider's library, no database and nothing of the testing kit before it knows that it needs them", async () => {
    const loaded = await loadedWith("src/cli/start.ts");
    expect(loaded).toContain("src/engine/session.ts");
    expect(loaded.filter((path) => FORBIDDEN.test(path))).toEqual([]);
  });

  it("of a command that prints its version loads next to nothing", async () => {
    const loaded = await loadedWith("src/cli/main.ts");
    expect(loaded.filter((path) => path.startsWith("src/")).length).toBeLessThanOrEqual(12);
    expect(loaded.filter((path) => FORBIDDEN.test(path) || path === "zod")).toEqual([]);
  });
});
