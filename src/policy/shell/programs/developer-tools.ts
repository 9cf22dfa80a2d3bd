/**
 * Tools that check, format and test a workspace. They run its code as it is configured: `execute`. What chooses other code or
 * another configuration (`--config`, `-p plugin`, `--rulesdir`, `--root`) is on no list.
 */
import type { ProgramReading } from "../program.ts";
import type { ShellWord } from "../reading.ts";
import { interpret } from "./interpret.ts";
import type { ProgramTable } from "./table.ts";

function tool(options: string, parts: Partial<ProgramTable> = {}): ProgramTable {
  return { options: `${options} --help --version`, effect: "execute", ...parts };
}

const MYPY = tool(
  `-[vhV] -p=text -m=text --package=text --module=text --strict --ignore-missing-imports --show-error-codes --hide-error-codes
   --no-error-summary --pretty --check-untyped-defs --disallow-untyped-defs --disallow-any-generics --warn-unused-ignores
   --warn-return-any --warn-unreachable --no-incremental --explicit-package-bases --namespace-packages --python-version=text
   --platform=text --exclude=text --follow-imports=text --no-color-output --show-column-numbers --show-absolute-path --verbose
   --enable-error-code=text --disable-error-code=text --no-implicit-optional --strict-optional --show-traceback`,
);
const TABLES: Readonly<Record<string, ProgramTable>> = {
  pytest: tool(
    `-[vqsxlh] -k=text -m=text -n=text -r=text --maxfail=number --tb=text --capture=text --lf --last-failed --ff --failed-first
     --nf --new-first --sw --stepwise --stepwise-skip --verbose --quiet --exitfirst --no-header --no-summary
     --show-capture=text --durations=number --durations-min=number --collect-only --co --cov=?read --cov-report=text
     --cov-branch --cov-append --cov-fail-under=number --no-cov --no-cov-on-fail --color=text --showlocals --strict-markers --strict-config
     --disable-warnings --disable-pytest-warnings --setup-show --fixtures --markers --runxfail --cache-clear --timeout=number
     --numprocesses=text --dist=text --reruns=number --ignore=text --ignore-glob=text --deselect=text --junitxml=write
     --junit-xml=write --benchmark-only --benchmark-skip --snapshot-update --asyncio-mode=text --full-trace --testmon`,
  ),
  mypy: MYPY,
  dmypy: MYPY,
  ruff: tool(
    `-[qsvwne] --fix --unsafe-fixes --fix-only --diff --watch --no-fix --no-cache --statistics --select=text --ignore=text
     --extend-select=text --extend-ignore=text --output-format=text --exit-zero --exit-non-zero-on-fix --show-fixes
     --show-files --show-settings --line-length=number --target-version=text --preview --no-preview --exclude=text
     --extend-exclude=text --respect-gitignore --force-exclude --isolated --quiet --silent --verbose --check --range=text
     --per-file-ignores=text --add-noqa`,
    { operands: "text write*" },
  ),
  black: tool(
    "-[qvSl] --check --diff --quiet --verbose --line-length=number --target-version=text --fast --safe --skip-string-normalization --color --no-color",
    { operands: "write*" },
  ),
  eslint: tool(
    `-[hv] --fix --fix-dry-run --fix-type=text --ext=text --max-warnings=number --quiet --cache --no-cache --cache-strategy=text
     --no-ignore --ignore-pattern=text --no-error-on-unmatched-pattern --report-unused-disable-directives
     --report-unused-disable-directives-severity=text --color --no-color --debug --rule=text --env=text --print-config=read
     --no-warn-ignored --pass-on-no-patterns --stats --no-inline-config --exit-on-fatal-error -f=name --format=name`,
  ),
  tsc: tool(
    `-[bwvhd] -p=read -t=text -m=text --build --noEmit --pretty --strict --skipLibCheck --watch --incremental --listFiles
     --listFilesOnly --showConfig --diagnostics --extendedDiagnostics --traceResolution --explainFiles --noErrorTruncation
     --force --clean --dry --verbose --all --project=read --target=text --module=text --jsx=text --lib=text
     --moduleResolution=text --esModuleInterop --allowJs --checkJs --declaration --emitDeclarationOnly --sourceMap
     --isolatedModules --types=text --noUnusedLocals --noUnusedParameters --resolveJsonModule --allowImportingTsExtensions
     --outDir=write --outFile=write --declarationDir=write --tsBuildInfoFile=write --generateTrace=write --rootDir=read --baseUrl=read`,
    { whole: true, refuse: /^@/ },
  ),
  prettier: tool(
    `-[cwlu] --check --write --list-different --ignore-path=read --log-level=text --loglevel=text --no-config --no-editorconfig
     --ignore-unknown --no-error-on-unmatched-pattern --single-quote --no-semi --print-width=number --tab-width=number
     --use-tabs --trailing-comma=text --parser=name --stdin-filepath=read --cache --cache-strategy=text --no-color --color
     --config-precedence=text --end-of-line=text --prose-wrap=text --find-config-path=read --file-info=read`,
    { operands: "write*", variants: [{ when: "-c --check -l --list-different", operands: "read*" }] },
  ),
  vitest: tool(
    `-[uwh] -t=text --run --testNamePattern=text --reporter=name --coverage=?text --coverage.enabled=?text --coverage.reporter=name
     --watch=?text --no-watch --update --bail=number --silent=?text --hideSkippedTests --passWithNoTests --changed=?text
     --shard=text --project=text --no-coverage --typecheck --no-color --color --globals --pool=name --environment=name
     --maxWorkers=text --minWorkers=text --retry=number --testTimeout=number --hookTimeout=number --no-file-parallelism
     --fileParallelism=?text --sequence.shuffle --logHeapUsage --allowOnly --isolate --no-isolate --exclude=text
     --disable-console-intercept --no-cache`,
    { whole: true },
  ),
  jest: tool(
    `-[bioueh] -t=text -w=text --testNamePattern=text --testPathPattern=text --testPathPatterns=text --coverage=?text
     --watchAll=?text --watch --maxWorkers=text --runInBand --ci --silent=?text --verbose=?text --bail=?text --updateSnapshot
     --passWithNoTests --onlyChanged --changedSince=text --findRelatedTests --detectOpenHandles --forceExit --listTests
     --no-cache --noStackTrace --color --no-color --json --testTimeout=number --shard=text --selectProjects=text
     --no-coverage --expand --logHeapUsage --errorOnDeprecated --clearCache --showConfig`,
    { operands: "text*" },
  ),
};

/** Null where there is no list for it. */
export function readDeveloperTool(name: string, words: readonly ShellWord[]): ProgramReading | null {
  const table = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined;
  return table === undefined ? null : interpret(words, table);
}

/** `python -m pytest …`, `uv run pytest …`: the tool and its words; null for everything else. */
export function readThroughRunner(name: string, words: readonly ShellWord[]): ProgramReading | null {
  const word = /^python[\d.]*$/.test(name) ? "-m" : /^(?:uv|poetry|pipenv|pdm|hatch|rye)$/.test(name) ? "run" : null;
  const [first, second, ...rest] = words;
  if (word === null || first?.plain !== true || first.text !== word || second?.plain !== true) return null;
  return readDeveloperTool(second.text, rest);
}
