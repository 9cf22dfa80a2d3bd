/** Subcommands that run whatever follows them: a wildcard that would have to swallow one does not cover the command. */
import type { ShellWord } from "../shell/reading.ts";

const RUNNING: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    npm: ["exec", "x", "explore", "init", "create", "innit", "config", "set"],
    pnpm: ["exec", "dlx", "x", "create", "config"],
    yarn: ["exec", "dlx", "node", "create", "config"],
    bun: ["x", "create", "run", "repl"],
    deno: ["run", "eval", "repl", "serve", "x"],
    uv: ["run", "tool"],
    poetry: ["run", "shell"],
    pipenv: ["run", "shell"],
    pdm: ["run"],
    rye: ["run"],
    hatch: ["run", "shell"],
    conda: ["run"],
    mamba: ["run"],
    pixi: ["run", "exec"],
    bundle: ["exec"],
    cargo: ["run", "r"],
    go: ["run", "generate", "tool"],
    dotnet: ["run", "exec", "script"],
    mise: ["exec", "x", "run"],
    asdf: ["exec"],
    nix: ["run", "shell", "develop", "eval", "repl"],
    docker: ["run", "exec", "compose", "container", "buildx", "cp", "plugin", "context"],
    podman: ["run", "exec", "container", "machine", "unshare"],
    "docker-compose": ["run", "exec"],
    kubectl: ["exec", "run", "debug", "cp", "attach", "edit", "plugin", "config"],
    git: ["submodule", "bisect", "filter-branch", "config", "difftool", "mergetool"],
    lerna: ["exec"],
    rush: ["x"],
    turbo: ["exec"],
    gh: ["extension", "alias", "api", "codespace", "config", "secret", "ssh-key", "gpg-key"],
    make: ["--eval"],
    terraform: ["console"],
    vagrant: ["ssh"],
    heroku: ["run"],
    fly: ["ssh"],
    aws: ["configure"],
    gcloud: ["ssh"],
  }).map(([program, words]) => [program, new Set(words)]),
);

/** Options that hand a program to run, whatever the program is: without a list of its options this much is known. */
const RUNNING_OPTIONS =
  /^--?(?:exec|eval|command|shell|script-shell|node-options|require|import|loader|pager|editor|rsh|ssh-command|upload-pack|receive-pack|checkpoint-action|to-command|use-compress-program|pre|config-env|call|rootdir)(?:=|$)/;

/** Options that choose other code, another server or another user, for programs without a list. */
const CHOOSING_OPTIONS =
  /^--?(?:plugins?|rulesdir|rcfile|init-script|settings|global-settings|kubeconfig|server|as|as-group|raw|strip-program|rsync-path|daemon|javaagent|agentlib|agentpath|python-executable|pdb|pdbcls|install-types|globalSetup|setupFiles|insecure-skip-tls-verify)(?:[=:]|$)/;
/** `mvn exec:exec -Dexec.executable=…`. */
const MAVEN_RUNS = /^-D(?:exec\.|maven\.ext)|^(?:[\w.-]+:)*exec(?:-maven-plugin)?:/;

/** `kubectl -s https://…` hands the login to another server. */
const CHOOSING_LETTERS: Readonly<Record<string, RegExp>> = {
  kubectl: /^-s/,
  mvn: /^-(?:s|gs|t|gt|f)$/,
  mvnw: /^-(?:s|gs|t|gt|f)$/,
};

/** @param written the words of the rule without its last `*` */
export function runsItsWords(words: readonly ShellWord[], written: readonly string[]): boolean {
  const [program, ...others] = words.map(({ text }) => text);
  const running = RUNNING.get(program ?? "");
  const said = new Set(written);
  const loose = others.filter((word) => !said.has(word));
  if (loose.some((word) => RUNNING_OPTIONS.test(word) || CHOOSING_OPTIONS.test(word))) return true;
  if (/^mvnw?$/.test(program ?? "") && loose.some((word) => MAVEN_RUNS.test(word))) return true;
  const letters = Object.hasOwn(CHOOSING_LETTERS, program ?? "") ? CHOOSING_LETTERS[program ?? ""] : undefined;
  if (letters !== undefined && loose.some((word) => letters.test(word))) return true;
  if (running === undefined) return false;
  // The subcommand, wherever options put it; after the rule's own words it is an argument.
  if (written.length > 1 && !(written[1] ?? "").startsWith("-") && !(written[1] ?? "").includes("*")) {
    if (program === "docker" && written[1] === "compose")
      return loose.some((word) => word === "run" || word === "exec");
    return false;
  }
  return loose.some((word) => running.has(word));
}
