/** Packs the package as it would be published and looks at the tarball: names, exports, types. Offline. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const ROOT = join(import.meta.dirname, "..");
/** Above this somebody has packed what does not belong there. */
const TARBALL_BYTES_MAX = 6 * 1024 * 1024;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

function pack(directory: string): Packed {
  const out = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", directory], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // npm's own report: a list, or in newer versions an object by package name
  const report = JSON.parse(out) as readonly Packed[] | Readonly<Record<string, Packed>>;
  const [packed] = Object.values(report);
  if (packed === undefined) throw new TypeError("npm pack reported nothing");
  return packed;
}

function problemsOf(packed: Packed): readonly string[] {
  const paths = new Set(packed.files.map((file) => file.path));
  const needed = [
    "bin/belay",
    "dist/cli/belay.js",
    "dist/cli/main.js",
    "dist/lib/index.js",
    "dist/lib/index.d.ts",
    "dist/lib/testing/index.d.ts",
    "LICENSE",
  ];
  const missing = needed.filter((path) => !paths.has(path)).map((path) => `${path} is not in the package`);
  const stray = [...paths]
    .filter((path) => /^(src|test|scripts)\//.test(path))
    .map((path) => `${path} does not belong in the package`);
  const large =
    packed.size > TARBALL_BYTES_MAX ? [`the package has ${packed.size} bytes, more than ${TARBALL_BYTES_MAX}`] : [];
  return [...missing, ...stray, ...large];
}

async function publintProblems(): Promise<readonly string[]> {
  const { messages, pkg } = await publint({ pkgDir: ROOT, strict: true, pack: false });
  return messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
}

function typeProblems(tarball: string): readonly string[] {
  const require = createRequire(import.meta.url);
  const attw = join(dirname(require.resolve("@arethetypeswrong/cli/package.json")), "dist/index.js");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [attw, tarball, "--profile", "esm-only", "--format", "ascii", "--no-color"],
    {
      encoding: "utf8",
    },
  );
  return status === 0 ? [] : [`${stdout}${stderr}`];
}

const directory = mkdtempSync(join(tmpdir(), "belay-pack-"));
try {
  const packed = pack(directory);
  const [tarball = packed.filename] = readdirSync(directory);
  const problems = [...problemsOf(packed), ...(await publintProblems()), ...typeProblems(join(directory, tarball))];
  for (const problem of problems) console.error(problem);
  console.log(`${packed.files.length} files, ${packed.size} bytes, ${problems.length} problems`);
  if (problems.length > 0) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
