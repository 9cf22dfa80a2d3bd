/**
 * `npm ci` in a clone ends with a built package; `npm ci --omit=dev` and the installation of a packed tarball must not
 * fail for the want of a compiler. Plain JavaScript: the Node that runs this may be too old for anything else.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const has = (path) => existsSync(new URL(path, root));

const missing = ["node_modules/typescript/package.json", "node_modules/esbuild/package.json"].filter(
  (path) => !has(path),
);
if (!has("src") || missing.length > 0) {
  console.log(`belay: not built (${has("src") ? "no development dependencies" : "already packed"}).`);
} else {
  const script = fileURLToPath(new URL("scripts/build.ts", root));
  const guard = new URL("scripts/node-guard.js", root).href;
  const { status } = spawnSync(process.execPath, ["--import", guard, script], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}
