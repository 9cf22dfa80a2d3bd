/**
 * Builds what ships: `dist/lib` (the library, by tsc, with its types) and `dist/cli` (the command, one bundle in lazy
 * chunks by esbuild). Nothing native is bundled.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { APART_PACKAGES, builtinsAsTheyAre, oneWorkChunk, packagesApart, pricesApart } from "./bundle-plugins.ts";
import { compileGuard } from "./compile-guard.ts";
import { builtInTools, toolSchemas } from "../src/tool/registry.ts";

const ROOT = join(import.meta.dirname, "..");
const CLI = join(ROOT, "dist/cli");

/** Loaded from node_modules at run time: binaries that a bundle cannot hold. */
const EXTERNAL = ["better-sqlite3", "@vscode/ripgrep", "web-tree-sitter", "tree-sitter-bash"];

/** CommonJS packages inside an ES module bundle ask for `require`. */
const REQUIRE_BANNER =
  'import { createRequire as belayRequire } from "node:module"; const require = belayRequire(import.meta.url);';

const BUNDLE = {
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22",
  // Names stay: `keepNames`, which puts them back, is a call for every function and closure that is made, 20 ms of a start.
  minifyWhitespace: true,
  minifySyntax: true,
  banner: { js: REQUIRE_BANNER },
  legalComments: "linked",
  logLevel: "warning",
} as const satisfies BuildOptions;

function buildLibrary(): boolean {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  rmSync(join(ROOT, "dist/lib"), { recursive: true, force: true });
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: ROOT, stdio: "inherit" });
  return status === 0;
}

async function buildCommand(): Promise<void> {
  rmSync(CLI, { recursive: true, force: true });
  mkdirSync(CLI, { recursive: true });
  await build({
    ...BUNDLE,
    entryPoints: { main: join(ROOT, "src/cli/main.ts") },
    outdir: CLI,
    chunkNames: "chunks/[name]-[hash]",
    external: EXTERNAL,
    plugins: [oneWorkChunk(join(ROOT, "src/cli")), pricesApart(), packagesApart(), builtinsAsTheyAre()],
    define: {
      BELAY_VERSION: JSON.stringify(version()),
      // From the same sources, once for all: a run would spend 10 ms on them before its first request.
      BELAY_TOOL_SCHEMAS: JSON.stringify(toolSchemas(builtInTools())),
    },
  });
  await build({
    ...BUNDLE,
    entryPoints: Object.fromEntries(Object.entries(APART_PACKAGES).map(([name, file]) => [file, name])),
    outdir: join(CLI, "chunks"),
    chunkNames: "[name]-[hash]",
    absWorkingDir: ROOT,
  });
  writeFileSync(join(CLI, "belay.js"), await compileGuard());
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  if (
    typeof manifest === "object" &&
    manifest !== null &&
    "version" in manifest &&
    typeof manifest.version === "string"
  ) {
    return manifest.version;
  }
  throw new TypeError("package.json has no version");
}

const library = buildLibrary();
try {
  await buildCommand();
} catch (error) {
  // esbuild has printed what is wrong; its own stack says nothing more
  if (!(error instanceof Error) || !("errors" in error)) throw error;
  process.exitCode = 1;
}
if (!library) process.exitCode = 1;
