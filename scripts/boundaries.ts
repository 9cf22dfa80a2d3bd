/** Runs the boundary check and makes sure that it looked at every file: one that saw no module is green, too. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

interface Cruise {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

/** The report holds every module with its dependencies. */
const REPORT_BYTES_MAX = 256 * 1024 * 1024;

const house = join(import.meta.dirname, "..");
/** Another tree may be named: the check is itself checked. */
const root = process.argv[2] ?? house;
const depcruise = join(house, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
const report = execFileSync(
  process.execPath,
  [depcruise, "src", "--config", join(house, ".dependency-cruiser.cjs"), "--output-type", "json", "--no-progress"],
  { cwd: root, encoding: "utf8", maxBuffer: REPORT_BYTES_MAX },
);
// the shape of dependency-cruiser's own report
const { modules, summary } = JSON.parse(report) as Cruise;

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith(".ts"),
);
const seen = new Set(modules.map((module) => module.source));
const unseen = files.map((path) => `src/${path}`).filter((path) => !seen.has(path));

for (const { rule, from, to } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`);
for (const path of unseen) console.error(`not looked at: ${path}`);
console.log(`${files.length} files, ${summary.violations.length} imports that break a floor`);
if (summary.violations.length > 0 || unseen.length > 0 || files.length === 0) process.exitCode = 1;
