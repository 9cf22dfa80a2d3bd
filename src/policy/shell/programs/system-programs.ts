/** Programs about the machine, the shell and the session: what they print, and the few that change something. */
import type { ProgramTable } from "./table.ts";

const HELP = " --help --version";
const TEXT: Pick<ProgramTable, "operands" | "lenient"> = { operands: "text*", lenient: true };
const VERSION: ProgramTable = { options: `-[vV]${HELP}`, operands: "none", required: "-v -V --version --help" };

export const SYSTEM_PROGRAMS: Readonly<Record<string, ProgramTable>> = {
  pwd: { options: "-[LP] --logical --physical", operands: "none" },
  // An operand, or `-s`, sets the clock.
  date: {
    options: `-[uRjn] -d=text -f=read -r=read -I=?text --date=text --debug --file=read --iso-8601=?text --rfc-email
      --rfc-3339=text --reference=read --utc --universal --resolution${HELP}`,
    operands: "text",
    refuse: /^[^+]/,
  },
  uname: {
    options: `-[asnrvmpio] --all --kernel-name --nodename --kernel-release --kernel-version --machine --processor --hardware-platform --operating-system${HELP}`,
    operands: "none",
  },
  arch: { options: HELP, operands: "none" },
  nproc: { options: `--all --ignore=number${HELP}`, operands: "none" },
  whoami: { options: HELP, operands: "none" },
  logname: { options: HELP, operands: "none" },
  tty: { options: `-s --silent --quiet${HELP}`, operands: "none" },
  id: { options: `-[aGgnruzZ] --group --groups --name --real --user --zero --context${HELP}`, ...TEXT },
  groups: { options: HELP, ...TEXT },
  // An operand sets the name; the other options ask a name server.
  hostname: { options: "-s --short", operands: "none" },
  uptime: { options: `-[ps] --pretty --since${HELP}`, operands: "none" },
  free: {
    options: `-[bkmghltvw] -c=number -s=number --bytes --kibi --mebi --gibi --human --lohi --total --wide${HELP}`,
    operands: "none",
  },
  ps: {
    // Whole words only: what is no bundle of the one kind is read as one of the other, in which e shows environments.
    options: `-[AadefFHjlLTwyc] -ef -eF -aux -auxw -auxww -ax -Af -el -elf -efww -eo=text -ao=text -C=text -G=text -g=text -o=text -O=text -p=text -s=text -t=text -u=text -U=text --forest
      --format=text --headers --no-headers --no-heading --pid=text --ppid=text --sort=text --user=text --cols=number --width=number${HELP}`,
    operands: "text*",
    whole: true,
    // The letter e shows the environment of other processes.
    refuse: /^(?!\d+$)(?![afhjlrstTuvwx]+$)/,
  },
  which: { options: "-[as] --all", ...TEXT },
  type: { options: "-[afptP]", ...TEXT },
  command: { options: "-[pvV]", operands: "text*", required: "-v -V", stops: true },
  sleep: { options: HELP, ...TEXT },
  seq: { options: `-[w] -# -f=text -s=text --format=text --separator=text --equal-width${HELP}`, ...TEXT },
  yes: { options: HELP, ...TEXT },
  factor: { options: HELP, ...TEXT },
  printenv: { options: `-0 --null${HELP}`, ...TEXT },
  // With an operand it runs a command: wrappers are read elsewhere.
  env: { options: `-0 --null${HELP}`, operands: "none" },
  locale: { options: "-[amck]", ...TEXT },
  getconf: { options: "-a", ...TEXT },
  jobs: { options: "-[lnprs]", operands: "text*" },
  times: { operands: "none" },
  umask: { options: "-[pS]", operands: "none" },
  ulimit: { options: "-[aHScdefilmnpqrstuvx]", operands: "none" },
  kill: {
    options: "-[l9] -# -s=text -n=number -TERM -KILL -INT -HUP -SIGTERM -SIGKILL -SIGINT -SIGHUP",
    effect: "execute",
    operands: "text*",
  },

  // Any target runs a recipe, `-n` included: makefiles run commands while they are read.
  make: {
    options: `-[BikKnqsSt] -j=?number -l=?number --jobs=?number --always-make --ignore-errors --keep-going --dry-run --just-print
      --question --silent --quiet --touch --no-print-directory --version --help`,
    effect: "execute",
    operands: "text*",
    // Numbers switch how much is printed; anything else in a variable is part of a command.
    refuse: /^(?!(?:V|VERBOSE|DEBUG)=\d{1,3}$).*[=$]/,
    variants: [{ when: "--version --help", effect: "read", operands: "none" }],
  },

  gcc: VERSION,
  "g++": VERSION,
  clang: VERSION,
};

/** Programs that say their version without starting anything; with other words there is no list for them. */
export const VERSION_WORDS: Readonly<Record<string, readonly string[]>> = {
  node: ["--version", "-v"],
  deno: ["--version", "-V"],
  bun: ["--version", "-v"],
  python: ["--version", "-V"],
  python3: ["--version", "-V"],
  pip: ["--version", "-V"],
  pip3: ["--version", "-V"],
  ruby: ["--version", "-v"],
  perl: ["--version", "-v"],
  php: ["--version", "-v"],
  java: ["--version", "-version"],
  javac: ["--version", "-version"],
  bash: ["--version"],
  docker: ["--version", "-v"],
  gh: ["--version"],
  cmake: ["--version"],
};

/** Whose words are all text: none is an option that does anything but change how it is printed. */
export const TEXT_ONLY: ReadonlySet<string> = new Set([
  "echo",
  "expr",
  "true",
  "false",
  ":",
  "exit",
  "return",
  "break",
  "continue",
  "shift",
]);

/** They run commands from within, as their user or their start-up files tell them. */
export const RUNS_FROM_WITHIN: ReadonlySet<string> = new Set([
  "less",
  "more",
  "most",
  "pg",
  "man",
  "info",
  "view",
  "vi",
  "vim",
  "vimdiff",
  "nvim",
  "nano",
  "pico",
  "emacs",
  "ed",
  "red",
  "ex",
  "sdiff",
  "csplit",
]);
