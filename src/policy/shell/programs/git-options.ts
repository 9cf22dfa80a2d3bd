/** Lists of options that several subcommands of git have in common. */

const FORMATS =
  "--pretty=?format --format=format --oneline --abbrev-commit --no-abbrev-commit --encoding=text --date=text";

/** Not `--output`, `--ext-diff`, `--textconv`: they write, or start what a configuration names. */
export const DIFF = `-[pusRabwWz] -U=number -M=?text -C=?text -B=?text -D=?text -l=number -S=text -G=text -X=?text -O=read --patch --no-patch --unified=number
  --raw --patch-with-raw --indent-heuristic --no-indent-heuristic --minimal --patience --histogram --anchored=text
  --diff-algorithm=text --stat=?text --stat-width=number --stat-name-width=number --stat-count=number --compact-summary --numstat --shortstat --dirstat=?text --cumulative
  --summary --patch-with-stat --name-only --name-status --submodule=?text --color=?text --no-color --color-moved=?text
  --no-color-moved --color-moved-ws=text --word-diff=?text --word-diff-regex=text --color-words=?text --no-renames --renames
  --rename-empty --no-rename-empty --check --ws-error-highlight=text --full-index --binary --abbrev=?number --break-rewrites=?text
  --find-renames=?text --find-copies=?text --find-copies-harder --irreversible-delete --diff-filter=text --pickaxe-all
  --pickaxe-regex --find-object=text --relative=?text --no-relative --text --ignore-cr-at-eol --ignore-space-at-eol
  --ignore-space-change --ignore-all-space --ignore-blank-lines --ignore-matching-lines=text -I=text
  --inter-hunk-context=number --function-context --exit-code --quiet --no-ext-diff --no-textconv --ignore-submodules=?text
  --src-prefix=text --dst-prefix=text --no-prefix --default-prefix --line-prefix=text --ita-invisible-in-index --skip-to=text --rotate-to=text`;

/** Which commits, and how they are shown. Not `--show-signature`: it starts another program. */
export const REVISIONS = `-[igEFPc] -# -n=number --max-count=number --skip=number --since=text --after=text --until=text --before=text
  --since-as-filter=text --author=text --committer=text --grep-reflog=text --grep=text --all-match --invert-grep
  --regexp-ignore-case --basic-regexp --extended-regexp --fixed-strings --perl-regexp --remove-empty --merges --no-merges
  --min-parents=number --max-parents=number --no-min-parents --no-max-parents --first-parent --exclude-first-parent-only
  --not --all --branches=?text --tags=?text --remotes=?text --glob=text --exclude=text --reflog --alternate-refs
  --ignore-missing --bisect --cherry-mark --cherry-pick --left-only --right-only --cherry --walk-reflogs --merge --boundary
  --simplify-by-decoration --show-pulls --full-history --dense --sparse --simplify-merges --ancestry-path=?text
  --date-order --author-date-order --topo-order --reverse --no-walk=?text --do-walk ${FORMATS} --no-notes --notes=?text
  --show-notes=?text --relative-date --parents --children --left-right --graph --no-graph --show-linear-break=?text
  --cc --combined-all-paths --diff-merges=text --no-diff-merges --dd --remerge-diff -m -t`;

export const LOG = `${DIFF} ${REVISIONS} --follow --no-decorate --decorate=?text --decorate-refs=text --decorate-refs-exclude=text
  --clear-decorations --source --mailmap --no-mailmap --use-mailmap --log-size -L=glob --no-color --expand-tabs=?number --no-expand-tabs`;

/** How refs are listed. */
export const REFS = `--sort=text --format=format --color=?text --no-color --ignore-case --column=?text --no-column --abbrev=number --no-abbrev
  --omit-empty`;
/** Which refs are listed; the next word is the commit, if there is one. */
export const REF_FILTERS = "--contains=!text --no-contains=!text --merged=!text --no-merged=!text --points-at=text";
