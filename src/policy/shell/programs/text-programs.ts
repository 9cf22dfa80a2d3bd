/** Programs that read files or input and print: nothing that they can be told changes anything, but for what is marked `!`. */
import type { ProgramTable } from "./table.ts";

const HELP = " --help --version";

/** No option does harm, operands are files that are read. */
function reader(options: string, parts: Partial<ProgramTable> = {}): ProgramTable {
  return { options: options + HELP, lenient: true, ...parts };
}

const DIGEST = reader(
  "-[bctzw] --binary --check --tag --text --zero --warn --quiet --status --ignore-missing --strict -a=number --algorithm=text",
);
const GREP = reader(
  `-[EFGPivwxcLloqsbHhnTZaIrRUuzy] -# -A=number -B=number -C=number -m=number -e=text -f=read -d=text -D=text
   --extended-regexp --fixed-strings --basic-regexp --perl-regexp --ignore-case --no-ignore-case --invert-match --word-regexp
   --line-regexp --count --files-without-match --files-with-matches --only-matching --quiet --silent --no-messages
   --byte-offset --with-filename --no-filename --line-number --initial-tab --null --text --recursive
   --dereference-recursive --binary --unix-byte-offsets --null-data --line-buffered
   --after-context=number --before-context=number --context=number --max-count=number --regexp=text --file=read
   --color=?text --colour=?text --binary-files=text --devices=text --directories=text --label=text
   --include=glob --exclude=text --exclude-from=read --exclude-dir=text --group-separator=text --no-group-separator`,
  {
    operands: "text read*",
    first_unless: "-e --regexp -f --file",
    variants: [{ when: "-r -R --recursive --dereference-recursive", where_none: "." }],
  },
);

export const TEXT_PROGRAMS: Readonly<Record<string, ProgramTable>> = {
  cat: reader(
    "-[AbeEnstTuvl] --show-all --number-nonblank --show-ends --number --squeeze-blank --show-tabs --show-nonprinting",
  ),
  tac: reader("-[br] -s=text --before --regex --separator=text"),
  head: reader(
    "-[qvz] -# -n=number -c=number --lines=number --bytes=number --quiet --silent --verbose --zero-terminated",
  ),
  tail: reader(
    `-[fFqrvz] -# -n=number -c=number -s=number --lines=number --bytes=number --follow=?text --retry --quiet --silent
     --verbose --zero-terminated --pid=number --sleep-interval=number --max-unchanged-stats=number`,
  ),
  wc: reader("-[clmwL] --bytes --chars --lines --words --max-line-length --total=text"),
  cut: reader(
    `-[nsz] -b=text -c=text -d=text -f=text --bytes=text --characters=text --delimiter=text --fields=text --complement
     --only-delimited --output-delimiter=text --zero-terminated`,
  ),
  tr: reader("-[cCdst] --complement --delete --squeeze-repeats --truncate-set1", { operands: "text text" }),
  nl: reader(
    `-p -b=text -d=text -f=text -h=text -i=number -l=number -n=text -s=text -v=number -w=number --body-numbering=text
     --section-delimiter=text --footer-numbering=text --header-numbering=text --line-increment=number
     --join-blank-lines=number --number-format=text --no-renumber --number-separator=text
     --starting-line-number=number --number-width=number`,
  ),
  fold: reader("-[bcs] -# -w=number --bytes --spaces --width=number"),
  fmt: reader("-[cnstu] -# -w=number -p=text -g=number --width=number --prefix=text --goal=number --split-only"),
  expand: reader("-i -t=text --initial --tabs=text"),
  unexpand: reader("-a -t=text --all --first-only --tabs=text"),
  rev: reader(""),
  paste: reader("-[sz] -d=text --serial --delimiters=text --zero-terminated"),
  join: reader(
    "-[iz] -a=number -e=text -j=number -o=text -t=text -v=number -1=number -2=number --ignore-case --check-order --nocheck-order --header --zero-terminated",
    { operands: "read read" },
  ),
  comm: reader("-[123iz] --check-order --nocheck-order --output-delimiter=text --total --zero-terminated", {
    operands: "read read",
  }),
  cmp: reader(
    "-[bls] -i=text -n=number --print-bytes --ignore-initial=text --verbose --bytes=number --quiet --silent",
    { operands: "read read text text" },
  ),
  // Not lenient: `-l` starts `pr`.
  diff: {
    options: `-[qsucebynNrpTtBabwiEZdH] -# -U=number -C=number -W=number -x=text -X=read -I=text -F=text -L=text -S=text
     --normal --brief --report-identical-files --context=?number --unified=?number --ed --rcs --side-by-side --width=number
     --left-column --suppress-common-lines --show-c-function --show-function-line=text --label=text --expand-tabs
     --initial-tab --tabsize=number --suppress-blank-empty --recursive --no-dereference --new-file
     --unidirectional-new-file --ignore-file-name-case --no-ignore-file-name-case --exclude=text --exclude-from=read
     --starting-file=text --from-file=read --to-file=read --ignore-case --ignore-tab-expansion --ignore-trailing-space
     --ignore-space-change --ignore-all-space --ignore-blank-lines --ignore-matching-lines=text --text
     --strip-trailing-cr --minimal --horizon-lines=number --speed-large-files --color=?text --palette=text
     --line-format=text --old-line-format=text --new-line-format=text --unchanged-line-format=text${HELP}`,
  },
  // A second operand is written, so nothing may move: not lenient.
  uniq: {
    options: `-[cdDiuz] -# -f=number -s=number -w=number --count --repeated --all-repeated=?text --skip-fields=number
     --group=?text --ignore-case --skip-chars=number --unique --zero-terminated --check-chars=number${HELP}`,
    operands: "read write!",
  },
  sort: {
    options: `-[bdfghiMnRrVcCmsuz] -k=text -t=text --ignore-leading-blanks --dictionary-order --ignore-case
     --general-numeric-sort --human-numeric-sort --ignore-nonprinting --month-sort --numeric-sort --random-sort --reverse
     --sort=text --version-sort --check=?text --merge --key=text --field-separator=text --stable --unique
     --zero-terminated --parallel=number --debug${HELP}`,
    beyond: "-o=write --output=write",
  },
  shuf: {
    options: `-[erz] -i=text -n=number --echo --input-range=text --head-count=number --repeat --zero-terminated${HELP}`,
  },
  tsort: reader(""),
  od: reader(
    `-[abcdfhiloOsvxX] -A=text -j=text -N=text -S=text -t=text -w=?number --address-radix=text --skip-bytes=text
     --read-bytes=text --strings=?text --format=text --output-duplicates --width=?number --endian=text --traditional`,
  ),
  hexdump: reader(
    "-[bcCdovx] -n=number -s=text -e=text -L=?text --canonical --length=number --skip=text --no-squeezing",
  ),
  hd: reader("-[bcCdovx] -n=number -s=text -e=text"),
  xxd: {
    options: `-a -b -C -d -e -E -i -p -ps -plain -u -v -h -autoskip -bits -capitalize -include -uppercase -version -help
      -c=number -cols=number -g=number -groupsize=number -l=text -len=text -n=text -name=text -o=text -s=text -seek=text -R=text`,
    beyond: "-r -revert",
    operands: "read write!",
    whole: true,
  },
  // `@file` is a list of options for the programs of binutils.
  strings: reader(
    "-[adfow] -# -n=number -t=text -e=text -s=text --all --data --print-file-name --bytes=number --radix=text --encoding=text --output-separator=text --include-all-whitespace",
    {
      refuse: /^@|[*?[]/,
      lenient: false,
    },
  ),
  md5sum: DIGEST,
  sha1sum: DIGEST,
  sha224sum: DIGEST,
  sha256sum: DIGEST,
  sha384sum: DIGEST,
  sha512sum: DIGEST,
  shasum: DIGEST,
  b2sum: DIGEST,
  cksum: DIGEST,
  sum: reader("-[rs] --sysv"),
  base64: reader("-[dDi] -w=number --decode --ignore-garbage --wrap=number", { operands: "read" }),
  base32: reader("-[di] -w=number --decode --ignore-garbage --wrap=number", { operands: "read" }),
  column: reader(
    `-[tnJexd] -c=number -s=text -o=text -N=text -R=text -H=text -T=text -W=text -l=number --table --separator=text
     --output-separator=text --output-width=number --columns=number --json --table-columns=text --table-right=text --table-hide=text`,
  ),
  grep: GREP,
  egrep: GREP,
  fgrep: GREP,
  // Not lenient, and without `-z`: that starts a program for each compressed file. `--pre` and `--hostname-bin` start any.
  rg: {
    options: `-[0aciFhHILlNnopPqSsTUuvwxbV.] -# -A=number -B=number -C=number -d=number -E=text -e=text -f=read -g=glob -j=number
     -M=number -m=number -r=text -t=text -T=text --after-context=number --before-context=number --binary --block-buffered
     --byte-offset --case-sensitive --color=text --colors=text --column --context=number --context-separator=text --count
     --count-matches --crlf --debug --dfa-size-limit=text --encoding=text --engine=text --field-context-separator=text
     --field-match-separator=text --file=read --files --files-with-matches --files-without-match --fixed-strings
     --follow --glob=glob --glob-case-insensitive --heading --help --hidden --iglob=glob --ignore-case
     --ignore-file=read --ignore-file-case-insensitive --include-zero --invert-match --json --line-buffered
     --line-number --line-regexp --max-columns=number --max-columns-preview --max-count=number --max-depth=number
     --max-filesize=text --mmap --multiline --multiline-dotall --no-binary --no-column --no-config --no-context-separator
     --no-encoding --no-filename --no-fixed-strings --no-follow --no-heading --no-hidden --no-ignore
     --no-ignore-dot --no-ignore-exclude --no-ignore-files --no-ignore-global --no-ignore-messages --no-ignore-parent
     --no-ignore-vcs --no-invert-match --no-json --no-line-number --no-messages --no-mmap --no-multiline --no-pre
     --no-require-git --no-search-zip --no-unicode --no-pcre2 --null --null-data --one-file-system --only-matching
     --passthru --path-separator=text --pcre2 --pcre2-version --pretty --quiet --regex-size-limit=text --regexp=text
     --replace=text --smart-case --sort=text --sortr=text --stats --stop-on-nonmatch --text --threads=number --trace
     --trim --type=text --type-add=glob --type-clear=text --type-list --type-not=text --unrestricted --version --vimgrep
     --with-filename --word-regexp`,
    operands: "text read*",
    first_unless: "-e --regexp -f --file --files --type-list --version --pcre2-version -V",
    where_none: ".",
  },
};
