/**
 * The entry of the command. It is there to say what to do on a Node that is too old, so it uses only what Node 12 can parse
 * and run, imports nothing that is native, and hands over. The build copies it beside the bundle, compiled for Node 12.
 */
import * as nodeModule from "module";
import * as path from "path";

const NEEDED = [22, 22, 2];

function tooOld(version: string): boolean {
  const present = version.split(".").map(Number);
  for (let i = 0; i < NEEDED.length; i++) {
    if (present[i] !== NEEDED[i]) return Number(present[i]) < Number(NEEDED[i]);
  }
  return false;
}

/** Compiled code is kept between starts, where belay keeps what can be thrown away. */
function keepCompiledCode(): void {
  const env = process.env;
  const home = env["HOME"] || "";
  const base =
    env["BELAY_HOME"] ||
    (env["XDG_CACHE_HOME"] ? path.join(env["XDG_CACHE_HOME"], "belay") : home && path.join(home, ".cache", "belay"));
  if (!base || !path.isAbsolute(base)) return;
  nodeModule.enableCompileCache(path.join(base, "compile-cache"));
}

if (tooOld(process.versions.node)) {
  console.error(
    "belay needs Node " +
      NEEDED.join(".") +
      " or newer and this is " +
      process.versions.node +
      ". " +
      "Install a newer Node, or run `npm rebuild node` in the package: it brings its own when install scripts are allowed.",
  );
  process.exitCode = 2;
} else {
  keepCompiledCode();
  // A module that fails to load is a defect of the installation: Node prints it and ends with 1.
  void import("./main.ts");
}
