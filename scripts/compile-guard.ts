/** The guard of the command stays outside the bundle, in syntax that old versions of Node can parse: it tells them what to do. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";

/** The first Node that knows `import()` in a module, which the guard needs to hand over. */
const TARGET = "node12.20";

export async function compileGuard(): Promise<string> {
  const source = await readFile(join(import.meta.dirname, "../src/cli/guard.ts"), "utf8");
  const { code } = await transform(source, { loader: "ts", format: "esm", target: TARGET });
  return code.replaceAll('"./main.ts"', '"./main.js"');
}
