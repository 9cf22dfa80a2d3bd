/** The child of the crash tests as one bundle with its code compiled: a start takes 0.1 s instead of 0.6 s, and there are thousands. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import type { ChildProgram } from "../support/session-child.ts";

const ROOT = join(import.meta.dirname, "../..");
/** CommonJS packages inside an ES module ask for `require`. */
const REQUIRE =
  'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);';

export async function bundledChild(directory: string): Promise<ChildProgram> {
  mkdirSync(directory, { recursive: true });
  await build({
    entryPoints: { child: join(import.meta.dirname, "session-child.ts") },
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    external: ["better-sqlite3", "@vscode/ripgrep", "pg-native", "web-tree-sitter", "tree-sitter-bash"],
    banner: { js: REQUIRE },
    logLevel: "error",
  });
  // What is not bundled is found as from the sources.
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
  return {
    path: join(directory, "child.mjs"),
    environment: { NODE_COMPILE_CACHE: join(directory, "compiled") },
  };
}
