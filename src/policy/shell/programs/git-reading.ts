/** Subcommands of git that look, and the looking forms of those that also change something. */
import { DIFF, LOG, REFS, REF_FILTERS, REVISIONS } from "./git-options.ts";
import type { ProgramTable } from "./table.ts";

const SHOW: ProgramTable = { options: LOG };

export const GIT_READING: Readonly<Record<string, ProgramTable>> = {
  log: SHOW,
  show: SHOW,
  whatchanged: SHOW,
  reflog: SHOW,
  diff: {
    options: `${DIFF} --cached --staged --merge-base --no-index --base --ours --theirs -0 -1 -2 -3 --cc -c --combined-all-paths`,
  },
  "diff-tree": {
    options: `${DIFF} -[rtcmv] --stdin --root --no-commit-id --cc --always --merge-base --pretty=?format --format=format`,
  },
  "diff-index": { options: `${DIFF} -m --cached --merge-base` },
  "diff-files": { options: `${DIFF} -[0123c] --cc --base --ours --theirs -q` },
  "range-diff": {
    options: `${DIFF} --creation-factor=number --no-dual-color --left-only --right-only --no-notes --notes=?text`,
  },
  "rev-list": {
    options: `${REVISIONS} --count --objects --disk-usage=?text --timestamp --header --no-commit-header --commit-header --quiet
      --object-names --no-object-names --abbrev=?number`,
  },
  status: {
    options: `-[sbvzuM] -u=?text -M=?text --short --branch --show-stash --porcelain=?text --long --verbose --untracked-files=?text
      --ignore-submodules=?text --ignored=?text --column=?text --no-column --ahead-behind --no-ahead-behind --renames
      --no-renames --find-renames=?text --no-optional-locks`,
  },
  blame: {
    options: `-[bctlsefnwpkh] -L=text -C=?text -M=?text -S=read --root --show-stats --reverse=text --first-parent --porcelain
      --line-porcelain --incremental --encoding=text --contents=read --date=text --progress --no-progress --score-debug
      --show-name --show-number --show-email --abbrev=number --ignore-rev=text --ignore-revs-file=read --color-lines
      --color-by-age --minimal`,
  },
  annotate: { options: "-[bctlsefnwp] -L=text -C=?text -M=?text" },
  // Not `-O` and `--open-files-in-pager`, which take the name of a program.
  grep: {
    options: `-[aIirwvhHEGPFnlLzocpWq] -# -A=number -B=number -C=number -e=text -f=read -m=number --cached --untracked --no-index
      --exclude-standard --no-exclude-standard --recurse-submodules --text --ignore-case --recursive --no-recursive
      --max-depth=number --word-regexp --invert-match --full-name --extended-regexp --basic-regexp --perl-regexp
      --fixed-strings --line-number --column --files-with-matches --name-only --files-without-match --null --only-matching
      --count --color=?text --no-color --break --heading --show-function --context=number --after-context=number
      --before-context=number --function-context --max-count=number --threads=number --and --or --not --all-match --quiet
      --no-textconv`,
    operands: "text read*",
    first_unless: "-e -f",
    where_none: ".",
  },
  "rev-parse": {
    options: `-[q] --abbrev-ref=?text --short=?number --verify --quiet --show-toplevel --show-cdup --show-prefix
      --show-superproject-working-tree --git-dir --git-common-dir --absolute-git-dir --is-inside-git-dir --path-format=text
      --is-inside-work-tree --is-bare-repository --is-shallow-repository --symbolic --symbolic-full-name --all
      --branches=?text --tags=?text --remotes=?text --glob=text --exclude=text --revs-only --no-revs --flags --no-flags
      --default=text --not --sq --since=text --until=text --after=text --before=text --show-object-format=?text --git-path=text
      --show-ref-format --local-env-vars --disambiguate=text`,
  },
  "ls-files": {
    options: `-[cdmokisutvfzr] -x=text -X=read --cached --deleted --modified --others --killed --ignored --stage --directory
      --no-empty-directory --empty-directory --unmerged --exclude=text --exclude-from=read --exclude-per-directory=text --exclude-standard
      --error-unmatch --with-tree=text --full-name --recurse-submodules --abbrev=?number --debug --eol --deduplicate
      --sparse --format=format`,
  },
  "ls-tree": {
    options:
      "-[drtlz] --long --name-only --name-status --object-only --abbrev=?number --full-name --full-tree --format=format",
  },
  // Not `--textconv` and `--filters`.
  "cat-file": {
    options: `-[petsZz] --batch=?format --batch-check=?format --batch-all-objects --buffer --unordered --allow-unknown-type
      --follow-symlinks --use-mailmap`,
  },
  "show-ref": {
    options:
      "-[dsqh] --head --heads --branches --tags --dereference --hash=?number --verify --quiet --abbrev=?number --exists",
  },
  "for-each-ref": { options: `${REFS} ${REF_FILTERS} --count=number --shell --perl --python --tcl --exclude=text` },
  "show-branch": {
    options:
      "-[arg] --all --remotes --current --list --topo-order --date-order --sparse --merge-base --independent --no-name --sha1-name --topics --color=?text --no-color",
  },
  "name-rev": { options: "--tags --refs=text --exclude=text --all --name-only --no-undefined --always" },
  "merge-base": { options: "-a --all --octopus --is-ancestor --independent --fork-point" },
  describe: {
    options: `--dirty=?text --broken=?text --all --tags --contains --abbrev=number --candidates=number --exact-match --debug
      --long --match=text --exclude=text --always --first-parent`,
  },
  shortlog: { options: `${REVISIONS} -[nsec] -w=?text --numbered --summary --email --group=text --committer` },
  cherry: { options: "-v --verbose --abbrev=?number" },
  "count-objects": { options: "-[vH] --verbose --human-readable", operands: "none" },
  "check-ignore": { options: "-[qvnz] --quiet --verbose --stdin --non-matching --no-index" },
  "check-attr": { options: "-[az] --all --cached --stdin --source=text" },
  "check-ref-format": { options: "--branch --normalize --allow-onelevel --no-allow-onelevel --refspec-pattern" },
  "merge-tree": {
    options: "-z --name-only --messages --no-messages --allow-unrelated-histories --merge-base=text --write-tree",
    effect: "execute",
  },
  "hash-object": { options: "-t=text --stdin --no-filters --literally --path=text" },
  "patch-id": { options: "--stable --unstable --verbatim", operands: "none" },
  stripspace: { options: "-[sc] --strip-comments --comment-lines", operands: "none" },
  var: { options: "-l", operands: "text" },
  version: { options: "--build-options", operands: "none" },
  archive: {
    options: "-[vl] -# --list --verbose --prefix=text --worktree-attributes --mtime=text --format=text",
    beyond: "-o=write --output=write",
    // Other formats are made by a program that the configuration names.
    variants: [{ when: "--format", effect: "execute" }],
  },

  branch: {
    options: `-[arvqil] --all --remotes --list --show-current --verbose --quiet ${REFS} ${REF_FILTERS}`,
    raising: `-[dDmMcCftu] --delete --move --copy --force --track=?text --no-track --unset-upstream --set-upstream-to=text
      --create-reflog --recurse-submodules`,
    operands: "text*",
    operands_raise: true,
    variants: [{ when: "-l --list --contains --no-contains --merged --no-merged --points-at", effect: "read" }],
  },
  // Not `-s`, `-u`, `-v`: they start another program.
  tag: {
    options: `-[li] -n=?number --list ${REFS} ${REF_FILTERS}`,
    raising:
      "-[adf] -m=text -F=read --annotate --delete --force --message=text --file=read --create-reflog --no-sign --cleanup=text",
    operands: "text*",
    operands_raise: true,
    variants: [{ when: "-l --list -n --contains --no-contains --merged --no-merged --points-at", effect: "read" }],
  },
  config: {
    options: `-[lz] --list --get --get-all --get-regexp --get-urlmatch --get-color --show-origin --show-scope --name-only --null
      --local --global --system --worktree --type=text --bool --int --path --bool-or-int --expiry-date --includes --no-includes
      --default=text -f=read --file=read --blob=text --all --regexp --fixed-value --value=text --url=text`,
    operands: "text*",
  },
};

/** Subcommands whose first operand says what they do: `git stash list`. Without one, the entry with the empty name counts. */
export const GIT_READING_WORDS: Readonly<Record<string, Readonly<Record<string, ProgramTable>>>> = {
  stash: { list: SHOW, show: { options: `${LOG} --include-untracked --only-untracked` } },
  reflog: { "": SHOW, show: SHOW, exists: { operands: "text" } },
  worktree: { list: { options: "-[vz] --verbose --porcelain --expire=text", operands: "none" } },
  remote: {
    "": { options: "-v --verbose", operands: "none" },
    "get-url": { options: "--push --all", operands: "text" },
  },
  notes: { "": { operands: "none" }, list: { operands: "text" }, show: { operands: "text" } },
  submodule: {
    status: { options: "-[q] --cached --recursive --quiet", effect: "execute" },
    summary: { options: "--cached --files -n=number", effect: "execute" },
  },
  bisect: { log: { operands: "none" } },
  "sparse-checkout": { list: { operands: "none" } },
  bundle: { verify: { options: "-q --quiet", operands: "read" }, "list-heads": { operands: "read text*" } },
};
