/** Programs that look at the file tree, and programs whose purpose is to change it. */
import type { ProgramTable } from "./table.ts";

const HELP = " --help --version";

const TIMES = "--time=?text --time-style=text --full-time";
const PACKED: ProgramTable = {
  options: `-[cdfhklLnNqtvV123456789] --stdout --to-stdout --decompress --uncompress --force --keep --list --no-name --name --quiet
    --test --verbose --fast --best -e -0 -T=number --extreme --threads=number -z --compress${HELP}`,
  operands: "write*",
  variants: [{ when: "-c --stdout --to-stdout -l --list -t --test", effect: "read", operands: "read*" }],
};
const UNPACKED: ProgramTable = { options: `-[fhnqv]${HELP}`, operands: "read*" };
/** Mode, owner or group first; `--reference` takes its place. */
const OWNING: ProgramTable = {
  options: `-[RcfvhHLP] --recursive --changes --silent --quiet --verbose --reference=read --no-dereference --dereference
    --preserve-root --from=text${HELP}`,
  effect: "write",
  operands: "text write*",
  first_unless: "--reference",
};

export const FILE_PROGRAMS: Readonly<Record<string, ProgramTable>> = {
  ls: {
    options: `-[AaBbCcDdFfGgHhikLlmNnopQqRrSstUuvXxZ1] -I=text -T=number -w=number --all --almost-all --author --escape
      --block-size=text --ignore-backups --color=?text --directory --dired --classify=?text --file-type --format=text
      --group-directories-first --no-group --human-readable --si --dereference-command-line
      --dereference-command-line-symlink-to-dir --hide=text --hyperlink=?text --indicator-style=text --inode
      --ignore=text --kibibytes --dereference --numeric-uid-gid --literal --hide-control-chars --show-control-chars
      --quote-name --quoting-style=text --reverse --recursive --size --sort=text ${TIMES} --tabsize=number
      --width=number --context --zero${HELP}`,
    where_none: ".",
    lenient: true,
  },
  dir: { options: `-[AaCdFhlRrt1]${HELP}`, where_none: ".", lenient: true },
  stat: {
    options: `-[fLtxsnFrlq] -c=text --dereference --file-system --cached=text --format=text --printf=text --terse${HELP}`,
    lenient: true,
  },
  du: {
    options: `-[0abcDHhkLlmPSsx] -B=text -d=number -t=text -X=read --null --all --apparent-size --block-size=text --bytes
      --total --dereference-args --max-depth=number --human-readable --inodes --dereference --count-links
      --no-dereference --separate-dirs --si --summarize --threshold=text --time=?text --time-style=text
      --exclude-from=read --exclude=text --one-file-system${HELP}`,
    where_none: ".",
    lenient: true,
  },
  df: {
    options: `-[aHhiklPTv] -B=text -t=text -x=text --all --block-size=text --human-readable --si --inodes --local --no-sync
      --output=?text --portability --total --type=text --print-type --exclude-type=text${HELP}`,
    lenient: true,
  },
  // `-R` starts itself again for every directory and writes there, `-o` writes.
  tree: {
    options: `-[adfilxACDFJNQSUXcghinpqrstuv] -L=number -I=text -P=text -H=text -T=text --prune --noreport --dirsfirst --filesfirst
      --filelimit=number --gitignore --matchdirs --ignore-case --du --si --inodes --device --nolinks --charset=text
      --sort=text --timefmt=text --metafirst${HELP}`,
    beyond: "-o=write",
    where_none: ".",
  },
  realpath: {
    options: `-[emLPqsz] --canonicalize-existing --canonicalize-missing --logical --physical --quiet --relative-to=text
      --relative-base=text --strip --no-symlinks --zero${HELP}`,
    lenient: true,
  },
  readlink: {
    options: `-[femnqsvz] --canonicalize --canonicalize-existing --canonicalize-missing --no-newline --quiet --silent
      --verbose --zero${HELP}`,
    lenient: true,
  },
  basename: { options: `-[az] -s=text --multiple --suffix=text --zero${HELP}`, operands: "text*", lenient: true },
  dirname: { options: `-z --zero${HELP}`, operands: "text*", lenient: true },
  // Not `-C` (writes), not `-z` (starts programs), not `-f` (a list of names).
  file: {
    options: `-[bcEhiIklLnNrsv0] -m=read -F=text -P=text -e=text --brief --mime --mime-type --mime-encoding --extension --no-dereference
      --dereference --keep-going --magic-file=read --separator=text --no-buffer --no-pad --print0 --raw --special-files --exclude=text${HELP}`,
  },
  mkdir: { options: `-[pv] -m=text --parents --mode=text --verbose${HELP}`, effect: "write", operands: "write*" },
  touch: {
    options: `-[acfhm] -d=text -t=text -r=read --no-create --date=text --time=text --no-dereference --reference=read${HELP}`,
    effect: "write",
    operands: "write*",
  },
  rm: {
    options: `-[fiIrRdv] --force --interactive=?text --recursive --dir --verbose --one-file-system --preserve-root${HELP}`,
    effect: "write",
    operands: "write*",
  },
  rmdir: { options: `-[v] --ignore-fail-on-non-empty --verbose${HELP}`, effect: "write", operands: "write*" },
  unlink: { options: HELP, effect: "write", operands: "write" },
  truncate: {
    options: `-[co] -s=text -r=read --no-create --io-blocks --size=text --reference=read${HELP}`,
    effect: "write",
    operands: "write*",
  },
  cp: {
    options: `-[adfHiLlnPpRrTuvx] -t=write --archive --force --interactive --dereference --no-clobber --no-dereference --preserve=?text
      --no-preserve=text --recursive --reflink=?text --sparse=text --strip-trailing-slashes --target-directory=write
      --no-target-directory --update=?text --verbose --one-file-system --attributes-only --link${HELP}`,
    effect: "write",
    operands: "read* write",
    variants: [{ when: "-t --target-directory", operands: "read*" }],
  },
  // Not `-s` and `--strip-program`: they start a program.
  install: {
    options: `-[bcCDpvT] -m=text -o=text -g=text -S=text -t=write -d --mode=text --owner=text --group=text --compare --directory
      --preserve-timestamps --verbose --target-directory=write --no-target-directory${HELP}`,
    effect: "write",
    operands: "read* write",
    variants: [
      { when: "-t --target-directory", operands: "read*" },
      { when: "-d --directory", operands: "write*" },
    ],
  },
  // From one directory to another: with a colon it speaks to another machine, and `-e` starts a program.
  rsync: {
    options: `-[avzrlptgoDhnPuxHAXSWIcdqRi0] --archive --verbose --recursive --delete --dry-run --progress --partial --stats
      --human-readable --exclude=text --include=text --exclude-from=read --include-from=read --update --checksum --links
      --times --perms --no-perms --itemize-changes --info=text --ignore-existing --existing --size-only --quiet --compress
      --inplace --max-size=text --min-size=text${HELP}`,
    effect: "write",
    operands: "read* write",
    refuse: /:/,
  },
  mv: {
    options: `-[finTuv] -t=write --force --interactive --no-clobber --strip-trailing-slashes --target-directory=write
      --no-target-directory --update=?text --verbose${HELP}`,
    effect: "write",
    operands: "write*",
  },
  tee: {
    options: `-[aip] --append --ignore-interrupts --output-error=?text${HELP}`,
    operands: "write*",
  },
  chmod: {
    options: `-[RcfvrwxXst] --recursive --changes --silent --quiet --verbose --reference=read --preserve-root${HELP}`,
    effect: "write",
    operands: "text write*",
    first_unless: "--reference -r -w -x -X -s -t",
  },
  chown: OWNING,
  chgrp: OWNING,
  split: {
    options: `-[dxeuz] -a=number -b=text -C=text -l=number -n=text -t=text --suffix-length=number --bytes=text --line-bytes=text
      --numeric-suffixes=?text --hex-suffixes=?text --lines=number --number=text --additional-suffix=text --verbose${HELP}`,
    effect: "write",
    operands: "read write",
    writes_unless: { path: ".", options: "" },
  },
  gzip: PACKED,
  bzip2: PACKED,
  xz: PACKED,
  zstd: PACKED,
  gunzip: PACKED,
  bunzip2: PACKED,
  unxz: PACKED,
  zcat: UNPACKED,
  bzcat: UNPACKED,
  xzcat: UNPACKED,
  // Not `-TT` and `-T` (start a test program), `-@` (names from input), `-b`, `-O`.
  zip: {
    options: `-[rqvjymoDXu0123456789] -x=text -i=text -n=text --recurse-paths --quiet --junk-paths --symlinks`,
    effect: "write",
    operands: "write read*",
  },
  unzip: {
    options: "-[aCjLnoqUvlptzZ] -d=write -x=text",
    effect: "write",
    operands: "read text*",
    variants: [{ when: "-l -p -t -v -z -Z", effect: "read", operands: "read text*" }],
    writes_unless: { path: ".", options: "-d" },
  },
  zipinfo: { options: "-[12smlvhMtTzC]", operands: "read text*" },
};
