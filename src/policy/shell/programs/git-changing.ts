/**
 * Subcommands of git that change something or speak to other machines. All count as `execute`: they run hooks, filters, an
 * editor or a signing program where the repository has them. Not on the lists: what names a program, opens an editor, signs,
 * or sets configuration.
 */
import type { ProgramTable } from "./table.ts";

function changing(options: string, parts: Partial<ProgramTable> = {}): ProgramTable {
  return { options, effect: "execute", ...parts };
}
function remote(options: string, parts: Partial<ProgramTable> = {}): ProgramTable {
  // `ext::command`: the name of a helper before the address.
  return {
    options,
    effect: "execute",
    operands: "text*",
    network: true,
    refuse: /^[+]?[a-z][a-z0-9+.-]*::|^(?:file|ext|fd):|^-/i,
    ...parts,
  };
}

const COMMIT_TEXT =
  "-m=text -F=read --message=text --file=read --cleanup=text --signoff -s --no-gpg-sign --no-edit --quiet -q --verbose -v --no-verify -n";
const MERGING = `${COMMIT_TEXT} --ff --no-ff --ff-only --squash --no-squash --commit --no-commit --strategy=text --strategy-option=text
  -X=text --stat --no-stat --log=?number --no-log --allow-unrelated-histories --autostash --no-autostash
  --rerere-autoupdate --no-rerere-autoupdate --abort --continue --quit --progress --no-progress`;
const FETCHING = `-[vqaftnpk46] --verbose --quiet --all --append --force --tags --no-tags --prune --no-prune --prune-tags --dry-run
  --depth=number --deepen=number --shallow-since=text --unshallow --update-shallow --keep --jobs=number -j=number --multiple
  --atomic --no-write-fetch-head --write-fetch-head --progress --no-progress --ipv4 --ipv6 --no-recurse-submodules
  --refmap=text --set-upstream --porcelain --no-auto-maintenance --no-auto-gc --filter=text`;

export const GIT_CHANGING: Readonly<Record<string, ProgramTable>> = {
  add: changing(
    `-[nvfuAN] --dry-run --verbose --force --update --all --no-all --no-ignore-removal --ignore-removal --intent-to-add --refresh
     --ignore-errors --ignore-missing --renormalize --chmod=text --sparse --pathspec-from-file=read --pathspec-file-nul`,
  ),
  commit: changing(
    `${COMMIT_TEXT} -[aio] --all --amend --author=text --date=text --reset-author --fixup=text --squash=text
     --allow-empty --allow-empty-message --dry-run --short --porcelain --only --include --branch --long --null -z --no-post-rewrite
     -u=?text --untracked-files=?text --status --no-status --trailer=text -C=text --reuse-message=text --pathspec-from-file=read`,
  ),
  checkout: changing(
    `-b=text -B=text -[qftdlm] --quiet --force --track=?text --no-track --detach --orphan=text --ours --theirs --merge --conflict=text
     --no-guess --guess --progress --no-progress --ignore-other-worktrees --overlay --no-overlay --overwrite-ignore -2 -3
     --no-recurse-submodules --pathspec-from-file=read`,
    { operands: "write*" },
  ),
  switch: changing(
    `-c=text -C=text --create=text --force-create=text -[dftqm] --detach --guess --no-guess --force --discard-changes --merge
     --conflict=text --quiet --progress --no-progress --track=?text --no-track --orphan=text --ignore-other-worktrees --no-recurse-submodules`,
    { operands: "text*" },
  ),
  restore: changing(
    `-s=text --source=text -[WSqm] --worktree --staged --quiet --progress --no-progress --ours --theirs --merge --conflict=text
     --ignore-unmerged --ignore-skip-worktree-bits --overlay --no-overlay --pathspec-from-file=read`,
    { operands: "write*" },
  ),
  reset: changing(
    "-[qN] --soft --mixed --hard --merge --keep --quiet --no-quiet --intent-to-add --refresh --no-refresh --no-recurse-submodules --pathspec-from-file=read",
    { operands: "write*" },
  ),
  rm: changing("-[frnq] --force --dry-run --cached --ignore-unmatch --quiet --sparse --pathspec-from-file=read", {
    operands: "write*",
  }),
  mv: changing("-[fknv] --force --dry-run --verbose --sparse", { operands: "write*" }),
  clean: changing("-[dfnqxX] -e=text --force --dry-run --quiet --exclude=text", { operands: "write*" }),
  merge: changing(MERGING, { operands: "text*" }),
  // Not `-i`, `-x`, `--exec`: an editor, and commands.
  rebase: changing(
    `-[vqfnm] -C=number -X=text -s=text --onto=text --continue --skip --abort --quit --keep-base --apply --merge --empty=text --keep-empty
     --no-keep-empty --root --autosquash --no-autosquash --autostash --no-autostash --fork-point --no-fork-point --strategy=text
     --strategy-option=text --rebase-merges=?text --no-rebase-merges --update-refs --no-update-refs --force-rebase --no-ff --quiet --verbose --stat --no-stat
     --no-verify --verify --signoff --committer-date-is-author-date --ignore-date --reset-author-date --show-current-patch --no-gpg-sign`,
    { operands: "text*" },
  ),
  "cherry-pick": changing(
    "-[xnr] -m=number -X=text -s --no-commit --mainline=number --signoff --ff --allow-empty --allow-empty-message --keep-redundant-commits --strategy=text --strategy-option=text --continue --skip --abort --quit --no-gpg-sign",
    { operands: "text*" },
  ),
  revert: changing(
    "-[ns] -m=number -X=text --no-edit --mainline=number --no-commit --signoff --strategy=text --strategy-option=text --continue --skip --abort --quit --no-gpg-sign --reference",
    { operands: "text*" },
  ),
  apply: changing(
    `-[Rv3qzN] -p=number -C=number --stat --numstat --summary --check --index --cached --3way --reverse --reject --recount
     --apply --whitespace=text --ignore-space-change --ignore-whitespace --inaccurate-eof --verbose --quiet --exclude=text
     --include=text --unidiff-zero --intent-to-add --allow-empty --directory=write`,
    {
      variants: [
        { when: "--apply --index --cached --3way -3", effect: "execute" },
        { when: "--stat --numstat --summary --check", effect: "read" },
      ],
    },
  ),
  gc: changing("-q --quiet --auto --prune=?text --no-prune --aggressive --force", { operands: "none" }),
  prune: changing("-[nv] --dry-run --verbose --expire=text", { operands: "text*" }),
  fsck: changing(
    "--full --strict --unreachable --no-dangling --dangling --connectivity-only --no-progress --progress --verbose",
    { operands: "text*" },
  ),
  "update-index": changing(
    "-q --refresh --really-refresh --assume-unchanged --no-assume-unchanged --skip-worktree --no-skip-worktree --add --remove --chmod=text",
  ),
  "write-tree": changing("--missing-ok --prefix=text", { operands: "none" }),
  init: changing("-q --quiet -b=text --initial-branch=text --object-format=text", { operands: "write" }),
  "format-patch": changing(
    "-[nNsk] -# -o=write -v=number --output-directory=write --numbered --no-numbered --signoff --cover-letter --no-cover-letter --subject-prefix=text --thread=?text --no-thread --root --zero-commit --no-signature --stdout",
    { operands: "text*", variants: [{ when: "--stdout", effect: "read" }] },
  ),

  push: remote(
    `-[unfdqv46] --all --branches --mirror --tags --follow-tags --no-follow-tags --atomic --no-atomic --dry-run --force
     --force-with-lease=?text --no-force-with-lease --force-if-includes --delete --prune --quiet --verbose --progress
     --no-progress --set-upstream --porcelain --no-verify --verify --no-signed --no-recurse-submodules --thin --no-thin --ipv4 --ipv6`,
  ),
  fetch: remote(FETCHING),
  pull: remote(`${FETCHING} ${MERGING} -r --rebase=?text --no-rebase`),
  clone: remote(
    `-[lnqv46s] -b=text -o=text -j=number --local --no-hardlinks --shared --no-checkout --quiet --verbose --progress --bare
     --mirror --origin=text --branch=text --depth=number --shallow-since=text --shallow-exclude=text --single-branch
     --no-single-branch --no-tags --sparse --filter=text --jobs=number --no-shallow-submodules`,
    { operands: "text write" },
  ),
  "ls-remote": remote("-[htq] --heads --branches --tags --refs --quiet --exit-code --get-url --symref --sort=text"),
};

export const GIT_CHANGING_WORDS: Readonly<Record<string, Readonly<Record<string, ProgramTable>>>> = {
  stash: {
    "": changing(
      "-[uakSq] -m=text --keep-index --no-keep-index --include-untracked --all --staged --quiet --message=text",
    ),
    push: changing(
      "-[uakSq] -m=text --keep-index --no-keep-index --include-untracked --all --staged --quiet --message=text",
    ),
    save: changing("-[uakSq] --keep-index --no-keep-index --include-untracked --all --quiet", { operands: "text*" }),
    pop: changing("-q --index --quiet", { operands: "text" }),
    apply: changing("-q --index --quiet", { operands: "text" }),
    drop: changing("-q --quiet", { operands: "text" }),
    branch: changing("", { operands: "text text" }),
    clear: changing("", { operands: "none" }),
  },
  worktree: {
    add: changing(
      "-[fdq] -b=text -B=text --force --detach --checkout --no-checkout --lock --quiet --track --no-track --guess-remote",
      { operands: "write text" },
    ),
    remove: changing("-f --force", { operands: "write" }),
    prune: changing("-[nv] --dry-run --verbose --expire=text", { operands: "none" }),
  },
  remote: { show: remote("-n"), prune: remote("-n --dry-run"), update: remote("-p --prune") },
  submodule: {
    update: remote("-[q] --init --no-fetch --force --recursive --depth=number --jobs=number --quiet"),
    init: changing("", { operands: "text*" }),
  },
};
