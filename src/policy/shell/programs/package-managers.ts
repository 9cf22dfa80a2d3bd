/**
 * npm, pnpm, yarn, npx, cargo and go. What builds, tests or installs runs the repository's code: `execute`. Options that choose
 * another program for it (`--script-shell`, `--node-options`, `-toolexec`, `--config`) are on no list.
 */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { readDeveloperTool } from "./developer-tools.ts";
import { interpret, known } from "./interpret.ts";
import { notListed, scanWords } from "./scan.ts";
import type { ProgramTable } from "./table.ts";

const QUIET = "-s --silent --no-fund --no-audit --no-progress --no-color --json --long -l --parseable -p";
const SCRIPT: ProgramTable = {
  options: `${QUIET} -w=text --workspace=text --workspaces -ws --if-present --ignore-scripts -r --recursive --parallel --verbose`,
  effect: "execute",
  operands: "text*",
  whole: true,
};
const INSTALL: ProgramTable = {
  options: `${QUIET} -D -E -O --save --save-dev --save-exact --save-optional --save-peer --no-save --ignore-scripts --frozen-lockfile
    --no-frozen-lockfile --immutable --legacy-peer-deps --prefer-offline --offline --package-lock-only --dry-run --force --omit=text --include=text
    --production --no-optional -w=text --workspace=text --workspaces -r --recursive --dev --exact --peer`,
  effect: "execute",
  operands: "text*",
  whole: true,
  network: true,
};
const LOOKING: ProgramTable = {
  options: `${QUIET} --all -a --depth=number --prod --dev --omit=text`,
  operands: "text*",
  whole: true,
};
const ASKING: ProgramTable = { ...LOOKING, effect: "execute", network: true };
const RUNNING: ProgramTable = {
  options: "-y --yes --no --no-install -q --quiet",
  effect: "execute",
  operands: "text*",
  whole: true,
  stops: true,
  network: true,
};
const NAMES: ProgramTable = { options: QUIET, operands: "none", whole: true };

type Commands = Readonly<Record<string, ProgramTable>>;

const SCRIPTS: Commands = {
  run: SCRIPT,
  "run-script": SCRIPT,
  test: SCRIPT,
  t: SCRIPT,
  start: SCRIPT,
  stop: SCRIPT,
  restart: SCRIPT,
  build: SCRIPT,
  rebuild: SCRIPT,
};
const INSTALLS: Commands = {
  install: INSTALL,
  i: INSTALL,
  ci: INSTALL,
  add: INSTALL,
  remove: INSTALL,
  uninstall: INSTALL,
  update: INSTALL,
  up: INSTALL,
  dedupe: INSTALL,
  prune: INSTALL,
};
const ASKS: Commands = {
  view: ASKING,
  info: ASKING,
  show: ASKING,
  outdated: ASKING,
  audit: { ...ASKING, operands: "none" },
  search: ASKING,
  ping: ASKING,
};
const LOOKS: Commands = { ls: LOOKING, list: LOOKING, why: LOOKING, explain: LOOKING, root: NAMES, prefix: NAMES };

const NPM: Commands = { ...SCRIPTS, ...INSTALLS, ...ASKS, ...LOOKS, exec: RUNNING, x: RUNNING };
// Both start what the repository names (`yarnPath`, plugins, `packageManager`) before they look at a word.
const OTHER: Commands = Object.fromEntries(
  Object.entries({ ...NPM, dlx: RUNNING, workspaces: SCRIPT }).map(([name, table]) => [
    name,
    { ...table, effect: "execute" } as const,
  ]),
);

const CARGO_OPTIONS = `-[vqrF] -j=number -p=text --verbose --quiet --release --profile=text --all --workspace --exclude=text --package=text --lib --bins --bin=text
  --examples --example=text --tests --test=text --benches --bench=text --all-targets --features=text -F=text --all-features --no-default-features
  --target=text --message-format=text --locked --offline --frozen --jobs=number --keep-going --no-run --no-fail-fast --doc --color=text --no-deps --check --fix --allow-dirty --allow-staged`;
const CARGO_RUN: ProgramTable = { options: CARGO_OPTIONS, effect: "execute", operands: "text*", network: true };
const CARGO: Commands = Object.fromEntries(
  [
    "build",
    "b",
    "check",
    "c",
    "test",
    "t",
    "run",
    "r",
    "bench",
    "doc",
    "clippy",
    "fmt",
    "update",
    "fetch",
    "clean",
    "tree",
    "metadata",
  ].map((name) => [name, CARGO_RUN]),
);

const GO_OPTIONS = `-v -x -n -race -short -count=number -run=text -bench=text -benchmem -timeout=text -cover -failfast -json -list=text -parallel=number
  -p=number -tags=text -trimpath -mod=text -cpu=text -shuffle=text -skip=text -u -t -m -f=text -deps -test -e -find -go=text -l`;
const GO_RUN: ProgramTable = { options: GO_OPTIONS, effect: "execute", operands: "text*", whole: true, network: true };
const GO: Commands = {
  ...Object.fromEntries(
    ["build", "test", "vet", "run", "fmt", "list", "mod", "get", "generate", "doc", "clean"].map((name) => [
      name,
      GO_RUN,
    ]),
  ),
  version: { options: "", operands: "none" },
};

const MANAGERS: Readonly<Record<string, Commands>> = { npm: NPM, pnpm: OTHER, yarn: OTHER, cargo: CARGO, go: GO };

export function readPackageManager(name: string, words: readonly ShellWord[]): ProgramReading {
  const commands = MANAGERS[name] ?? {};
  const [first, ...rest] = words;
  if (words.length === 1 && first?.plain === true && /^(?:--version|-v|-V)$/.test(first.text))
    return known({ effect: name === "npm" || name === "cargo" ? "read" : "execute" });
  // Options may stand before the command as well.
  const lead = scanWords(words, { options: QUIET, stops: true, whole: true });
  if (lead.kind !== "scan") return lead;
  const command = lead.operands[0];
  if (command === undefined || first === undefined)
    return notListed(first ?? name, "It does not say what is to be done.");
  if (!command.plain || !Object.hasOwn(commands, command.text))
    return notListed(command, "This command is not on the list.");
  const table = commands[command.text] ?? {};
  return interpret(command === first ? rest : words.slice(words.indexOf(command) + 1), table);
}

/** The package, then words of its own program. */
export function readNpx(words: readonly ShellWord[]): ProgramReading {
  const reading = interpret(words, RUNNING);
  if (reading.kind !== "known") return reading;
  const scan = scanWords(words, RUNNING);
  const program = scan.kind === "scan" ? scan.operands[0] : undefined;
  if (program?.plain !== true) return notListed(program ?? "npx", "What it runs is not known.");
  return readDeveloperTool(program.text, words.slice(words.indexOf(program) + 1)) ?? reading;
}
